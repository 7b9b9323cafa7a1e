"""Attempts at composing: their processes, and what the records keep of each."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from database import Database
from recordings import jobs
from recordings.models import CompositionJob, Recording
from recordings.settings import RecordingSettings
from tests.factories import FakeClock
from tests.patience import PATIENCE_SECONDS
from tests.recordings.conftest import GLANCE_SECONDS, until

# A process that takes its brief and says nothing, as while hours of parts are joined.
SILENT: Final = [sys.executable, "-c", "import sys; sys.stdin.buffer.read()", "recordings.compose"]


def children() -> set[int]:
    """The composing processes of this one."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if status[0] != "Z" and b"recordings.compose" in words and int(status[1]) == os.getpid():
                found.add(int(entry.name))
    return found


async def a_child() -> int:
    """Wait until there is one."""
    await until(lambda: bool(children()))
    return children().pop()


async def job_of(database: Database, row: Recording) -> CompositionJob:
    """What the records say of a recording's composition."""
    async with database.reading() as session:
        return await session.get_one(CompositionJob, row.id)


async def job_that(
    holds: Callable[[CompositionJob], bool], database: Database, row: Recording
) -> CompositionJob:
    """Wait until they say that."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds(job := await job_of(database, row)):  # noqa: ASYNC110 - the records have no event to wait for
            await asyncio.sleep(GLANCE_SECONDS)
    return job


async def put_off(database: Database, row: Recording, now: datetime) -> datetime:
    """Wait until the attempt that is due has been put off; answers until when."""
    return (await job_that(lambda job: job.not_before > now, database, row)).not_before


async def use_up(database: Database, settings: RecordingSettings, clock: FakeClock) -> None:
    """Nobody comes back from any attempt, as where each ends the server: no claim is ever given back."""
    for _ in range(settings.attempts):
        async with database.transaction() as session:
            assert await jobs.claim(session, CompositionJob, "a" * 32, clock(), timedelta(seconds=60))
        clock.advance(61)
