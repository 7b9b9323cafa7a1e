"""Recordings: the library, the film itself, and what was watched of it."""

from recordings.renditions import Rendition
from recordings.views import MediaFile, WatchReport
from web.api.call import Asked, Nothing
from web.api.paging import page_out, page_request
from web.api.schemas.base import Page
from web.api.schemas.recordings import CoverageOut, RecordingOut, RecordingsQuery, ViewingReport


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


async def media(asked: Asked[Nothing]) -> MediaFile:
    """The MP4, with Range and If-Range."""
    return await asked.services.library.media(asked.caller.person, asked.path("recordingId"))


async def sound(asked: Asked[Nothing]) -> MediaFile:
    """The sound alone, for poor lines."""
    library = asked.services.library
    return await library.media(asked.caller.person, asked.path("recordingId"), Rendition.SOUND)


async def poster(asked: Asked[Nothing]) -> MediaFile:
    """One picture that stands for the film."""
    return await _picture(asked, Rendition.POSTER)


async def preview(asked: Asked[Nothing]) -> MediaFile:
    """Small pictures of the whole film in one; the recording's `preview` tells how it is read."""
    return await _picture(asked, Rendition.PREVIEW)


async def _picture(asked: Asked[Nothing], rendition: Rendition) -> MediaFile:
    library = asked.services.library
    return await library.picture(asked.caller.person, asked.path("recordingId"), rendition)


async def viewing(asked: Asked[ViewingReport]) -> CoverageOut:
    """What the player says it played; answers what counts so far."""
    report = WatchReport(tuple(asked.input.intervals), asked.input.rate, asked.input.ended)
    coverage = await asked.services.viewings.report(asked.caller.person, asked.path("recordingId"), report)
    return CoverageOut.model_validate(coverage)
