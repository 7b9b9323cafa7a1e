"""`RecordingCenter`: the whole of recording as one object, built once by server.py."""

import asyncio
import contextlib
import functools
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from errors import Problem
from recordings import repository
from recordings.capture.disk import try_out
from recordings.capture.journal import began_at
from recordings.capture.recorder import Recorder, Segment
from recordings.capture.thread import CaptureThread, boot_id, monotonic_us
from recordings.capture.track import CaptureCounters
from recordings.compose.fonts import find_font
from recordings.composing.service import Compositions
from recordings.events import RecordingListener, RecordingStatus
from recordings.folders import Folders
from recordings.models import Recording
from recordings.reconciliation import Reconciled, Reconciliation
from recordings.resumption import Resumption
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.storage.publisher import Publisher
from recordings.storage.shelf import Shelf
from recordings.views import RecordingStatistics
from recordings.wishes import Wishes
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingState

# By less than this the server's clock parts from the monotonic one by itself: it is being put right little by little.
_CLOCK_SET: Final = timedelta(seconds=5)

_log = structlog.get_logger(__name__)


class RecordingCenter:
    """Opens and finishes recorders, composes in the background, keeps the records of both."""

    def __init__(self, database: Database, settings: RecordingSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._folders = Folders(settings.folder)
        self._listener: RecordingListener | None = None
        self._thread = CaptureThread()
        self._counters = CaptureCounters()
        self._failed_captures = 0
        self._recorders: dict[str, Recorder] = {}
        self._opening = asyncio.Lock()
        self._resumption = Resumption(settings.resume_seconds)
        self.shelf = Shelf(settings.folder, settings.storage)
        self._compositions = Compositions(database, settings, self.shelf, clock, self._tell)
        self.wishes = Wishes(database, clock)
        self._publisher = Publisher(database, self._folders, self.shelf, settings.storage, clock)
        self._reconciliation = Reconciliation(
            database, self._folders, self.shelf, clock, self._recorders.__contains__
        )
        self._background: set[asyncio.Task[None]] = set()
        self._hourly: asyncio.Task[None] | None = None

    def set_listener(self, listener: RecordingListener) -> None:
        """Who is told of every state that a recording comes into."""
        self._listener = listener

    async def start(self) -> None:
        """See to what a crash has left, then compose, and look at all recordings now and every hour.

        OSError where the folder cannot be made.
        """
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        if await asyncio.to_thread(find_font) is None:
            _log.warning(
                "chinese_font_missing", remedy="install a font with Chinese characters: fonts-noto-cjk"
            )
        self._thread.start()
        await self._reconciliation.catch_up()
        await self._compositions.start()
        await self._publisher.start()
        self._hourly = asyncio.create_task(self._reconcile_hourly(), name="reconcile_recordings")

    async def stop(self) -> None:
        """Close every file and end every composing process; what is live goes on as a further segment."""
        if self._hourly is not None:
            self._hourly.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._hourly
        await self._compositions.stop()
        await self._publisher.stop()
        await self._resumption.stop()
        await self.shelf.close()
        for recorder in list(self._recorders.values()):
            await recorder.close()
        self._recorders.clear()
        while self._background:
            await asyncio.wait(self._background)
        await asyncio.to_thread(self._thread.stop)

    async def open(self, meeting_id: str) -> Recorder | None:
        """The meeting's recorder, begun now if it is not running; None for a meeting that is not recorded.

        A meeting that was cut off by a crash goes on as a further segment. So it does by itself when a disk that was
        full or failed takes files again: the listener is told `capturing` anew, and asks here for the recorder of that.
        """
        async with self._opening:
            if meeting_id in self._recorders:
                return self._recorders[meeting_id]
            return await self._record(meeting_id)

    async def finish(self, meeting_id: str) -> None:
        """The meeting has ended: close its files and have them composed. Harmless for one that is not recorded.

        Problem UNAVAILABLE where the database is; reconciliation makes up for it then.
        """
        async with self._opening:
            await self._resumption.end(meeting_id)
            recorder = self._recorders.get(meeting_id)
        kept, began = 0, None  # where this process captured nothing, composition will say
        if recorder is not None:
            await recorder.close()
            self._recorders.pop(meeting_id, None)
            kept = await asyncio.to_thread(self._folders.kept_bytes, recorder.recording_id)
            began = await asyncio.to_thread(self._began_at, recorder.recording_id)
        async with self._database.transaction() as session:
            recording = await repository.of_meeting(session, meeting_id, lock=True)
            if recording is None or recording.state is RecordingState.DELETED:
                return
            if recording.ended_at is not None and recorder is None:
                return
            # Where somebody has put it into the queue already, that was before these files were whole: once more.
            now = self._clock()
            recording.ended_at = now
            recording.kept_bytes = max(kept, recording.kept_bytes)
            if began is not None and abs(began - recording.started_at) > _CLOCK_SET:
                recording.started_at = began
            if recorder is not None and recorder.status.reason is not None:
                recording.failure = recorder.status.reason  # the disk may have been too full to note it
            await repository.enqueue(session, recording, now)
        _log.info("recording_ended", recording_id=recording.id)
        self._tell(meeting_id, RecordingStatus(RecordingState.COMPOSING, now))
        self._compositions.wake()

    async def reconcile(self) -> Reconciled:
        """See `recordings.reconciliation`."""
        found = await self._reconciliation.run()
        self._compositions.wake()
        self._publisher.wake()
        return found

    def wake(self) -> None:
        """Something is to be composed, or removed (`recordings.storage.repository.remove_soon`): begin now."""
        self._compositions.wake()
        self._publisher.wake()

    def unkept(self) -> dict[str, int]:
        """By step, how often something went wrong with a recording that the others went well without."""
        parts = (self._reconciliation.apart, self._compositions.apart, self._publisher.apart)
        return {apart.step: apart.failures for apart in parts}

    def statistics(self) -> RecordingStatistics:
        """Gauges and counters for /metrics."""
        capture, compositions = self._counters, self._compositions.counters
        storage = self._publisher.counters
        stopped = sum(one.status.state is RecordingState.FAILED for one in self._recorders.values())
        return RecordingStatistics(
            capturing_meetings=len(self._recorders) - stopped,
            capturing_tracks=sum(recorder.track_count for recorder in self._recorders.values()),
            captured_packets=capture.packets,
            captured_bytes=capture.bytes,
            lost_packets=capture.lost,
            overflowed_packets=capture.overflowed,
            malformed_packets=capture.malformed + capture.foreign,
            failed_captures=self._failed_captures,
            stopped_captures=stopped,
            running_compositions=compositions.running,
            waiting_compositions=compositions.waiting,
            finished_compositions=compositions.finished,
            failed_compositions=compositions.failed,
            storage_waiting=storage.waiting,
            storage_published=storage.published,
            storage_removed=storage.removed,
            storage_failed_attempts=storage.failed_attempts,
            storage_sent_bytes=storage.sent_bytes,
        )

    async def _record(self, meeting_id: str) -> Recorder | None:
        segment = await self._begin(meeting_id)
        if segment is None:
            return None
        recorder = Recorder(segment, self._thread, self._counters, self._clock, self._on_recorder)
        self._recorders[meeting_id] = recorder
        _log.info("recording_begun", recording_id=recorder.recording_id, segment=segment.folder.name)
        self._tell(meeting_id, recorder.status)
        return recorder

    async def _begin(self, meeting_id: str) -> Segment | None:
        async with self._database.transaction() as session:
            meeting = await repository.recorded_meeting(session, meeting_id)
            if meeting is None or meeting.state in {MeetingState.ENDED, MeetingState.CANCELLED}:
                return None
            recording = await self._recording(session, meeting)
            if recording is None:
                return None
            # A folder without a row is possible: a full disk may have refused the row.
            last = await asyncio.to_thread(self._folders.last_segment, recording.id)
            recording.segments = max(recording.segments, last) + 1
        return Segment(
            self._folders.segment(recording.id, recording.segments),
            recording.id,
            meeting_id,
            self._clock(),
            self._settings.min_free_bytes,
        )

    async def _recording(self, session: AsyncSession, meeting: Meeting) -> Recording | None:
        """The meeting's, which is captured from now on; None where somebody has deleted it."""
        now = self._clock()
        recording = await repository.of_meeting(session, meeting.id, lock=True)
        if recording is None:
            return repository.add(session, meeting, now)
        if recording.state is RecordingState.DELETED:
            return None
        await repository.drop_job(session, recording.id)
        if recording.state is not RecordingState.CAPTURING:
            repository.turn(recording, RecordingState.CAPTURING, now, recording.failure)
        recording.ended_at = None
        return recording

    def _began_at(self, recording_id: str) -> datetime | None:
        """When the first segment began by what the clock shows now, which may have been set since."""
        first = self._folders.segment(recording_id, 1)
        return began_at(first, boot_id(), self._clock(), monotonic_us())

    def _on_recorder(self, meeting_id: str, status: RecordingStatus) -> None:
        """A disk refused: say so at once, write it down as soon as may be, and go on when it takes files again."""
        self._failed_captures += 1
        self._tell(meeting_id, status)
        self._start(self._note_failure(meeting_id, status))
        self._resumption.begin(meeting_id, functools.partial(self._try_again, meeting_id))

    async def _try_again(self, meeting_id: str) -> bool:
        """Whether there is nothing more to try."""
        failed = self._recorders.get(meeting_id)
        if failed is None:
            return True
        try:
            await asyncio.to_thread(
                try_out, self._folders.of(failed.recording_id), self._settings.min_free_bytes
            )
            async with self._opening:
                await failed.close()
                await self._record(meeting_id)
        except (OSError, Problem):
            return False
        return True

    async def _note_failure(self, meeting_id: str, status: RecordingStatus) -> None:
        try:
            async with self._database.transaction() as session:
                recording = await repository.of_meeting(session, meeting_id, lock=True)
                recorder = self._recorders.get(meeting_id)
                goes_on = recorder is not None and recorder.status != status
                if recording is not None and recording.state is RecordingState.CAPTURING and not goes_on:
                    repository.turn(recording, status.state, status.since, status.reason)
        except Problem as problem:
            _log.warning("recording_failure_not_noted", code=problem.code)  # `finish` notes it too

    def _tell(self, meeting_id: str, status: RecordingStatus) -> None:
        if status.state.playable:
            self._publisher.wake()
        if self._listener is not None:
            self._listener.on_recording_event(meeting_id, status)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _reconcile_hourly(self) -> None:
        while True:
            try:
                await self.reconcile()
            except Problem as problem:
                _log.warning("recordings_not_reconciled", code=problem.code)
            except Exception:  # noqa: BLE001 - a disk that does not answer now may in an hour
                _log.exception("recordings_not_reconciled")
            await asyncio.sleep(self._settings.reconcile_seconds)
