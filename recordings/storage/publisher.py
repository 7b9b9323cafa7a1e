"""`Publisher`: carries finished recordings to the remote store, and removed ones out of every store.

Several work on the same records. One that is sending a film hears late that it was deleted, when another has removed it
already: it has what it sent since then removed as well. Where it cannot, because it is gone, reconciliation does.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, new_id
from errors import Problem
from recordings import jobs
from recordings.apart import Apart
from recordings.folders import Folders
from recordings.leases import ClaimLost, held
from recordings.models import Recording
from recordings.renditions import FILE_NAMES, Rendition, content_type
from recordings.states import RecordingState
from recordings.stock import look_at_one
from recordings.storage import repository
from recordings.storage.ledger import DatabaseLedger
from recordings.storage.models import DETAIL_LENGTH, StorageJob, Task
from recordings.storage.settings import StorageSettings
from recordings.storage.shelf import ORIGINALS, Shelf
from recordings.storage.store import Fault, StoreError

_POLL_SECONDS: Final = 10.0
_FIRST_RETRY_SECONDS: Final = 10.0
_LONGEST_RETRY_SECONDS: Final = jobs.LONGEST_PAUSE.total_seconds()
_LEASE: Final = timedelta(seconds=120)
_RENEW_SECONDS: Final = 20.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class StorageCounters:
    """Since the start; `waiting` as of the last look."""

    published: int = 0
    removed: int = 0
    failed_attempts: int = 0
    sent_bytes: int = 0
    waiting: int = 0


class Publisher:
    """`start` begins to work, `stop` ends it, `wake` tells that there may be something to do.

    A job is tried until it succeeds, at growing distances: a store may be away for days, and nothing is lost meanwhile.
    Who deletes because the disk is full need not wait for films to be carried away: removals are done beside that.
    """

    def __init__(
        self,
        database: Database,
        folders: Folders,
        shelf: Shelf,
        settings: StorageSettings | None,
        clock: Clock,
        renew_seconds: float = _RENEW_SECONDS,
    ) -> None:
        self._database = database
        self._renew_seconds = renew_seconds
        self._folders = folders
        self._shelf = shelf
        self._settings = settings
        self._clock = clock
        self._awake = {task: asyncio.Event() for task in Task}
        self._tasks: list[asyncio.Task[None]] = []
        self.counters = StorageCounters()
        self.apart = Apart("store")

    async def start(self) -> None:
        """Begin. On SQLite this is the only node, so whatever was claimed before is free."""
        if self._database.is_sqlite:
            async with self._database.transaction() as session:
                await jobs.release_all(session, StorageJob)
        self._tasks = [asyncio.create_task(self._work(task), name=f"storage_{task.value}") for task in Task]

    async def stop(self) -> None:
        """End; what was begun is resumed by the next start."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def wake(self) -> None:
        """There may be something to do."""
        for awake in self._awake.values():
            awake.set()

    async def _work(self, task: Task) -> None:
        awake = self._awake[task]
        if self._shelf.remote is not None and task is Task.PUBLISH:
            try:
                await self._shelf.remote.check()
            except StoreError as error:  # meetings do not wait for an archive
                _log.error(
                    "store_unusable", fault=error.fault.value, detail=error.detail, remedy=error.remedy
                )
        while True:
            awake.clear()
            try:
                worked = await self.work_once(task)
            except Problem as problem:
                _log.warning("storage_delayed", code=problem.code)
                worked = False
            except Exception:  # noqa: BLE001 - the queue goes on whatever one recording brings
                _log.exception("publisher_failed")
                worked = False
            if not worked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(
                        _POLL_SECONDS
                    ):  # wait_for loses a cancellation that comes with the event
                        await awake.wait()

    async def work_once(self, task: Task) -> bool:
        """Take one job and see it through; answers whether there was one."""
        job = await self._take(task)
        if job is None:
            return False
        try:
            async with held(_LEASE.total_seconds(), self._renew_seconds, partial(self._renew, job)):
                await (self._publish if job.task is Task.PUBLISH else self._remove)(job)
        except ClaimLost:
            await self._give_up(job)
        except StoreError as error:
            await self._retry(job, error)
        except OSError as error:
            await self._retry(job, StoreError(Fault.MISSING, error.strerror or str(error)))
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001 - the queue goes on whatever one recording brings
            self.apart.note(job.recording_id, error)
            await self._retry(job, StoreError(Fault.REFUSED, type(error).__name__))
        return True

    async def _take(self, task: Task) -> StorageJob | None:
        now = self._clock()
        async with self._database.transaction() as session:
            if self._shelf.remote is not None and task is Task.PUBLISH:
                await repository.enqueue_unpublished(session, now)
            job = await jobs.claim(session, StorageJob, new_id(), now, _LEASE, StorageJob.task == task)
            self.counters.waiting, _ = await repository.waiting(session)
        return job

    async def _publish(self, job: StorageJob) -> None:
        remote = self._shelf.remote
        async with self._database.reading() as session:
            recording = await session.get(Recording, job.recording_id)
        if recording is None or remote is None:
            await self._finish(job)
            return
        if recording.state is RecordingState.DELETED:
            raise ClaimLost
        if not (
            recording.state.playable and recording.state.settled
        ):  # it is, when what is made of it stands
            await self._finish(job)
            return
        _require(
            (await look_at_one(recording, self._shelf)).lost, Fault.MISSING
        )  # nobody is to get less for all
        ledger = DatabaseLedger(self._database, self._count)
        there = {entry.key: entry.size async for entry in remote.entries(f"{recording.id}/")}
        for key, path, size in await asyncio.to_thread(self._files, recording):
            if there.get(key) != size:
                await remote.put(key, path, content_type(path.name), ledger)
        stock = await look_at_one(recording, self._shelf)
        _require([one for one in stock.wanted if not stock.is_there(one)], Fault.CORRUPTED)
        if await self._note_stored(job, recording.version):
            await self._tidy(recording)
            await self._finish(job)
            self.counters.published += 1
            _log.info("recording_published", recording_id=recording.id, version=recording.version)

    def _files(self, recording: Recording) -> list[tuple[str, Path, int]]:
        """What is to be in the store: its key there, and the file and its bytes here."""
        files = [
            (self._shelf.remote_key(recording.id, recording.version, name), path)
            for name, path in self._folders.finished(recording.id)
        ]
        if self._settings is not None and self._settings.archive_originals:
            files += [
                (f"{recording.id}/{ORIGINALS}/{name}", path)
                for name, path in self._folders.originals(recording.id)
            ]
        return [(key, path, path.stat().st_size) for key, path in files]

    async def _tidy(self, recording: Recording) -> None:
        """Earlier versions leave the store; the local copy goes where the operator wants that."""
        remote = self._shelf.remote
        if remote is None:
            return
        keep = (self._shelf.remote_key(recording.id, recording.version, ""), f"{recording.id}/{ORIGINALS}/")
        old = {
            "/".join(entry.key.split("/")[:2]) + "/"
            async for entry in remote.entries(f"{recording.id}/")
            if not entry.key.startswith(keep)
        }
        for prefix in sorted(old):
            await remote.delete(prefix)
        if not self._shelf.keeps_local:
            await self._drop_local(recording)

    async def _drop_local(self, stored: Recording) -> None:
        """Unless the recording was composed anew meanwhile: the film that lies here then is nowhere else yet.

        Nor while that goes on. What it leaves is published, or goes when reconciliation finds it here.
        """
        async with self._database.transaction() as session:
            recording = await session.get(Recording, stored.id, with_for_update=True)
            if recording is None or recording.version != stored.version:
                return
            if recording.state.playable and recording.state.settled:  # and nothing is made of what lies here
                await asyncio.to_thread(self._folders.drop_finished, stored.id)

    async def _remove(self, job: StorageJob) -> None:
        deleted = 0
        for store in self._shelf.stores:
            deleted += await store.delete(f"{job.recording_id}/")
        async with self._database.transaction() as session:
            await repository.forget_uploads(session, f"{job.recording_id}/")
            mine = await self._claimed(session, job)
            if mine is not None:
                await session.delete(mine)
        self.counters.removed += 1
        _log.info("recording_files_removed", recording_id=job.recording_id, files=deleted)

    async def _note_stored(self, job: StorageJob, version: int) -> bool:
        """Write it down; False where the recording was composed anew meanwhile, and is published again."""
        async with self._database.transaction() as session:
            recording = await session.get(Recording, job.recording_id, with_for_update=True)
            mine = await self._mine(session, job)
            if recording is not None and version != recording.version:
                mine.worker, mine.lease_until = None, None
                return False
            if recording is not None:
                recording.stored_version = version
        return True

    async def _finish(self, job: StorageJob) -> None:
        """After everything else: what a crash has left undone is done by the next attempt."""
        async with self._database.transaction() as session:
            await session.delete(await self._mine(session, job))

    async def _claimed(self, session: AsyncSession, job: StorageJob) -> StorageJob | None:
        """The job if nobody has it but who took it, locked."""
        return await jobs.claimed(session, StorageJob, job.recording_id, job.worker or "")

    async def _mine(self, session: AsyncSession, job: StorageJob) -> StorageJob:
        mine = await self._claimed(session, job)
        if mine is None:
            raise ClaimLost
        return mine

    async def _give_up(self, job: StorageJob) -> None:
        """The claim is another's. What was sent of a recording that was deleted meanwhile leaves the store again."""
        async with self._database.transaction() as session:
            recording = await session.get(Recording, job.recording_id, with_for_update=True)
            deleted = recording is None or recording.state is RecordingState.DELETED
            if deleted and job.task is Task.PUBLISH:
                await repository.remove_soon(session, job.recording_id, self._clock())
        _log.info("storage_job_given_up", recording_id=job.recording_id, deleted=deleted)

    async def _retry(self, job: StorageJob, error: StoreError) -> None:
        self.counters.failed_attempts += 1
        pause = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(job.attempts - 1, 10))
        async with self._database.transaction() as session:
            mine = await self._claimed(session, job)
            if mine is not None:
                mine.worker, mine.lease_until = None, None
                mine.not_before = self._clock() + timedelta(seconds=pause)
                mine.fault, mine.detail = error.fault, error.detail[-DETAIL_LENGTH:]
        if mine is None:
            await self._give_up(job)
            return
        _log.warning(
            "storage_failed", recording_id=job.recording_id, task=job.task.value, fault=error.fault.value,
            detail=error.detail, remedy=error.remedy, again_in_seconds=round(pause),
        )  # fmt: skip

    async def _renew(self, job: StorageJob) -> bool:
        """Keep the claim for another lease; False where the database is away, ClaimLost where it is another's."""
        try:
            async with self._database.transaction() as session:
                (await self._mine(session, job)).lease_until = self._clock() + _LEASE
        except Problem as problem:
            _log.info("storage_lease_not_renewed", code=problem.code)
            return False
        return True

    def _count(self, size: int) -> None:
        self.counters.sent_bytes += size


def _require(lacking: Sequence[Rendition], fault: Fault) -> None:
    """StoreError where something of the film is not whole."""
    if lacking:
        raise StoreError(fault, "not whole: " + ", ".join(FILE_NAMES[one] for one in lacking))
