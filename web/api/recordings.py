"""Recordings: the library, the film itself, and what was watched of it."""

from typing import Final

from aiohttp import hdrs, web

from recordings.renditions import Rendition
from recordings.views import MediaFile, WatchReport
from web.api.call import Asked, Nothing
from web.api.paging import page_out, page_request
from web.api.schemas.base import Page
from web.api.schemas.recordings import CoverageOut, RecordingOut, RecordingsQuery, ViewingReport

# The film never changes once composed, but who may watch can: ask every time, send nothing twice.
MEDIA_CACHING: Final = "private, no-cache"


async def recordings(asked: Asked[RecordingsQuery]) -> Page[RecordingOut]:
    """What one may watch, newest first."""
    query = asked.input
    page = await asked.services.library.list(
        asked.caller.person, page_request(query), meeting_id=query.meeting_id
    )
    return page_out(page, RecordingOut)


async def recording(asked: Asked[Nothing]) -> RecordingOut:
    """One recording."""
    found = await asked.services.library.get(asked.caller.person, asked.path("recordingId"))
    return RecordingOut.model_validate(found)


async def media(asked: Asked[Nothing]) -> web.StreamResponse:
    """The MP4: sendfile, with Range and If-Range."""
    return _file(await asked.services.library.media(asked.caller.person, asked.path("recordingId")))


async def sound(asked: Asked[Nothing]) -> web.StreamResponse:
    """The sound alone, for poor lines."""
    found = await asked.services.library.media(
        asked.caller.person, asked.path("recordingId"), Rendition.SOUND
    )
    return _file(found)


async def poster(asked: Asked[Nothing]) -> web.StreamResponse:
    """One picture that stands for the film."""
    return await _picture(asked, Rendition.POSTER)


async def preview(asked: Asked[Nothing]) -> web.StreamResponse:
    """Small pictures of the whole film in one; the recording's `preview` tells how it is read."""
    return await _picture(asked, Rendition.PREVIEW)


async def _picture(asked: Asked[Nothing], rendition: Rendition) -> web.StreamResponse:
    library = asked.services.library
    return _file(await library.picture(asked.caller.person, asked.path("recordingId"), rendition))


def _file(found: MediaFile) -> web.FileResponse:
    return web.FileResponse(
        found.path, headers={hdrs.CONTENT_TYPE: found.content_type, hdrs.CACHE_CONTROL: MEDIA_CACHING}
    )


async def viewing(asked: Asked[ViewingReport]) -> CoverageOut:
    """What the player says it played; answers what counts so far."""
    report = WatchReport(tuple(asked.input.intervals), asked.input.rate, asked.input.ended)
    coverage = await asked.services.viewings.report(asked.caller.person, asked.path("recordingId"), report)
    return CoverageOut.model_validate(coverage)
