"""`Recorder`: what signaling tells of a meeting's tracks, carried to the capture thread and back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from database import Clock
from recordings.capture.disk import sync_folder
from recordings.capture.segment import SegmentCapture
from recordings.capture.thread import CaptureThread, boot_id, monotonic_us
from recordings.capture.track import CaptureCounters
from recordings.events import RecordingStatus
from recordings.states import Failure, RecordingState
from recordings.tracks import PacketSource, Track, TrackSource

# Media at these rates fills a ring in about eight seconds: a 2.5 Mbit/s camera is 280 packets a second, Opus 50. A
# capture thread that a slow disk holds up for longer loses packets, which the tap counts.
_VIDEO_CAPACITY: Final = 2_048
_AUDIO_CAPACITY: Final = 512

_log = structlog.get_logger(__name__)


def tap_capacity(source: TrackSource) -> int:
    """How many packets the tap of such a track should hold."""
    return _VIDEO_CAPACITY if source.is_video else _AUDIO_CAPACITY


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a run of capture goes and whose it is."""

    folder: Path
    recording_id: str
    meeting_id: str
    started_at: datetime
    min_free_bytes: int


@dataclass(slots=True)
class _Bridge:
    """Hears the capture thread and answers on the event loop."""

    loop: asyncio.AbstractEventLoop
    on_failed: Callable[[Failure], None]
    closed: bool = field(default=False)

    def key_frame_wanted(self, source: PacketSource) -> None:
        self._call(source.request_key_frame)

    def source_done(self, source: PacketSource) -> None:
        self._call(source.close)

    def failed(self, failure: Failure) -> None:
        self._call(self.on_failed, failure)

    def _call(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self.loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            _log.info("capture_after_loop")  # the loop is closed: there is nobody left to tell


class Recorder:
    """Captures one meeting; made by `RecordingCenter.open`, ended by `RecordingCenter.finish`. On the event loop.

    Nothing here waits but `close`, and nothing raises: whatever the disk says comes out as a status.
    """

    def __init__(
        self,
        segment: Segment,
        thread: CaptureThread,
        counters: CaptureCounters,
        clock: Clock,
        on_status: Callable[[str, RecordingStatus], None],
    ) -> None:
        self.recording_id = segment.recording_id
        self.meeting_id = segment.meeting_id
        self.status = RecordingStatus(RecordingState.CAPTURING, segment.started_at)
        self._folder = segment.folder
        self._clock = clock
        self._thread = thread
        self._on_status = on_status
        self._bridge = _Bridge(asyncio.get_running_loop(), self._failed)
        self._capture: SegmentCapture | None = None  # belongs to the thread
        self._tracks: set[str] = set()
        self._closed = False
        thread.order(lambda: self._begin(segment, counters))

    @property
    def track_count(self) -> int:
        """Tracks given to capture and not closed."""
        return len(self._tracks)

    def track_added(self, track: Track) -> None:
        """Capture this producer; the recorder owns the tap from now on and closes it."""
        if self._closed or self.status.state is not RecordingState.CAPTURING:
            track.tap.close()
            return
        self._tracks.add(track.producer_id)
        now_us = monotonic_us()
        self._thread.order(lambda: self._add(track, now_us))
        if track.source.is_video and not track.paused:
            track.tap.request_key_frame()

    def track_refused(self, source: TrackSource, person_key: str, display_name: str, cause: str) -> None:
        """There is no tap for what somebody shows or says; `cause` is for people who know the system."""
        self._note(lambda capture, now_us: capture.lose(source, person_key, display_name, cause, now_us))

    def track_paused(self, producer_id: str) -> None:
        """The producer paused; unknown ones are ignored."""
        self._order(producer_id, lambda capture, now_us: capture.pause(producer_id, now_us))

    def track_resumed(self, producer_id: str) -> None:
        """It went on."""
        self._order(producer_id, lambda capture, now_us: capture.resume(producer_id, now_us))

    def track_closed(self, producer_id: str) -> None:
        """It is closed, by the client or with its transport."""
        self._order(producer_id, lambda capture, now_us: capture.remove(producer_id, now_us))
        self._tracks.discard(producer_id)

    def wished(self, person_key: str, *, hidden: bool) -> None:
        """The person asks not to be in the picture, or to be in it again; the last wish holds for the whole meeting."""
        self._note(lambda capture, now_us: capture.wish(person_key, now_us, hidden=hidden))

    def marked(self, at: datetime) -> None:
        """An item of the agenda has begun, `at` as the records have it."""
        self._note(lambda capture, now_us: capture.mark(at, now_us))

    async def close(self) -> None:
        """Write and close everything; returns when the files are whole and on the disk. Twice is harmless."""
        if self._closed:
            return
        self._closed = True
        self._tracks.clear()
        done = asyncio.get_running_loop().create_future()

        def end() -> None:
            try:
                if self._capture is not None:
                    self._thread.leave(self._capture)
                    self._capture.end(monotonic_us())
                    self._capture = None
            finally:
                self._bridge.loop.call_soon_threadsafe(_resolve, done)

        self._thread.order(end)
        await done
        try:
            await asyncio.to_thread(sync_folder, self._folder)
        except OSError as error:
            _log.warning("capture_not_synced", recording_id=self.recording_id, error=error.strerror)

    def _order(self, producer_id: str, work: Callable[[SegmentCapture, int], None]) -> None:
        if producer_id in self._tracks:
            self._note(work)

    def _note(self, work: Callable[[SegmentCapture, int], None]) -> None:
        now_us = monotonic_us()

        def run() -> None:
            if self._capture is not None:
                work(self._capture, now_us)

        if not self._closed:
            self._thread.order(run)

    def _begin(self, segment: Segment, counters: CaptureCounters) -> None:
        identity = {
            "recordingId": segment.recording_id,
            "meetingId": segment.meeting_id,
            "boot": boot_id(),
        }
        try:
            capture = SegmentCapture(
                segment.folder,
                identity,
                segment.started_at,
                self._clock,
                monotonic_us(),
                segment.min_free_bytes,
                self._thread.sync,
                self._bridge,
                counters,
            )
        except OSError as error:
            _log.exception("capture_not_begun", recording_id=self.recording_id)
            self._bridge.failed(Failure.of(error))
            return
        self._capture = capture
        self._thread.attend(capture)

    def _add(self, track: Track, now_us: int) -> None:
        if self._capture is None:
            self._bridge.source_done(track.tap)
        else:
            self._capture.add(track, now_us)

    def _failed(self, failure: Failure) -> None:
        if self.status.state is RecordingState.CAPTURING:
            self._tracks.clear()
            self.status = RecordingStatus(RecordingState.FAILED, self._clock(), failure)
            self._on_status(self.meeting_id, self.status)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
