"""`Keeper`: what is done for recordings in the background, in small pieces, by any node."""

import asyncio
import contextlib
from datetime import datetime
from typing import Final

import structlog

from database import Clock, Database
from errors import Problem
from recordings.searching.index import index_some
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.retention import is_night
from recordings.upkeep.uptime import UptimeCounter
from recordings.viewing.service import Viewings

MINUTE: Final = 60.0
INDEXED_AT_ONCE: Final = 20
ROUNDS_AN_HOUR: Final = 60

_log = structlog.get_logger(__name__)


class Keeper:
    """Counts the time and indexes what has ended every minute, settles every hour, applies the rules at night."""

    def __init__(
        self,
        database: Database,
        deletions: Deletions,
        viewings: Viewings,
        uptime: UptimeCounter,
        clock: Clock,
    ) -> None:
        self._database = database
        self._deletions = deletions
        self._viewings = viewings
        self._uptime = uptime
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with a round of everything."""
        self._task = asyncio.create_task(self._run(), name="keep_recordings")

    async def stop(self) -> None:
        """End between two pieces of work."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def every_minute(self) -> None:
        """Count the time that the server runs, and index what has ended."""
        await self._uptime.count()
        while True:
            async with self._database.transaction() as session:
                done = await index_some(session, INDEXED_AT_ONCE)
            if done < INDEXED_AT_ONCE:
                return

    async def every_hour(self, local: datetime, *, first: bool = False) -> None:
        """Settle; apply the rules at night, and `first` of all: a server that is off at night has no other time.

        `local` is the server's own time of day.
        """
        await self._viewings.settle_left()
        if first or is_night(local):
            await self._deletions.apply_rules()

    async def _run(self) -> None:
        rounds = 0
        while True:
            try:
                await self.every_minute()
                if rounds % ROUNDS_AN_HOUR == 0:
                    await self.every_hour(self._clock().astimezone(), first=not rounds)
            except Problem as problem:
                _log.warning("recordings_not_kept", code=problem.code)
            except Exception:  # noqa: BLE001 - a night that fails must not be the last
                _log.exception("recordings_not_kept")
            rounds += 1
            await asyncio.sleep(MINUTE)
