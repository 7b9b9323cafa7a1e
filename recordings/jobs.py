"""Jobs that wait in a table for whichever worker is free, of this node or another; a lease frees those of the dead.

One job a recording. The caller has the session.
"""

from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.models import CompositionJob
from recordings.storage.models import StorageJob

Job = TypeVar("Job", CompositionJob, StorageJob)


async def claim(
    session: AsyncSession, kind: type[Job], worker: str, now: datetime, lease: timedelta
) -> Job | None:
    """The job that has waited longest and that nobody is at, now this worker's; counts as an attempt."""
    query = (
        select(kind)
        .where(kind.not_before <= now, or_(kind.lease_until.is_(None), kind.lease_until <= now))
        .order_by(kind.queued_at, kind.recording_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = await session.scalar(query)
    if job is not None:
        job.worker, job.lease_until = worker, now + lease
        job.attempts += 1
    return job


async def waiting(session: AsyncSession, kind: type[Job], now: datetime) -> int:
    """How many nobody is at."""
    query = select(func.count()).select_from(kind)
    return await session.scalar(query.where(or_(kind.lease_until.is_(None), kind.lease_until <= now))) or 0


async def claimed(session: AsyncSession, kind: type[Job], recording_id: str, worker: str) -> Job | None:
    """The job if it is still this worker's, locked."""
    query = select(kind).where(kind.recording_id == recording_id, kind.worker == worker)
    return await session.scalar(query.with_for_update())


async def release_all(session: AsyncSession, kind: type[Job]) -> None:
    """Nobody is at any job: the only node has just started."""
    await session.execute(update(kind).values(worker=None, lease_until=None))
