"""What every request passes through: a number of its own, an answer for whatever goes wrong, its figures."""

from random import getrandbits
from time import perf_counter
from typing import Final

import structlog
from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.typedefs import Handler

from errors import Problem
from localization import Language, choose_language
from web.figures import FIGURES
from web.refusals import from_http, from_problem, refusal
from web.services import EDGE, SERVICES

LANGUAGE: Final = web.RequestKey("language", str)
REQUEST_ID: Final = "X-Request-Id"
LONG_LIVED: Final = "/socket.io/"  # lasts as long as the meeting; signaling counts what happens there

logger = structlog.get_logger(__name__)


@web.middleware
async def number_and_count(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Number the request for the log and the person who reports a mistake; count and time it by its call."""
    number = f"{getrandbits(48):012x}"
    started = perf_counter()
    with structlog.contextvars.bound_contextvars(request=number):
        response = await _answer(request, handler, number)
        seconds = perf_counter() - started
        log = logger.info if request.app[EDGE].settings.access_log else logger.debug
        log("request_answered", call=call_name(request), status=response.status, seconds=round(seconds, 4))
    if not response.prepared:
        response.headers[REQUEST_ID] = number
    if not request.path.startswith(LONG_LIVED):
        request.app[FIGURES].observe(call_name(request), response.status, seconds)
    return response


async def _answer(request: web.Request, handler: Handler, number: str) -> web.StreamResponse:
    texts = request.app[SERVICES].texts
    try:
        return await handler(request)
    except Problem as problem:
        return from_problem(problem, texts, _language(request))
    except web.HTTPException as error:
        return from_http(error, texts, _language(request))
    except (web.RequestPayloadError, ClientPayloadError):  # cut off, or not compressed as it says
        return refusal(400, "invalid_request", texts, _language(request))
    except Exception as error:
        if isinstance(error, ConnectionResetError) and _has_gone(request):
            raise  # nobody is left to answer
        logger.exception("request_failed", call=call_name(request))
        return refusal(500, "internal_error", texts, _language(request), {"requestId": number})


def _has_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def call_name(request: web.Request) -> str:
    """The route's name: never the path itself, which anybody can make up."""
    return request.match_info.route.name or "other"


def _language(request: web.Request) -> Language:
    """The one the dispatcher worked out, or what the browser asks for where nobody got so far."""
    known = request.get(LANGUAGE)
    return choose_language(known, request.headers.get(hdrs.ACCEPT_LANGUAGE))
