"""What outlives a room's process, in the database: marks of people, the lock, who was in, where the agenda is.

Sessions are the caller's.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import new_id
from rooms.attendance.models import PresenceInterval
from rooms.live.commands import Role
from rooms.live.core import Standing
from rooms.live.events import (
    AgendaMarked,
    Event,
    PeerRemoved,
    PersonReadmitted,
    RoleChanged,
    RoomLocked,
    RoomUnlocked,
)
from rooms.live.models import RoomMark, RoomMarkRecord
from rooms.meetings.models import AgendaMark, Meeting

Memorable = PeerRemoved | PersonReadmitted | RoleChanged | RoomLocked | RoomUnlocked | AgendaMarked


def memorable(events: Sequence[Event]) -> list[Memorable]:
    """The events that a restart must not undo."""
    return [event for event in events if isinstance(event, Memorable)]


async def remember(session: AsyncSession, room_id: str, event: Memorable, now: datetime) -> None:
    """Write one of them down."""
    match event:
        case PeerRemoved():
            await _mark(session, room_id, event.person_key, RoomMark.REMOVED, event.named, now)
        case RoleChanged(role=Role.HOST):
            await _mark(session, room_id, event.person_key, RoomMark.HOST, event.peer_id, now)
        case RoleChanged() | PersonReadmitted():
            await session.execute(
                delete(RoomMarkRecord).where(
                    RoomMarkRecord.room_id == room_id, RoomMarkRecord.person_key == event.person_key
                )
            )
        case RoomLocked() | RoomUnlocked():
            locked = isinstance(event, RoomLocked)
            await session.execute(update(Meeting).where(Meeting.id == room_id).values(locked=locked))
        case AgendaMarked():
            last = select(func.max(AgendaMark.number)).where(AgendaMark.meeting_id == room_id)
            number = (await session.scalar(last) or 0) + 1
            session.add(
                AgendaMark(
                    id=new_id(),
                    meeting_id=room_id,
                    number=number,
                    item=event.item,
                    title=event.title,
                    at=event.at,
                )
            )


async def _mark(
    session: AsyncSession, room_id: str, person_key: str, mark: RoomMark, peer_id: str, now: datetime
) -> None:
    record = RoomMarkRecord(room_id=room_id, person_key=person_key, mark=mark, peer_id=peer_id, at=now)
    await session.merge(record)


async def forget(session: AsyncSession, room_id: str) -> None:
    """The room is over."""
    await session.execute(delete(RoomMarkRecord).where(RoomMarkRecord.room_id == room_id))


async def standings(session: AsyncSession, locks: dict[str, bool]) -> dict[str, Standing]:
    """What is remembered of these rooms, given with their locks: in four queries."""
    room_ids = list(locks)
    removed: dict[str, dict[str, str]] = {room_id: {} for room_id in room_ids}
    hosts: dict[str, set[str]] = {room_id: set() for room_id in room_ids}
    admitted: dict[str, set[str]] = {room_id: set() for room_id in room_ids}
    for record in await session.scalars(select(RoomMarkRecord).where(RoomMarkRecord.room_id.in_(room_ids))):
        match record.mark:
            case RoomMark.REMOVED:
                removed[record.room_id][record.person_key] = record.peer_id
            case RoomMark.HOST:
                hosts[record.room_id].add(record.person_key)
    agenda: dict[str, int] = {}
    marked = select(AgendaMark).where(AgendaMark.meeting_id.in_(room_ids)).order_by(AgendaMark.number)
    for mark in await session.scalars(marked):
        agenda[mark.meeting_id] = mark.item
    last_present: dict[str, datetime] = {}
    interval = PresenceInterval
    latest = func.max(interval.last_seen_at).label("latest")
    seen = select(interval.meeting_id, interval.person_key, latest).where(interval.meeting_id.in_(room_ids))
    for row in await session.execute(seen.group_by(interval.meeting_id, interval.person_key)):
        admitted[row.meeting_id].add(row.person_key)
        known = last_present.get(row.meeting_id, row.latest)
        last_present[row.meeting_id] = max(known, row.latest)
    return {
        room_id: Standing(
            removed=removed[room_id],
            admitted=frozenset(admitted[room_id]),
            hosts=frozenset(hosts[room_id]),
            locked=locks[room_id],
            last_present=last_present.get(room_id),
            agenda_item=agenda.get(room_id),
        )
        for room_id in room_ids
    }
