"""The calls that answer a film or a piece of one: whoever was let in a moment ago gets what he asks for at once."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from errors import Problem
from members.accounts import session_key
from recordings.renditions import Rendition
from recordings.views import OpenedRecording
from signaling.cookies import SESSION_COOKIE
from web.api.caller import cookie
from web.api.schemas.recordings import FilmQuery
from web.grants import Grant, Visit
from web.media import Permit, answer_media
from web.services import EDGE, SERVICES

LetIn = Callable[[web.Request], Awaitable[OpenedRecording]]
"""The call itself, with all its checks: opens the film, or refuses in the caller's own language."""


def film_handler(rendition: Rendition, let_in: LetIn) -> Handler:
    """Answers `rendition`, or the piece of it that the path names."""

    async def handle(request: web.Request) -> web.StreamResponse:
        visit = Visit(
            session_key(cookie(request, SESSION_COOKIE) or ""),
            request.match_info["recordingId"],
            request.rel_url.raw_query_string,
        )
        grant = await _grant(let_in, request, visit)
        piece = request.match_info.get("file")
        media = grant.files.get((rendition, piece))
        if media is None:
            media = await request.app[SERVICES].library.file(grant.opened, rendition, piece)
            grant.files[rendition, piece] = media
        try:
            return await answer_media(request, media, _permit(let_in, request, visit, grant.opened.version))
        except Problem:
            grant.files.pop((rendition, piece), None)  # it may lie elsewhere by now, or be another file
            raise

    return handle


def _permit(let_in: LetIn, request: web.Request, visit: Visit, version: int) -> Permit:
    """Whether he would still be let in; a film made anew meanwhile is another one."""

    async def permit() -> bool:
        try:
            return (await _grant(let_in, request, visit)).opened.version == version
        except Problem:
            return False

    return permit


async def _grant(let_in: LetIn, request: web.Request, visit: Visit) -> Grant:
    """The grant of a moment ago, or a new one; who gets none hears why from the call itself."""
    grants = request.app[EDGE].grants
    granted = await grants.find(visit) or await _enter(request, visit)
    return granted or grants.note(visit, await let_in(request))


async def _enter(request: web.Request, visit: Visit) -> Grant | None:
    try:
        wanted = FilmQuery.model_validate(dict(request.query))
    except ValidationError:
        return None
    return await request.app[EDGE].grants.enter(visit, wanted.version)
