"""Every query about storage jobs and unfinished uploads. The caller has the session."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.models import Recording
from recordings.states import RecordingState
from recordings.storage.models import StorageJob, StoredPart, StoredUpload, Task
from recordings.storage.store import Fault

_AT_ONCE = 500


async def remove_soon(session: AsyncSession, recording_id: str, now: datetime) -> None:
    """Have every file of a recording removed from every store; in the transaction that deletes the recording."""
    await _enqueue(session, recording_id, Task.REMOVE, now)


async def enqueue_unpublished(session: AsyncSession, now: datetime) -> int:
    """Have everything published that is playable and not wholly in the remote store; answers how many are new."""
    query = (
        select(Recording.id)
        .outerjoin(StorageJob, StorageJob.recording_id == Recording.id)
        .where(
            Recording.state.in_([RecordingState.READY, RecordingState.DAMAGED]),
            Recording.stored_version < Recording.version,
            StorageJob.recording_id.is_(None),
        )
        .limit(_AT_ONCE)
        .with_for_update(of=Recording, skip_locked=True)  # one that is being deleted is not published
    )
    ids = (await session.scalars(query)).all()
    for recording_id in ids:
        await _enqueue(session, recording_id, Task.PUBLISH, now)
    return len(ids)


async def left_behind(session: AsyncSession, names: Iterable[str]) -> list[str]:
    """The ids of deleted recordings that are among the names, or have an upload unfinished, and wait for no removal."""
    unfinished = await session.scalars(select(StoredUpload.key))
    there = {*names, *(key.partition("/")[0] for key in unfinished)}
    query = (
        select(Recording.id)
        .outerjoin(StorageJob, StorageJob.recording_id == Recording.id)
        .where(Recording.state == RecordingState.DELETED, StorageJob.recording_id.is_(None))
        .execution_options(yield_per=_AT_ONCE)
    )
    return [each async for each in await session.stream_scalars(query) if each in there]


async def waiting(session: AsyncSession) -> tuple[int, Sequence[Fault]]:
    """How many jobs there are, and what the last attempts of those that failed met with."""
    count = await session.scalar(select(func.count()).select_from(StorageJob))
    faults = await session.scalars(select(StorageJob.fault).where(StorageJob.fault.is_not(None)).distinct())
    return count or 0, [fault for fault in faults if fault is not None]


async def upload(session: AsyncSession, key: str, *, lock: bool = False) -> StoredUpload | None:
    """An unfinished upload to a key."""
    return await session.get(StoredUpload, key, with_for_update=lock or None)


async def parts(session: AsyncSession, key: str) -> Sequence[StoredPart]:
    """What is known to have arrived of an unfinished upload."""
    return (await session.scalars(select(StoredPart).where(StoredPart.key == key))).all()


async def forget_uploads(session: AsyncSession, prefix: str) -> None:
    """Nothing is left of uploads under a prefix."""
    await session.execute(delete(StoredUpload).where(StoredUpload.key.startswith(prefix, autoescape=True)))


async def _enqueue(session: AsyncSession, recording_id: str, task: Task, now: datetime) -> None:
    job = await session.get(StorageJob, recording_id, with_for_update=True)
    if job is None:
        job = StorageJob(recording_id=recording_id, queued_at=now)
        session.add(job)
    job.task, job.not_before, job.attempts = task, now, 0
    job.worker = job.lease_until = job.fault = None
