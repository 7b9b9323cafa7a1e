"""From a request to a handler and back: origin, authentication, parsing, and the answer as JSON."""

import re
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from errors import Kind, Problem
from localization import Language, choose_language
from recordings.views import MediaFile, OpenedRecording
from web.api.call import Access, Answer, Answered, AnyCall, Asked, Nothing
from web.api.caller import Caller, identify
from web.api.films import film_handler
from web.api.parsing import parse_body, parse_query, read_body
from web.api.schemas.base import Input, Output
from web.cross_origin import ANY_SITE, preflight
from web.media import Permit, answer_media
from web.middleware import LANGUAGE
from web.proxies import SEEN
from web.security import require_own_origin
from web.services import EDGE, SERVICES, Services

ID_PATTERN: Final = "[A-Za-z0-9_-]{1,64}"
# What is no id: `file` is a name in a folder, of which the library says whether it is one.
PATTERNS: Final = {"file": "[A-Za-z0-9_.-]{1,64}"}


def add_calls(app: web.Application, calls: tuple[AnyCall, ...]) -> None:
    """Route every call of the table; a part of a path in braces is an id, or what PATTERNS says."""
    for call in calls:
        path = _pattern(call.path)
        if call.method == hdrs.METH_GET:
            app.router.add_get(path, _handler(call), name=call.name)  # and HEAD
        else:
            app.router.add_route(call.method, path, _handler(call), name=call.name)
    for path in dict.fromkeys(call.path for call in calls if call.any_site):
        here = [call for call in calls if call.path == path]
        app.router.add_route(
            hdrs.METH_OPTIONS, _pattern(path), preflight(here), name=f"{here[0].name}.options"
        )


def _pattern(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda part: f"{{{part[1]}:{PATTERNS.get(part[1], ID_PATTERN)}}}", path)


def _handler(call: AnyCall) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        answered = await _answer(call, request)
        if isinstance(answered, MediaFile):
            return await answer_media(request, answered, _permit(call, request, answered))
        return _response(call, answered)

    async def let_in(request: web.Request) -> OpenedRecording:
        answered = await _answer(call, request)
        if not isinstance(answered, OpenedRecording):
            raise TypeError(f"{call.name} opens no film")
        return answered

    return handle if call.film is None else film_handler(call.film, let_in)


def _permit(call: AnyCall, request: web.Request, media: MediaFile) -> Permit:
    """Whether the call would still answer this very file: a download lasts as long as its line is slow."""
    grants = request.app[EDGE].grants
    end = grants.end()

    async def permit() -> bool:
        nonlocal end
        if not grants.ended(end):
            return True
        end = grants.end()
        try:
            answered = await _answer(call, request)
        except Problem:
            return False
        return isinstance(answered, MediaFile) and answered.etag == media.etag

    return permit


async def _answer(call: AnyCall, request: web.Request) -> Answered:
    services, edge, seen = request.app[SERVICES], request.app[EDGE], request[SEEN]
    if call.any_site:
        request[ANY_SITE] = True
    else:
        require_own_origin(request, seen, edge.settings.public_origins)
    caller = await identify(request, services)
    language = choose_language(caller.locale, request.headers.get(hdrs.ACCEPT_LANGUAGE))
    request[LANGUAGE] = language
    _require_access(call, caller, guests=edge.settings.guests)
    wanted = await _input(call, request, services, language)
    text = await _text(call, request)
    return await call.handler(Asked(request, services, edge, caller, wanted, seen, language, text))


def _require_access(call: AnyCall, caller: Caller, *, guests: bool) -> None:
    if call.access is Access.SIGNED_IN and caller.actor is None:
        raise Problem(Kind.UNAUTHENTICATED, "not_signed_in")
    if call.access is Access.VISITOR and caller.visitor is None and not guests:
        raise Problem(Kind.UNAUTHENTICATED, "not_signed_in")


async def _input(call: AnyCall, request: web.Request, services: Services, language: Language) -> Input:
    model: type[Input] = call.input
    if call.takes_body:
        body = await read_body(request, call.body_bytes)
        return parse_body(model, body, services.texts, language)
    if call.takes_query:
        return parse_query(model, request.query, services.texts, language)
    return Nothing()


async def _text(call: AnyCall, request: web.Request) -> str:
    """The body of a call whose body is no JSON; what is not UTF-8 becomes marks that no format allows."""
    if call.text_type is None:
        return ""
    return (await read_body(request, call.body_bytes, call.text_type)).decode(errors="replace")


def _response(call: AnyCall, answered: Answered) -> web.StreamResponse:
    if isinstance(answered, web.StreamResponse):
        return answered
    if isinstance(answered, MediaFile | OpenedRecording):
        raise TypeError(f"{call.name} answers a file")
    body = answered.body if isinstance(answered, Answer) else answered
    response = _no_content() if body is None else _json(body, call.status)
    if isinstance(answered, Answer):
        answered.prepare(response)
    return response


def _json(body: Output, status: int) -> web.Response:
    return web.Response(
        body=body.model_dump_json(by_alias=True).encode(),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},  # all of it is about people, or about this moment
    )


def _no_content() -> web.Response:
    return web.Response(status=204, headers={hdrs.CACHE_CONTROL: "no-store"})
