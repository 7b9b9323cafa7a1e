"""Keeps the index, and turns what somebody looks for into a condition."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from recordings.models import Recording
from recordings.persons.models import FilmPerson
from recordings.searching.models import RecordingTerm, RecordingText
from recordings.searching.terms import MOST_TEXT, Sought, normal, terms
from recordings.states import RecordingState
from rooms.attendance.models import PresenceInterval
from rooms.meetings.models import Meeting

MOST_NAMES: Final = 2_000  # of who took part; a larger meeting is found by its other words
LAST: Final = "\U0010ffff"  # sorts behind every character


def found(sought: Sought) -> ColumnElement[bool]:
    """The condition for recordings that have everything sought."""
    term, text = RecordingTerm, RecordingText
    conditions = [
        exists().where(term.recording_id == Recording.id, term.term == one) for one in sorted(sought.whole)
    ]
    conditions += [
        exists().where(term.recording_id == Recording.id, term.term >= begin, term.term < begin + LAST)
        for begin in sorted(sought.beginnings)
    ]
    conditions.append(
        exists().where(
            text.recording_id == Recording.id,
            *(text.text.contains(piece, autoescape=True) for piece in sought.pieces),
        )
    )
    return and_(*conditions)


async def to_index(session: AsyncSession, recording_id: str, most: int) -> list[str]:
    """The ids of the next recordings, by id, that have ended and are not yet in the index."""
    query = (
        select(Recording.id)
        .outerjoin(RecordingText, RecordingText.recording_id == Recording.id)
        .where(
            or_(
                Recording.ended_at.is_not(None),
                Recording.state.in_([state for state in RecordingState if state.settled]),
            ),
            Recording.state != RecordingState.DELETED,
            RecordingText.recording_id.is_(None),
            Recording.id > recording_id,
        )
        .order_by(Recording.id)
        .limit(most)
    )
    return list(await session.scalars(query))


async def index_some(session: AsyncSession, recording_ids: Sequence[str]) -> list[str]:
    """Index these, as far as nobody has; answers which.

    What somebody is changing is left for the next time: names that he takes away must not come in behind him.
    """
    query = (
        select(Recording, Organization.name, Meeting.agenda)
        .join(Organization, Organization.id == Recording.organization_id)
        .outerjoin(Meeting, Meeting.id == Recording.meeting_id)
        .where(
            Recording.id.in_(recording_ids),
            Recording.state != RecordingState.DELETED,
            ~exists().where(RecordingText.recording_id == Recording.id),
        )
        .with_for_update(of=Recording, skip_locked=True, key_share=True)
    )
    rows = (await session.execute(query)).all()
    for recording, organization, agenda in rows:
        names = await _participants(session, recording.meeting_id) if recording.meeting_id else []
        if recording.is_uploaded:
            names += await _named(session, recording.id)
        await _put(session, recording.id, "\n".join([recording.title, organization, *names, agenda or ""]))
    return [recording.id for recording, _, _ in rows]


async def forget(session: AsyncSession, recording_id: str) -> None:
    """Take a recording out of the index: it is gone, or is to be indexed anew."""
    for model in (RecordingTerm, RecordingText):
        await session.execute(delete(model).where(model.recording_id == recording_id))


async def _participants(session: AsyncSession, meeting_id: str) -> list[str]:
    """One query a recording and not one a person; a recording is indexed once in its life."""
    query = (
        select(PresenceInterval.name)
        .where(PresenceInterval.meeting_id == meeting_id)
        .distinct()
        .limit(MOST_NAMES)
    )
    return list(await session.scalars(query))


async def _named(session: AsyncSession, recording_id: str) -> list[str]:
    return list(await session.scalars(select(FilmPerson.name).where(FilmPerson.recording_id == recording_id)))


async def _put(session: AsyncSession, recording_id: str, text: str) -> None:
    kept = normal(text[:MOST_TEXT])
    await session.execute(insert(RecordingText), [{"recording_id": recording_id, "text": kept}])
    rows = [{"recording_id": recording_id, "term": term} for term in sorted(terms(kept))]
    if rows:
        await session.execute(insert(RecordingTerm), rows)
