"""Calls that pages of other sites may make (CORS): encoders' and players' (RFC 9725 section 4.5).

They carry a key and no cookie, so a page can only do what whoever gave it the key wanted.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from web.api.call import AnyCall

ANY_SITE: Final = web.RequestKey("any_site", bool)
ALLOWED_HEADERS: Final = "Authorization, Content-Type, If-Match"
EXPOSED_HEADERS: Final = "Accept-Patch, ETag, Link, Location, Retry-After, WWW-Authenticate"
PREFLIGHT_SECONDS: Final = "86400"


async def allow_any_site(request: web.Request, response: web.StreamResponse) -> None:
    """Runs just before the headers go out, of refusals too: a page must be able to read why."""
    if request.get(ANY_SITE, False):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED_HEADERS


def preflight(calls: Sequence[AnyCall]) -> Handler:
    """OPTIONS of one path: which methods it has, and what bodies they take."""
    methods = ", ".join([*(call.method for call in calls), hdrs.METH_OPTIONS])
    accepted = {
        f"Accept-{call.method.title()}": call.text_type for call in calls if call.text_type is not None
    }

    async def options(request: web.Request) -> web.StreamResponse:
        request[ANY_SITE] = True
        headers = {
            hdrs.ALLOW: methods,
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: methods,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ALLOWED_HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: PREFLIGHT_SECONDS,
            **accepted,
        }
        return web.Response(status=204, headers=headers)

    return options
