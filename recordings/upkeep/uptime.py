"""How long the server has really run, over all its starts: the time that no setting of a clock moves.

What is deleted for good waits for this time and not for the clock's alone, which may be a year ahead in the morning.
Each server adds what its own monotonic clock says has passed since the last addition it knows of. So nothing counts
twice, however many servers share the records; and what passed before a start, or in sleep, counts not at all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database
from recordings.upkeep.models import Uptime

THE_ROW: Final = 1


@dataclass(frozen=True, slots=True)
class Look:
    """What one server saw: the seconds counted so far, and its own monotonic clock at that moment or before."""

    counted: int
    at: float


def count(last: Look | None, counted: int, at: float) -> Look:
    """Look again, `at` seconds of the monotonic clock; where others have counted meanwhile, begin with theirs."""
    if last is None or last.counted != counted:
        return Look(counted, at)
    ran = int(at - last.at)
    return Look(counted + ran, last.at + ran)


async def uptime(session: AsyncSession) -> int:
    """The seconds counted so far."""
    return await session.scalar(select(Uptime.seconds)) or 0


class UptimeCounter:
    """One for each server; `monotonic` in seconds."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._last: Look | None = None

    async def count(self) -> None:
        """Add what has passed since the last time; the first time begins."""
        async with self._database.transaction() as session:
            row = await session.get(Uptime, THE_ROW, with_for_update=True)
            if row is None:
                row = Uptime(id=THE_ROW, seconds=0)
                session.add(row)
            look = count(self._last, row.seconds, self._monotonic())
            row.seconds = look.counted
        self._last = look  # not before it is stored
