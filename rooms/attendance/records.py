"""Attendance in the database: every query, inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Insert,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from database import Page, PageRequest, SortKey, fetch_page
from members.cards import CardEntry
from members.people import Member
from rooms.attendance.models import AttendanceRecord, PresenceInterval
from rooms.attendance.rules import CAN_BE_MADE_UP, AttendanceState
from rooms.live.commands import Role
from rooms.live.peers import PresenceRecord
from rooms.meetings.models import Invitation
from rooms.meetings.states import LeaveState
from rooms.persons import member_key


async def save_presences(
    session: AsyncSession, rows: Iterable[tuple[str, PresenceRecord]], upsert: Insert
) -> None:
    """Append and extend intervals, given with their meetings, in one statement; closed ones stay as they are."""
    values = [
        {
            "id": record.id,
            "meeting_id": meeting_id,
            "person_key": record.person.key,
            "member_id": record.person.member_id,
            "name": record.person.name,
            "opened_at": record.opened_at,
            "last_seen_at": record.last_seen_at,
            "closed": record.closed,
        }
        for meeting_id, record in rows
    ]
    if values:
        await session.execute(upsert, values)


def presence_upsert(*, is_sqlite: bool) -> Insert:
    """The statement of `save_presences`: both databases have it, each under its own name."""
    if is_sqlite:
        lite = sqlite.insert(PresenceInterval)
        return lite.on_conflict_do_update(
            index_elements=[PresenceInterval.id],
            set_={"last_seen_at": lite.excluded.last_seen_at, "closed": lite.excluded.closed},
            where=~PresenceInterval.closed,
        )
    postgres = postgresql.insert(PresenceInterval)
    return postgres.on_conflict_do_update(
        index_elements=[PresenceInterval.id],
        set_={"last_seen_at": postgres.excluded.last_seen_at, "closed": postgres.excluded.closed},
        where=~PresenceInterval.closed,
    )


async def close_open_presences(session: AsyncSession, meeting_id: str | None = None) -> None:
    """Close what is open, at its last heartbeat; of one meeting, or (after a crash) of all."""
    statement = update(PresenceInterval).where(~PresenceInterval.closed).values(closed=True)
    if meeting_id is not None:
        statement = statement.where(PresenceInterval.meeting_id == meeting_id)
    await session.execute(statement)


async def open_expected(session: AsyncSession, meeting_id: str) -> None:
    """Fix who is expected: one row each from the invitation list, by name, in one statement."""
    place = func.row_number().over(order_by=(Member.name, Member.id))
    expected = (
        select(
            Invitation.meeting_id,
            literal(member_key("")).concat(Member.id),
            place,
            Member.id,
            Member.name,
            literal(value=True),
            literal(0.0),
        )
        .join(Member, Member.id == Invitation.member_id)
        .where(Invitation.meeting_id == meeting_id, ~Invitation.struck, Invitation.role != Role.OBSERVER)
    )
    columns = ["meeting_id", "person_key", "place", "member_id", "name", "expected", "seconds"]
    await session.execute(insert(AttendanceRecord).from_select(columns, expected))


async def intervals(
    session: AsyncSession, meeting_id: str, person_keys: Sequence[str] | None = None
) -> list[PresenceInterval]:
    """The measured intervals of a meeting, or of some people at it, oldest first."""
    query = select(PresenceInterval).where(PresenceInterval.meeting_id == meeting_id)
    if person_keys is not None:
        query = query.where(PresenceInterval.person_key.in_(person_keys))
    return list(await session.scalars(query.order_by(PresenceInterval.opened_at, PresenceInterval.id)))


async def rows(session: AsyncSession, meeting_id: str) -> list[AttendanceRecord]:
    """All rows of a meeting."""
    query = select(AttendanceRecord).where(AttendanceRecord.meeting_id == meeting_id)
    return list(await session.scalars(query.order_by(AttendanceRecord.place)))


async def rows_page(session: AsyncSession, meeting_id: str, request: PageRequest) -> Page[AttendanceRecord]:
    """A page of rows, the expected first."""
    query = select(AttendanceRecord).where(AttendanceRecord.meeting_id == meeting_id)
    keys: list[SortKey[Any]] = [SortKey(AttendanceRecord.place)]
    return await fetch_page(session, query, keys, request)


async def row(
    session: AsyncSession, meeting_id: str, person_key: str, *, lock: bool = False
) -> AttendanceRecord | None:
    """One person's row."""
    return await session.get(AttendanceRecord, (meeting_id, person_key), with_for_update=lock)


async def rows_of(
    session: AsyncSession, meeting_id: str, member_ids: Iterable[str]
) -> Sequence[AttendanceRecord]:
    """These members' rows, locked in one order, so that nobody waits in a circle."""
    query = select(AttendanceRecord).where(
        AttendanceRecord.meeting_id == meeting_id,
        AttendanceRecord.person_key.in_([member_key(member_id) for member_id in member_ids]),
    )
    return (await session.scalars(query.order_by(AttendanceRecord.person_key).with_for_update())).all()


async def excused(session: AsyncSession, meeting_id: str) -> frozenset[str]:
    """The person keys of those whose leave was granted."""
    found = await session.scalars(
        select(Invitation.member_id).where(
            Invitation.meeting_id == meeting_id, Invitation.leave_state == LeaveState.GRANTED
        )
    )
    return frozenset(member_key(member_id) for member_id in found)


async def write_results(session: AsyncSession, results: Sequence[dict[str, Any]]) -> None:
    """Set state and measured values of rows by primary key, in one statement."""
    if results:
        await session.execute(update(AttendanceRecord), results)


async def add_unexpected(session: AsyncSession, values: Sequence[dict[str, Any]]) -> None:
    """Add rows of people who came without being expected, in one statement."""
    if values:
        await session.execute(insert(AttendanceRecord), values)


async def last_seen(session: AsyncSession) -> dict[str, datetime]:
    """When somebody was last seen, by meeting, of the intervals that are open (before they are closed)."""
    latest = func.max(PresenceInterval.last_seen_at).label("latest")
    query = select(PresenceInterval.meeting_id, latest).where(~PresenceInterval.closed)
    found = await session.execute(query.group_by(PresenceInterval.meeting_id))
    return {row.meeting_id: row.latest for row in found}


async def card_entry(session: AsyncSession, member_id: str, source: str, reference: str) -> str | None:
    """The id of a card entry by what it tells of, for a correction to refer to."""
    query = select(CardEntry.id).where(
        CardEntry.member_id == member_id, CardEntry.source == source, CardEntry.reference == reference
    )
    return (await session.scalars(query)).one_or_none()


def awaits_making_up(
    meeting_id: ColumnExpressionArgument[Any], member_id: ColumnExpressionArgument[str]
) -> ColumnElement[bool]:
    """Whether, by the columns of an outer query, the member was expected at the meeting and missed it.

    Not once it was made up: what was said after a making up stands.
    """
    record = AttendanceRecord
    return exists().where(
        record.meeting_id == meeting_id,
        record.member_id == member_id,
        record.expected,
        record.made_up_at.is_(None),
        func.coalesce(record.corrected_state, record.state).in_(CAN_BE_MADE_UP),
    )


async def totals(session: AsyncSession, meeting_id: str) -> dict[AttendanceState, int]:
    """How many of each prevailing state among the expected, after the end; `judgement.prevailing` as SQL."""
    record = AttendanceRecord
    made_up_last = and_(
        record.made_up_at.is_not(None),
        or_(record.corrected_at.is_(None), record.made_up_at >= record.corrected_at),
    )
    made_up = literal(AttendanceState.MADE_UP, record.state.type)
    state = case((made_up_last, made_up), else_=func.coalesce(record.corrected_state, record.state)).label(
        "state"
    )
    query = select(state, func.count().label("people")).where(
        record.meeting_id == meeting_id, record.expected
    )
    return {row.state: row.people for row in await session.execute(query.group_by(state))}
