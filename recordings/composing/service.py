"""`Compositions`: works on the queue for as long as the server runs."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, new_id
from errors import Problem
from recordings import jobs, repository
from recordings.apart import Apart
from recordings.captions.service import add_found, understood
from recordings.capture.journal import meeting_of
from recordings.compose.brief import Brief
from recordings.compose.report import Failed, Finished, Progress, Report
from recordings.composing.briefing import brief_of, standing_of
from recordings.composing.fetching import fetch
from recordings.composing.giving_up import outcome
from recordings.composing.process import run
from recordings.composing.room import NoRoom, Room
from recordings.events import RecordingStatus
from recordings.faults import is_full
from recordings.leases import ClaimLost, held
from recordings.losses import losses_out
from recordings.models import DETAIL_LENGTH, CompositionJob, Recording
from recordings.renditions import Rendition, chapters_out, renditions_out
from recordings.settings import RecordingSettings
from recordings.states import OF_CAPTURE, Failure, RecordingState
from recordings.storage.shelf import Shelf
from recordings.storage.store import StoreError

# Other nodes' jobs become due without a word to this one.
_POLL_SECONDS: Final = 10.0
# Progress is for people who look at a bar; the lease is renewed with it.
_PROGRESS_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 5.0
# Somebody has to make room first.
_FULL_SECONDS: Final = 300.0
# What took the memory, or kept the disk, has had time to end.
_PUT_OFF_SECONDS: Final = 60.0
_NO_WORD: Final = "nobody came back from the last attempt: it may end the server"

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class CompositionCounters:
    """Since the start."""

    running: int = 0
    waiting: int = 0  # as of the last look
    finished: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Share:
    """How much a composition has said that it has done, 0..1."""

    done: float = 0.0


class Compositions:
    """`start` begins to work, `stop` ends every process and gives its job back, `wake` tells of a new job."""

    def __init__(
        self,
        database: Database,
        settings: RecordingSettings,
        shelf: Shelf,
        clock: Clock,
        on_status: Callable[[str, RecordingStatus], None],
    ) -> None:
        self._database = database
        self._settings = settings
        self._shelf = shelf
        self._folders = shelf.folders
        self._clock = clock
        self._on_status = on_status
        self._room = Room(shelf.folders, settings)
        self._awake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.counters = CompositionCounters()
        self.apart = Apart("compose")

    async def start(self) -> None:
        """Begin. On SQLite this is the only node, so whatever was claimed before is free."""
        if self._database.is_sqlite:
            async with self._database.transaction() as session:
                await jobs.release_all(session, CompositionJob)
        self._tasks = [
            asyncio.create_task(self._work(), name="compositions") for _ in range(self._settings.workers)
        ]

    async def stop(self) -> None:
        """End; jobs that were begun are given back and begun anew by whoever comes next."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def wake(self) -> None:
        """There is something to do."""
        self._awake.set()

    async def _work(self) -> None:
        worker = new_id()
        while True:
            try:
                worked = await self._work_once(worker)
            except Problem as problem:
                _log.warning("composition_delayed", code=problem.code)
                worked = False
            except Exception:  # noqa: BLE001 - the queue goes on whatever one recording brings
                _log.exception("composition_supervisor_failed")
                worked = False
            if not worked:
                self._awake.clear()
                pause = await self._pause()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(
                        pause
                    ):  # wait_for loses a cancellation that comes with the event
                        await self._awake.wait()

    async def _pause(self) -> float:
        try:
            async with self._database.reading() as session:
                due = await repository.next_due(session)
        except Problem:
            return _POLL_SECONDS
        if due is None:
            return _POLL_SECONDS
        return max(0.1, min(_POLL_SECONDS, (due - self._clock()).total_seconds()))

    async def _work_once(self, worker: str) -> bool:
        async with self._database.transaction() as session:
            now = self._clock()
            job = await jobs.claim(session, CompositionJob, worker, now, self._lease)
            self.counters.waiting = await jobs.waiting(session, CompositionJob, now, self._lease)
        if job is None:
            return False
        self.counters.running += 1
        try:
            await self._attempt(job, worker)
        except ClaimLost:
            _log.info("composition_given_up", recording_id=job.recording_id)
        except asyncio.CancelledError:
            with contextlib.suppress(Problem):
                await asyncio.shield(self._give_back(job, worker))
            raise
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001 - not even that it failed is to be written down
            self.apart.note(job.recording_id, error)
            await self._give_back(job, worker, jobs.LONGEST_PAUSE)
        finally:
            self.counters.running -= 1
        return True

    async def _attempt(self, job: CompositionJob, worker: str) -> None:
        if job.attempts > self._settings.attempts:  # nobody came back to say how the last one went
            await self._fail(job.recording_id, worker, Failed(Failure.COMPOSITION_FAILED, _NO_WORD))
            return
        try:
            await self._compose(job, worker)
        except (ClaimLost, Problem):
            raise
        except Exception as error:  # noqa: BLE001 - nobody would come back from any later attempt either
            _log.exception("composition_supervisor_failed", recording_id=job.recording_id)
            report = Failed(Failure.COMPOSITION_FAILED, f"the supervisor: {type(error).__name__}")
            await self._fail(job.recording_id, worker, report)

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self._settings.lease_seconds)

    async def _compose(self, job: CompositionJob, worker: str) -> None:
        recording, brief = await self._brief(job)
        last: Report | None = None
        try:
            async with self._room.promised(recording, brief):
                last = await self._last_report(recording, job, worker, brief)
        except NoRoom as full:
            last = Failed(Failure.DISK_FULL, str(full))
        except StoreError as error:
            last = Failed(Failure.COMPOSITION_FAILED, f"the film is not to be had from the store: {error}")
        except OSError as error:
            failure = Failure.DISK_FULL if is_full(error) else Failure.COMPOSITION_FAILED
            last = Failed(failure, f"{type(error).__name__}: {error.strerror}")
        match last:
            case Finished():
                await self._finish(job.recording_id, worker, last)
            case Failed():
                await self._fail(job.recording_id, worker, last)

    async def _last_report(
        self, recording: Recording, job: CompositionJob, worker: str, brief: Brief
    ) -> Report | None:
        """What the process has said last; ClaimLost or NoRoom where it was ended before."""
        _log.info("composition_begun", recording_id=job.recording_id, attempt=job.attempts)
        progress = _Share()
        reports = run(self._folders.of(job.recording_id), self._settings.niceness, brief)
        last: Report | None = None
        async with self._renewing(job.recording_id, worker, progress), contextlib.aclosing(reports):
            if job.mends:
                await fetch(recording, self._shelf)
            async for report in reports:
                last = report
                if isinstance(report, Progress):
                    progress.done = report.share
        return last

    async def _brief(self, job: CompositionJob) -> tuple[Recording, Brief]:
        captured_of = await asyncio.to_thread(meeting_of, self._folders.segment(job.recording_id, 1))
        async with self._database.reading() as session:
            recording = await repository.get(session, job.recording_id)
            if recording is None:
                raise ClaimLost
            brief = await brief_of(session, recording, self._settings, captured_of)
        return recording, replace(brief, standing=standing_of(recording)) if job.mends else brief

    def _renewing(
        self, recording_id: str, worker: str, progress: "_Share"
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """Note progress, renew the lease and look at the disk by the clock, whatever the process says.

        What is done inside ends at once, with ClaimLost where the job is lost, and with NoRoom where capture needs what
        the disk has left.
        """

        async def renew() -> bool:
            noted = await self._note(recording_id, worker, progress.done)
            await self._room.require_rest()
            return noted

        return held(self._settings.lease_seconds, self._noting_seconds, renew)

    @property
    def _noting_seconds(self) -> float:
        return min(_PROGRESS_SECONDS, self._settings.lease_seconds / 3)

    async def _note(self, recording_id: str, worker: str, share: float) -> bool:
        """Write the progress down and renew the lease; False where the database is away."""
        try:
            async with self._database.transaction() as session:
                job, recording = await self._both(session, recording_id, worker)
                now = self._clock()
                job.lease_until = now + self._lease
                self.counters.waiting = await jobs.waiting(session, CompositionJob, now, self._lease)
                recording.progress = share
        except Problem as problem:
            _log.info("composition_progress_not_noted", code=problem.code)
            return False
        return True

    async def _finish(self, recording_id: str, worker: str, report: Finished) -> None:
        kept = await asyncio.to_thread(self._folders.kept_bytes, recording_id)
        captions = await asyncio.to_thread(understood, report.captions)
        async with self._database.transaction() as session:
            job, recording = await self._both(session, recording_id, worker)
            captured = recording.failure if recording.failure in OF_CAPTURE else None
            failure = captured or report.failure
            state = RecordingState.DAMAGED if failure else RecordingState.READY
            now = self._clock()
            repository.turn(recording, state, now, failure)
            if recording.version == 0:  # later officers may have taken them away
                await add_found(session, recording, captions, now)
            recording.progress, recording.version = 1.0, recording.version + 1
            recording.kept_bytes = kept
            outputs = report.outputs
            recording.duration_seconds, recording.size_bytes = report.duration, outputs.sizes[Rendition.FILM]
            recording.renditions = renditions_out(outputs)
            recording.chapters = chapters_out(outputs.chapters)
            recording.losses = losses_out(report.losses)
            await session.delete(job)
        self.counters.finished += 1
        with contextlib.suppress(Problem):
            await self._tidy(recording_id)
        say = _log.warning if failure else _log.info
        say(
            "composition_finished", recording_id=recording_id, state=state.value, failure=failure and failure.value,
            losses=[str(loss) for loss in report.losses],
        )  # fmt: skip
        self._tell(recording, RecordingStatus(state, now, failure))

    async def _tidy(self, recording_id: str) -> None:
        """Remove the composition's note of what it has made: the records know. Left over, it goes a day later.

        The row stays locked meanwhile: whoever has it composed anew begins afterwards.
        """
        async with self._database.transaction() as session:
            recording = await repository.get(session, recording_id, lock=True)
            if recording is not None and recording.state.settled:
                await asyncio.to_thread(self._folders.drop_work, recording_id)

    async def _fail(self, recording_id: str, worker: str, report: Failed) -> None:
        """Try again later, or say that it is not to be."""
        now = self._clock()
        async with self._database.transaction() as session:
            job, recording = await self._both(session, recording_id, worker)
            job.detail = report.detail[-DETAIL_LENGTH:]
            full = report.failure is Failure.DISK_FULL
            worth_another = (
                full
                or not report.counts
                or (report.failure is Failure.COMPOSITION_FAILED and job.attempts < self._settings.attempts)
            )
            all_anew = job.mends and report.failure is Failure.FILES_MISSING
            final = not (worth_another or all_anew)
            if final:
                state, failure, offered = await asyncio.to_thread(outcome, recording, report, self._folders)
                recording.renditions = offered
                repository.turn(recording, state, now, failure)
                await session.delete(job)
            elif all_anew:  # nobody watches what is replaced
                await repository.enqueue(session, recording, now)
            else:
                job.worker, job.lease_until = None, None
                job.attempts -= 1 if full or not report.counts else 0
                job.no_room_since = (job.no_room_since or now) if full else None
                job.not_before = now + timedelta(seconds=_pause_after(report))
        _log.warning(
            "composition_failed", recording_id=recording_id, failure=report.failure.value, final=final,
            detail=report.detail[-DETAIL_LENGTH:],
        )  # fmt: skip
        if final:
            self.counters.failed += 1
            self._tell(recording, RecordingStatus(recording.state, now, recording.failure))

    def _tell(self, recording: Recording, status: RecordingStatus) -> None:
        if recording.meeting_id is not None:
            self._on_status(recording.meeting_id, status)

    async def _give_back(self, job: CompositionJob, worker: str, pause: timedelta = timedelta()) -> None:
        """As if it had not been begun; nobody takes it before the pause is over."""
        async with self._database.transaction() as session:
            mine = await jobs.claimed(session, CompositionJob, job.recording_id, worker)
            if mine is not None:
                mine.worker, mine.lease_until = None, None
                mine.attempts -= 1
                mine.not_before = self._clock() + pause

    async def _both(
        self, session: AsyncSession, recording_id: str, worker: str
    ) -> tuple[CompositionJob, Recording]:
        job = await jobs.claimed(session, CompositionJob, recording_id, worker)
        recording = await repository.get(session, recording_id, lock=True)
        if job is None or recording is None:
            raise ClaimLost
        return job, recording


def _pause_after(report: Failed) -> float:
    """Seconds until another attempt."""
    if report.failure is Failure.DISK_FULL:
        return _FULL_SECONDS
    return _RETRY_SECONDS if report.counts else _PUT_OFF_SECONDS
