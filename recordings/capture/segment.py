"""One unbroken run of capture of one meeting: its tracks, its journal, and the end of both."""

import errno
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from database import Clock
from recordings.capture.codecs.registry import find_codec
from recordings.capture.disk import require_room
from recordings.capture.journal import VERSION, Journal
from recordings.capture.track import CaptureCounters, TrackCapture
from recordings.states import Failure
from recordings.tracks import PacketSource, Track, TrackSource

# How soon a full disk, and one that fails, are noticed though hardly anything is written: a second each.
_FREE_CHECK_US: Final = 1_000_000
_SYNC_US: Final = 1_000_000
# By more than this the server's clock does not part from the monotonic one by itself within seconds: it was set.
_CLOCK_SET: Final = timedelta(seconds=0.5)

_log = structlog.get_logger(__name__)


Sync = Callable[[Path, Callable[[OSError | None], None]], None]
"""Gives a file to the disk itself and says, on the capture thread, what the disk said."""


class SegmentListener(Protocol):
    """Called on the capture thread."""

    def key_frame_wanted(self, source: PacketSource) -> None:
        """Pictures are being dropped until one comes."""

    def source_done(self, source: PacketSource) -> None:
        """Nobody drains it any more."""

    def failed(self, failure: Failure) -> None:
        """The disk refuses; everything is closed."""


class SegmentCapture:
    """Made and used on the capture thread alone. Nothing here raises but the constructor (OSError)."""

    def __init__(
        self,
        folder: Path,
        identity: dict[str, str],
        started_at: datetime,
        clock: Clock,
        now_us: int,
        min_free_bytes: int,
        sync: Sync,
        listener: SegmentListener,
        counters: CaptureCounters,
    ) -> None:
        self._folder = folder
        self._sync = sync
        self._min_free_bytes = min_free_bytes
        self._listener = listener
        self._counters = counters
        self._tracks: dict[str, TrackCapture] = {}
        self._count = 0
        self._checked_us: int | None = None
        self._synced_us = now_us
        self._syncing = False
        self._clock = clock
        self._told = (started_at, now_us)  # what the clock showed when
        self._ended = False
        folder.mkdir(parents=True)
        self._journal = Journal(folder)
        self._journal.add("segment", version=VERSION, **identity, startedAt=started_at.isoformat(), us=now_us)
        self._journal.flush()

    @property
    def track_count(self) -> int:
        """Tracks being captured."""
        return len(self._tracks)

    def add(self, track: Track, now_us: int) -> None:
        """Capture a track from now on; one that cannot be captured is given back and noted."""
        if self._ended or track.producer_id in self._tracks:
            self._listener.source_done(track.tap)
            return
        codec = find_codec(track.tap.codec)
        if codec is None:
            _log.warning("capture_codec_unknown", producer_id=track.producer_id, codec=track.tap.codec)
            cause = f"{track.tap.codec} cannot be captured"
            self.lose(track.source, track.person_key, track.display_name, cause, now_us)
            self._listener.source_done(track.tap)
            return
        self._count += 1
        capture = TrackCapture(self._count, track, codec, self._folder, self._journal, self._counters)
        self._tracks[track.producer_id] = capture
        self._journal.add(
            "track",
            track=capture.number,
            file=capture.file_name,
            codec=codec.name,
            clockRate=track.tap.clock_rate,
            source=track.source.value,
            producerId=track.producer_id,
            peerId=track.peer_id,
            memberId=track.member_id,
            personKey=track.person_key,
            displayName=track.display_name,
            paused=track.paused,
            us=now_us,
        )

    def lose(self, source: TrackSource, person_key: str, display_name: str, cause: str, now_us: int) -> None:
        """Note what the person shows or says of which nothing can be captured: nobody is to take the film for whole."""
        self._count += 1
        self._note_loss(self._count, source, person_key, display_name, cause, now_us)

    def wish(self, person_key: str, now_us: int, *, hidden: bool) -> None:
        """Somebody asks not to be in the picture, or to be in it again."""
        self._journal.add("picture", personKey=person_key, hidden=hidden, us=now_us)

    def mark(self, at: datetime, now_us: int) -> None:
        """An item of the agenda began, `at` by the server's clock, which may be set meanwhile; `now_us` is never."""
        self._journal.add("mark", at=at.isoformat(), us=now_us)

    def pause(self, producer_id: str, now_us: int) -> None:
        """The publisher paused."""
        capture = self._tracks.get(producer_id)
        if capture is None:
            return
        self._drain(capture, now_us)
        if producer_id in self._tracks:
            self._guard(capture.interrupt)
            self._journal.add("paused", track=capture.number, us=now_us)

    def resume(self, producer_id: str, now_us: int) -> None:
        """The publisher went on."""
        capture = self._tracks.get(producer_id)
        if capture is not None:
            self._journal.add("resumed", track=capture.number, us=now_us)

    def remove(self, producer_id: str, now_us: int) -> None:
        """The producer is closed: what its tap still holds is written, then the file is closed."""
        capture = self._tracks.get(producer_id)
        if capture is None:
            return
        self._drain(capture, now_us)
        if self._tracks.pop(producer_id, None) is not None:
            self._journal.add("closed", track=capture.number, us=now_us)
            self._guard(capture.close)
            self._listener.source_done(capture.track.tap)

    def work(self, now_us: int) -> None:
        """Write what has arrived on all tracks; called four times a second."""
        if self._ended:
            return
        if self._checked_us is None or now_us - self._checked_us >= _FREE_CHECK_US:
            self._checked_us = now_us
            self._guard(self._check_free)
        self._note_clock(now_us)
        for capture in list(self._tracks.values()):
            if not self._ended:
                self._drain(capture, now_us)
        if not self._ended:
            self._guard(lambda: self._keep(now_us))

    def end(self, now_us: int) -> None:
        """The meeting, or the server, ends: everything is written and closed."""
        for producer_id in list(self._tracks):
            self.remove(producer_id, now_us)
        if not self._ended:
            self._ended = True
            self._journal.add("end", us=now_us)
            try:
                self._journal.close()
            except OSError as error:
                self._listener.failed(Failure.of(error))

    def _drain(self, capture: TrackCapture, now_us: int) -> None:
        try:
            batch = capture.track.tap.drain()
            self._guard(lambda: capture.take(batch, now_us))
        except Exception as error:  # noqa: BLE001 - a mistake of ours about one track must not cost the others
            _log.exception("capture_track_failed", producer_id=capture.track.producer_id)
            self._forget(capture, f"capture failed: {type(error).__name__}", now_us)
            return
        if not self._ended and capture.wants_key_frame(now_us, receiving=bool(batch.packets)):
            self._listener.key_frame_wanted(capture.track.tap)

    def _forget(self, capture: TrackCapture, cause: str, now_us: int) -> None:
        track = capture.track
        self._tracks.pop(track.producer_id, None)
        self._note_loss(capture.number, track.source, track.person_key, track.display_name, cause, now_us)
        _close_anyway(capture.close)
        self._listener.source_done(track.tap)

    def _note_loss(
        self, number: int, source: TrackSource, person_key: str, display_name: str, cause: str, now_us: int
    ) -> None:
        self._journal.add(
            "lost", track=number, source=source.value, personKey=person_key, displayName=display_name,
            cause=cause, us=now_us,
        )  # fmt: skip

    def _note_clock(self, now_us: int) -> None:
        """Where somebody has set the server's clock, what it shows now."""
        shown, (told, told_us) = self._clock(), self._told
        if abs(shown - told - timedelta(microseconds=now_us - told_us)) > _CLOCK_SET:
            self._told = (shown, now_us)
            self._journal.add("clock", at=shown.isoformat(), us=now_us)

    def _check_free(self) -> None:
        require_room(self._folder, self._min_free_bytes)

    def _keep(self, now_us: int) -> None:
        """Write the journal, and give one file to the disk itself.

        All files take their turn, so that a large meeting costs the disk no more than a small one.
        """
        self._journal.flush()
        if self._syncing or now_us - self._synced_us < _SYNC_US:
            return
        self._synced_us = now_us
        files = [self._journal.file, *(file for track in self._tracks.values() if (file := track.file))]
        waiting = [file for file in files if file.size > file.synced]
        if waiting:
            file = min(waiting, key=lambda file: file.synced_us)
            file.synced, file.synced_us = file.size, now_us
            self._syncing = True
            self._sync(file.path, self._on_synced)

    def _on_synced(self, error: OSError | None) -> None:
        self._syncing = False
        if error is not None:
            self._give_up(error)

    def _guard(self, work: "Work") -> None:
        try:
            work()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Close everything as well as the disk allows; what was written stays readable."""
        if self._ended:
            return
        self._ended = True
        failure = Failure.of(error)
        _log.error(
            "capture_stopped", failure=failure.value, error=errno.errorcode.get(error.errno or 0, "unknown")
        )
        for capture in self._tracks.values():
            _close_anyway(capture.close)
            self._listener.source_done(capture.track.tap)
        self._tracks.clear()
        self._journal.add("end", failure=failure.value)
        _close_anyway(self._journal.close)
        self._listener.failed(failure)


class Work(Protocol):
    """Something that may find the disk full."""

    def __call__(self) -> None:
        """Do it; OSError where the disk refuses."""


def _close_anyway(close: Work) -> None:
    try:
        close()
    except OSError:
        _log.info("capture_close_refused")  # the reason has been told
