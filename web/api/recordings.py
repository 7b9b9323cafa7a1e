"""Recordings: the library, the film itself, and what was watched of it."""

from recordings.renditions import Rendition
from recordings.requests import RecordingsFilter
from recordings.views import MediaFile, OpenedRecording, WatchReport
from web.api.call import Asked, Nothing
from web.api.paging import page_out, page_request
from web.api.schemas.base import Page, PageQuery
from web.api.schemas.recordings import (
    CoverageOut,
    FilmQuery,
    PromptAnswer,
    RecordingOut,
    RecordingsQuery,
    ViewingReport,
)


async def recordings(asked: Asked[RecordingsQuery]) -> Page[RecordingOut]:
    """What one may watch, newest first."""
    query = asked.input
    wanted = RecordingsFilter(
        query.meeting_id,
        query.organization_id,
        query.kind,
        query.from_,
        query.to,
        query.member_id,
        query.query,
    )
    page = await asked.services.library.list(asked.caller.person, page_request(query), wanted)
    return page_out(page, RecordingOut)


async def to_study(asked: Asked[PageQuery]) -> Page[RecordingOut]:
    """What one was expected at, missed, and can still make up by watching, newest first."""
    page = await asked.services.library.to_study(asked.caller.person, page_request(asked.input))
    return page_out(page, RecordingOut)


async def recording(asked: Asked[Nothing]) -> RecordingOut:
    """One recording."""
    found = await asked.services.library.get(asked.caller.actor, asked.path("recordingId"))
    return RecordingOut.model_validate(found)


async def download(asked: Asked[Nothing]) -> MediaFile:
    """The MP4 as a file to keep, where the recording's settings allow it."""
    return await asked.services.library.download(asked.caller.actor, asked.path("recordingId"))


async def media(asked: Asked[FilmQuery]) -> OpenedRecording:
    """The MP4, with Range and If-Range."""
    return await _open(asked)


async def sound(asked: Asked[FilmQuery]) -> OpenedRecording:
    """The sound alone, for poor lines."""
    return await _open(asked)


async def hls(asked: Asked[FilmQuery]) -> OpenedRecording:
    """HTTP Live Streaming (RFC 8216), where `renditions` has it: `master.m3u8`, and every file that playlists name."""
    return await _open(asked)


async def _open(asked: Asked[FilmQuery]) -> OpenedRecording:
    library = asked.services.library
    return await library.open(asked.caller.actor, asked.path("recordingId"), asked.input.version)


async def poster(asked: Asked[Nothing]) -> MediaFile:
    """One picture that stands for the film."""
    return await _picture(asked, Rendition.POSTER)


async def preview(asked: Asked[Nothing]) -> MediaFile:
    """Small pictures of the whole film in one; the recording's `preview` tells how it is read."""
    return await _picture(asked, Rendition.PREVIEW)


async def _picture(asked: Asked[Nothing], rendition: Rendition) -> MediaFile:
    library = asked.services.library
    return await library.picture(asked.caller.actor, asked.path("recordingId"), rendition)


async def viewing(asked: Asked[ViewingReport]) -> CoverageOut:
    """What the player says it played; answers what counts so far."""
    report = WatchReport(
        tuple(asked.input.intervals), asked.input.rate, asked.input.ended, asked.input.version
    )
    coverage = await asked.services.viewings.report(asked.caller.person, asked.path("recordingId"), report)
    return CoverageOut.model_validate(coverage)


async def answer(asked: Asked[PromptAnswer]) -> CoverageOut:
    """One is still there: the prompt is answered, and counting goes on."""
    coverage = await asked.services.viewings.answer(
        asked.caller.person, asked.path("recordingId"), asked.input.prompt
    )
    return CoverageOut.model_validate(coverage)
