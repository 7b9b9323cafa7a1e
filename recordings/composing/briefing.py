"""Writes the brief of a composition from the records."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from localization import DEFAULT_LANGUAGE
from members.organizations import Organization
from recordings.compose import brief as compose
from recordings.compose.brief import Brief
from recordings.compose.report import Finished
from recordings.compose.texts import FilmTexts
from recordings.losses import losses_in
from recordings.models import Recording
from recordings.renditions import Rendition, outputs_in
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.wishes import wishes_of
from rooms.meetings.models import AgendaMark, Meeting

# Ten times what a film has chapters. Whoever goes back and forth in an agenda all evening is not followed to the end.
_MOST_MARKS: Final = 1_000


async def brief_of(
    session: AsyncSession, recording: Recording, settings: RecordingSettings, captured_of: str | None = None
) -> Brief:
    """The brief as the records stand now.

    `captured_of`: the meeting as the captured files know it: the recording may have made way for another film.
    """
    meeting_id = recording.meeting_id or captured_of
    organization = await session.get_one(Organization, recording.organization_id)
    meeting = await session.get(Meeting, meeting_id) if meeting_id else None
    wishes = await wishes_of(session, meeting.id) if meeting is not None else ()
    zone = ZoneInfo(meeting.timezone) if meeting is not None else UTC
    return Brief(
        title=recording.title,
        organization=organization.name,
        date=written_date(recording.started_at.astimezone(zone), DEFAULT_LANGUAGE),
        language=DEFAULT_LANGUAGE,
        marks=await _marks(session, meeting_id),
        hls_seconds=settings.sizes_from(recording.kind),
        part_seconds=settings.part_seconds,
        wishes=tuple(compose.Wish(wish.person_key, wish.hidden, wish.at.isoformat()) for wish in wishes),
    )


async def _marks(session: AsyncSession, meeting_id: str | None) -> tuple[compose.AgendaMark, ...]:
    if meeting_id is None:
        return ()
    query = (
        select(AgendaMark)
        .where(AgendaMark.meeting_id == meeting_id)
        .order_by(AgendaMark.number)
        .limit(_MOST_MARKS)
    )
    return tuple(compose.AgendaMark(mark.at.isoformat(), mark.title) for mark in await session.scalars(query))


def standing_of(recording: Recording) -> Finished | None:
    """What the records say of the film there is; None for none. KeyError or ValueError where that makes no sense."""
    if recording.duration_seconds is None or recording.size_bytes is None:
        return None
    outputs = outputs_in(recording.renditions, recording.chapters)
    sizes = {Rendition.FILM: recording.size_bytes, **outputs.sizes}
    losses = losses_in(recording.losses)
    failure = recording.failure
    if recording.state is RecordingState.COMPOSING and failure is Failure.FILES_MISSING:
        failure = Failure.CAPTURE_UNREADABLE if losses else None  # it was given up, and is there again
    return Finished(recording.duration_seconds, replace(outputs, sizes=sizes), failure, losses)


def written_date(at: datetime, language: str) -> str:
    """A moment in the meeting's own zone, as people write it."""
    return FilmTexts(language).say(
        "date", year=at.year, month=at.month, day=at.day, time=f"{at.hour:02}:{at.minute:02}"
    )
