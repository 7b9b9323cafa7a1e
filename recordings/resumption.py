"""Trying again what a disk refused, until it is done or nobody wants it any more."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

# A disk on which room is made and used up again and again is not to cost a segment every few seconds.
_LONGEST_SECONDS: Final = 60.0

_log = structlog.get_logger(__name__)


class Resumption:
    """One attempt after the other for each key; those of a key that comes again are twice as far apart each time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begun: dict[str, int] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, key: str, attempt: Callable[[], Awaitable[bool]]) -> None:
        """Call `attempt` after a while, and until it answers that there is nothing more to try.

        One that raises is made again, and what the first raised is logged.
        """
        begun = self._begun[key] = self._begun.get(key, -1) + 1
        seconds = min(_LONGEST_SECONDS, self._seconds * 2**begun)
        self._tasks[key] = asyncio.create_task(_until_done(key, attempt, seconds), name="resume_recording")

    async def end(self, key: str) -> None:
        """Nobody wants it any more; returns when nothing is being tried."""
        self._begun.pop(key, None)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def stop(self) -> None:
        """The same of all."""
        for key in list(self._tasks):
            await self.end(key)


async def _until_done(key: str, attempt: Callable[[], Awaitable[bool]], seconds: float) -> None:
    done = told = False
    while not done:
        await asyncio.sleep(seconds)
        try:
            done = await attempt()
        except Exception:  # noqa: BLE001 - whatever it is, without another attempt nothing more would be captured
            if not told:
                _log.exception("recording_not_resumed", meeting_id=key)
            told = True
