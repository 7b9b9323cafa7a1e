"""One thing at a time for each room: what must not interleave waits its turn, in a bounded queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from errors import Kind, Problem


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turns:
    """Locks by room id, that exist only while somebody uses them."""

    def __init__(self, maximum_pending: int) -> None:
        self._maximum_pending = maximum_pending
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def of(self, room_id: str) -> AsyncIterator[None]:
        """Have the room to oneself; Problem room_busy when too many wait for it already."""
        turn = self._turns.setdefault(room_id, _Turn())
        if turn.users >= self._maximum_pending:
            raise Problem(Kind.RATE_LIMITED, "room_busy", {"retryAfter": 1})
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if turn.users == 0:
                del self._turns[room_id]
