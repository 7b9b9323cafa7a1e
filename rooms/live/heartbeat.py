"""Presence on its way to the database: collected a moment, written for all rooms at once."""

from collections.abc import Iterable
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from errors import Problem
from rooms.attendance import records
from rooms.live.peers import PresenceRecord
from rooms.live.room import LiveRoom
from rooms.live.views import OccasionKind

MAXIMUM_UNSAVED: Final = 100_000
"""Closed presences kept while the database is away: a whole district's evening. Beyond, the oldest are lost."""

log = structlog.get_logger(__name__)


class Heartbeat:
    """Keeps what is not in the database yet: rooms whose presences changed, and presences that have closed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._upsert = records.presence_upsert(is_sqlite=database.is_sqlite)
        self._changed: set[str] = set()
        self._closed: dict[str, tuple[str, PresenceRecord]] = {}
        self.failures = 0

    def changed(self, room: LiveRoom) -> None:
        """Somebody came or went; the next save takes this room. Consultations keep no presence."""
        closed = room.take_closed()
        if room.occasion.kind is not OccasionKind.MEETING:
            return
        self._changed.add(room.occasion.id)
        for record in closed:
            self._closed[record.id] = (room.occasion.id, record)
        while len(self._closed) > MAXIMUM_UNSAVED:
            self._closed.pop(next(iter(self._closed)))

    def forget(self, room_id: str) -> None:
        """The room has ended and its presence is written, or it keeps none."""
        self._changed.discard(room_id)
        for key in [key for key, (owner, _) in self._closed.items() if owner == room_id]:
            del self._closed[key]

    async def save_room(self, session: AsyncSession, room: LiveRoom) -> None:
        """Write everything about one room's presence inside the caller's transaction, before the room ends."""
        self.changed(room)
        room_id = room.occasion.id
        rows = [entry for entry in self._closed.values() if entry[0] == room_id]
        rows += [(room_id, record) for record in room.presences(self._clock())]
        await records.save_presences(session, rows, self._upsert)

    async def save(self, rooms: Iterable[LiveRoom], *, everything: bool) -> None:
        """Write the rooms that changed, or (each heartbeat) all; what fails is tried again with the next."""
        meetings = [room for room in rooms if room.occasion.kind is OccasionKind.MEETING]
        chosen = [room for room in meetings if everything or room.occasion.id in self._changed]
        now = self._clock()
        closed = dict(self._closed)
        rows = list(closed.values())
        rows += [(room.occasion.id, record) for room in chosen for record in room.presences(now)]
        if not rows:
            return
        changed, self._changed = self._changed, set()
        try:
            async with self._database.transaction() as session:
                await records.save_presences(session, rows, self._upsert)
        except Problem as problem:
            self.failures += 1
            self._changed |= changed
            log.warning("heartbeat_failed", code=problem.code, presences=len(rows))
            return
        for key in closed:
            self._closed.pop(key, None)
