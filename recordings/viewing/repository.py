"""Every query about viewings. The caller has the session."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from members.people import Member
from recordings.models import Recording, Viewing
from recordings.states import RecordingState
from recordings.viewing.coverage import ALL, ROUNDING
from rooms.attendance.records import awaits_making_up


class Watching(NamedTuple):
    """Which recording, and the member who watches it."""

    recording_id: str
    member_id: str


async def get(session: AsyncSession, recording_id: str, member_id: str) -> Viewing | None:
    """What a member has watched of a recording."""
    return await session.get(Viewing, (recording_id, member_id))


async def of_recordings(
    session: AsyncSession, recording_ids: Iterable[str], member_id: str
) -> dict[str, Viewing]:
    """What a member has watched of several, by recording."""
    query = select(Viewing).where(
        Viewing.recording_id.in_(list(recording_ids)), Viewing.member_id == member_id
    )
    return {viewing.recording_id: viewing for viewing in await session.scalars(query)}


async def there_are(session: AsyncSession, watching: Collection[Watching]) -> set[Watching]:
    """Those who have an account."""
    query = select(Viewing.recording_id, Viewing.member_id).where(
        Viewing.recording_id.in_({one.recording_id for one in watching}),
        Viewing.member_id.in_({one.member_id for one in watching}),
    )
    return {Watching(*row) for row in await session.execute(query)} & set(watching)


async def open_missing(session: AsyncSession, watching: Iterable[Watching], now: datetime) -> None:
    """Open an account for each who has none, in one statement."""
    rows = [
        {
            "recording_id": recording_id,
            "member_id": member_id,
            "intervals": [],
            "seconds": 0.0,
            "resume_at": 0.0,
            "credit_seconds": 0.0,
            "unasked_seconds": 0.0,
            "reported_at": now,
            "settled": False,
        }
        for recording_id, member_id in sorted(watching)  # two nodes that lock in turn never wait in a ring
    ]
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    await session.execute(make(Viewing).on_conflict_do_nothing(), rows)


async def open_and_lock(session: AsyncSession, recording_id: str, member_id: str, now: datetime) -> Viewing:
    """The account, opened now where there is none, locked until the transaction ends."""
    await open_missing(session, [Watching(recording_id, member_id)], now)
    query = select(Viewing).where(Viewing.recording_id == recording_id, Viewing.member_id == member_id)
    return (await session.scalars(query.with_for_update())).one()


async def spent_elsewhere(
    session: AsyncSession, recording_id: str, member_id: str, latest: datetime
) -> datetime | None:
    """When the member last spent time on another recording, as far as that is no later than `latest`.

    Locks the member, so that two reports take turns.
    """
    await session.execute(
        select(Member.id)
        .where(Member.id == member_id)
        .with_for_update(key_share=True)  # not against new rows
    )
    query = select(func.max(Viewing.spent_at)).where(
        Viewing.member_id == member_id, Viewing.recording_id != recording_id, Viewing.spent_at <= latest
    )
    return await session.scalar(query)


def _is_enough_unsaid() -> ColumnElement[bool]:
    """Of viewings joined with their recordings: enough now, and not when reported; `coverage.is_enough` as SQL."""
    required = case((Recording.required_share > ALL, ALL), else_=Recording.required_share)
    return and_(
        Viewing.completed_at.is_(None),
        Recording.state.in_([state for state in RecordingState if state.playable]),
        Recording.duration_seconds > 0,
        Viewing.seconds >= (required - ROUNDING) * Recording.duration_seconds,
    )


async def with_enough_unsaid(session: AsyncSession) -> Sequence[str]:
    """The recordings of which there are such viewings, found while no writer waits."""
    query = select(Viewing.recording_id).join(Recording, Recording.id == Viewing.recording_id)
    return (await session.scalars(query.where(_is_enough_unsaid()).distinct())).all()


async def enough_unsaid(
    session: AsyncSession, recording_id: str, most: int
) -> list[tuple[Viewing, Recording, Organization]]:
    """Such viewings of one recording, locked; what a player reports of at this moment is left to its report."""
    query = (
        select(Viewing, Recording, Organization)
        .join(Recording, Recording.id == Viewing.recording_id)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(Viewing.recording_id == recording_id, _is_enough_unsaid())
        .order_by(Viewing.member_id)
        .limit(most)
        .with_for_update(of=Viewing, skip_locked=True)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def settle(session: AsyncSession, recording_id: str, member_ids: Iterable[str]) -> None:
    """Note that attendance knows what these have watched."""
    query = update(Viewing).where(
        Viewing.recording_id == recording_id, Viewing.member_id.in_(list(member_ids))
    )
    await session.execute(query.values(settled=True))


async def unsettled(
    session: AsyncSession, most: int, but: Collection[str]
) -> list[tuple[Watching, str | None]]:
    """Who has studied what, of which meeting, where attendance still says that they were absent; `but` of these."""
    query = (
        select(Viewing.recording_id, Viewing.member_id, Recording.meeting_id)
        .join(Recording, Recording.id == Viewing.recording_id)
        .where(
            Viewing.completed_at.is_not(None),
            ~Viewing.settled,
            Recording.id.not_in(but),
            awaits_making_up(Recording.meeting_id, Viewing.member_id),
        )
        .order_by(Viewing.completed_at)
        .limit(most)
    )
    return [(Watching(row[0], row[1]), row[2]) for row in await session.execute(query)]
