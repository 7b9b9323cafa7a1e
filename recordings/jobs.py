"""Jobs that wait in a table for whichever worker is free, of this node or another; a lease frees those of the dead.

One job a recording. The caller has the session.
"""

from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.models import CompositionJob
from recordings.storage.models import StorageJob

LONGEST_PAUSE: Final = timedelta(minutes=10)
# Clocks of several nodes need not agree to the second.
_SKEW: Final = timedelta(minutes=5)

Job = TypeVar("Job", CompositionJob, StorageJob)


async def claim(
    session: AsyncSession,
    kind: type[Job],
    worker: str,
    now: datetime,
    lease: timedelta,
    *only: ColumnElement[bool],
) -> Job | None:
    """The job that has waited longest and that nobody is at, now this worker's; counts as an attempt.

    What a clock that was ahead has queued, put off or claimed is due when the clock is set right: nothing is put off
    longer than LONGEST_PAUSE, nor claimed longer than for a lease. It has waited longer than what was queued since.
    """
    due = or_(kind.not_before <= now, kind.not_before > now + LONGEST_PAUSE + _SKEW)
    query = (
        select(kind)
        .where(due, _is_free(kind, now, lease), *only)
        .order_by(kind.queued_at <= now, kind.queued_at, kind.recording_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = await session.scalar(query)
    if job is not None:
        job.worker, job.lease_until = worker, now + lease
        job.attempts += 1
    return job


async def waiting(session: AsyncSession, kind: type[Job], now: datetime, lease: timedelta) -> int:
    """How many nobody is at."""
    query = select(func.count()).select_from(kind).where(_is_free(kind, now, lease))
    return await session.scalar(query) or 0


async def claimed(session: AsyncSession, kind: type[Job], recording_id: str, worker: str) -> Job | None:
    """The job if it is still this worker's, locked."""
    query = select(kind).where(kind.recording_id == recording_id, kind.worker == worker)
    return await session.scalar(query.with_for_update())


async def release_all(session: AsyncSession, kind: type[Job]) -> None:
    """Nobody is at any job: the only node has just started."""
    await session.execute(update(kind).values(worker=None, lease_until=None))


def _is_free(kind: type[Job], now: datetime, lease: timedelta) -> ColumnElement[bool]:
    until = kind.lease_until
    return or_(until.is_(None), until <= now, until > now + lease + _SKEW)
