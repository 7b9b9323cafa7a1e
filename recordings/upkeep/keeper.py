"""`Keeper`: what is done for recordings in the background, in small pieces, by any node."""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from database import Clock, Database
from errors import Problem
from recordings.apart import Apart
from recordings.searching.index import index_some, to_index
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.retention import is_night
from recordings.upkeep.uptime import UptimeCounter
from recordings.viewing.service import Viewings

MINUTE: Final = 60.0
HOUR: Final = 3600.0
INDEXED_AT_ONCE: Final = 20
# What failed comes again sooner than in an hour, and fills no log.
_AGAIN_SECONDS: Final = 300.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Step:
    """One piece of the work, every so many seconds of the monotonic clock; what becomes of the others is not its."""

    name: str
    work: Callable[[], Awaitable[object]]
    every: float
    due: float = -math.inf


class Keeper:
    """Counts the time and indexes what has ended every minute, settles every hour, applies the rules at night.

    `monotonic` is in seconds; the night is the server's own.
    """

    def __init__(
        self,
        database: Database,
        deletions: Deletions,
        viewings: Viewings,
        uptime: UptimeCounter,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._deletions = deletions
        self._clock = clock
        self._monotonic = monotonic
        self._steps = (
            _Step("count_time", uptime.count, MINUTE),
            _Step("index", self._index, MINUTE),
            _Step("settle", viewings.settle_left, HOUR),
            _Step("apply_rules", self._apply_rules, HOUR),
        )
        self._applied = False  # since the start
        self._indexing = Apart("index")
        self._viewings = viewings
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

    def unkept(self) -> dict[str, int]:
        """By step, how often something went wrong with a recording that the others went well without."""
        parts = (self._indexing, self._viewings.apart, self._deletions.apart)
        return {apart.step: apart.failures for apart in parts}

    async def do_what_is_due(self) -> None:
        """Each step by itself: one that fails is tried again within minutes, and keeps no other from being done."""
        for step in self._steps:
            now = self._monotonic()
            if now < step.due:
                continue
            step.due = now + step.every
            try:
                await step.work()
            except Problem as problem:
                _log.warning("recordings_not_kept", step=step.name, code=problem.code)
            except Exception:  # noqa: BLE001 - a night that fails must not be the last
                _log.exception("recordings_not_kept", step=step.name)
            else:
                continue
            step.due = now + min(step.every, _AGAIN_SECONDS)

    async def _index(self) -> None:
        last = ""
        while True:
            async with self._database.reading() as session:
                ids = await to_index(session, last, INDEXED_AT_ONCE)
            if not ids:
                return
            await self._indexing.many(ids, self._index_some)
            last = ids[-1]

    async def _index_some(self, recording_ids: Sequence[str]) -> list[str]:
        async with self._database.transaction() as session:
            return await index_some(session, recording_ids)

    async def _apply_rules(self) -> None:
        """At night, and once with the start: a server that is off at night has no other time."""
        if self._applied and not is_night(self._clock().astimezone()):
            return
        await self._deletions.apply_rules()
        self._applied = True

    async def _run(self) -> None:
        while True:
            await self.do_what_is_due()
            await asyncio.sleep(MINUTE)
