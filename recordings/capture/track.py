"""One track on its way from the tap to its file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from media import Depacketizer, RtpFrame
from recordings.capture.codecs.frames import Malformed
from recordings.capture.codecs.registry import Codec
from recordings.capture.disk import AppendedFile
from recordings.capture.gate import KeyFrameGate
from recordings.capture.journal import Journal
from recordings.capture.matroska import MatroskaTrack
from recordings.capture.positions import Positions
from recordings.tracks import PacketBatch, Track

# An anchor is the packet that came fastest within this time: ten seconds hold a packet without queueing delay nearly
# always, and a clock that drifts by 200 ppm moves 2 ms meanwhile.
_ANCHOR_US: Final = 10_000_000
# Sender reports come about every second for video; more than this gains nothing but journal.
_REPORT_US: Final = 4_000_000
_FIRST_REPORTS: Final = 3
# media throttles too; this keeps a publisher who never answers from being asked ten times a second.
_KEY_FRAME_US: Final = 1_000_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class CaptureCounters:
    """Sums over everything captured since the start; written on the capture thread, read anywhere."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    overflowed: int = 0
    malformed: int = 0
    foreign: int = 0  # another payload type than the codec's
    dropped_frames: int = 0


class TrackCapture:
    """Everything here happens on the capture thread. OSError where the disk refuses."""

    def __init__(
        self,
        number: int,
        track: Track,
        codec: Codec,
        folder: Path,
        journal: Journal,
        counters: CaptureCounters,
    ) -> None:
        self.track = track
        self.number = number
        self.file_name = f"{number:04d}-{track.source.value}.mkv"
        self._codec = codec
        self._path = folder / self.file_name
        self._journal = journal
        self._counters = counters
        self._rate = track.tap.clock_rate
        self._depacketizer = Depacketizer(codec.name, track.tap.payload_type)
        self._refused = (0, 0)  # malformed and foreign packets, as counted so far
        self._positions = Positions(self._rate)
        self._read = codec.reader()
        self._gate = KeyFrameGate(is_video=codec.is_video)
        self._file: MatroskaTrack | None = None
        self._anchor: tuple[int, int, int] | None = None  # delay, position, arrival
        self._anchored_us: int | None = None
        self._written = 0  # the position of the last frame in the file
        self._reports = 0
        self._reported_us = 0
        self._asked_us: int | None = None
        self._overflowed = False

    @property
    def file(self) -> AppendedFile | None:
        """None until there is something to write."""
        return self._file.file if self._file is not None else None

    def take(self, batch: PacketBatch, now_us: int) -> None:
        """Write what a drain gave."""
        if batch.overflow:
            self._count_overflow(batch.overflow)
        self._write(self._depacketizer.take(batch.packets, now_us))
        self._count_refused()
        if batch.sender_report is not None:
            self._note_report(*batch.sender_report)
        self._flush()
        self._note_anchor(now_us)

    def wants_key_frame(self, now_us: int, *, receiving: bool) -> bool:
        """Whether to ask the publisher for one now."""
        if not (receiving and self._gate.wants_key_frame):
            return False
        if self._asked_us is not None and now_us - self._asked_us < _KEY_FRAME_US:
            return False
        self._asked_us = now_us
        return True

    def interrupt(self) -> None:
        """The publisher pauses: what waits is written, and pictures begin with a key frame again."""
        self._write(self._depacketizer.flush())
        self._gate.close()
        self._flush()

    def close(self) -> None:
        """Write what waits, then close the file, which is given up even where the disk refuses."""
        try:
            self._write(self._depacketizer.flush())
            self._count_refused()
            self._counters.dropped_frames += self._gate.dropped
            self._flush()
            self._write_anchor()
        finally:
            if self._file is not None:
                self._file.close()

    def _write(self, frames: list[RtpFrame]) -> None:
        for frame in frames:
            timestamp, arrival_us, packets, lost, units, size = frame
            self._counters.packets += packets
            position = self._positions.place(timestamp, arrival_us)
            delay = arrival_us - position * 1_000_000 // self._rate
            if self._anchor is None or delay < self._anchor[0]:
                self._anchor = (delay, position, arrival_us)
            if lost or units is None:
                self._counters.lost += lost
                self._gate.close()
            if units:
                self._write_frame(units, size, position)

    def _write_frame(self, units: list[bytes], size: tuple[int, int] | None, position: int) -> None:
        try:
            frame = self._read(units)
        except Malformed:
            self._counters.malformed += 1
            self._gate.close()
            return
        if frame is None or not self._gate.admit(frame):
            return
        if self._file is None:
            first = frame._replace(size=size or frame.size)
            self._file = MatroskaTrack(self._path, self._codec, self._rate, first)
        self._written = max(0, position)
        self._file.add(frame, self._written)

    def _flush(self) -> None:
        if self._file is not None:
            self._counters.bytes += self._file.flush()

    def _note_anchor(self, now_us: int) -> None:
        if self._anchored_us is None or now_us - self._anchored_us >= _ANCHOR_US:
            self._write_anchor()
            self._anchored_us = now_us

    def _write_anchor(self) -> None:
        if self._anchor is not None:
            _, position, arrival_us = self._anchor
            self._journal.add(
                "anchor", track=self.number, position=position, written=self._written, us=arrival_us
            )
            self._anchor = None

    def _note_report(self, ntp: int, timestamp: int, arrival_us: int) -> None:
        if self._reports >= _FIRST_REPORTS and arrival_us - self._reported_us < _REPORT_US:
            return
        if arrival_us == self._reported_us:
            return  # the same one again
        position = self._positions.of_report(timestamp, arrival_us)
        if position is None:
            return
        self._reports += 1
        self._reported_us = arrival_us
        self._journal.add("report", track=self.number, position=position, ntp=ntp, us=arrival_us)

    def _count_refused(self) -> None:
        malformed, foreign = self._refused
        self._refused = (self._depacketizer.malformed, self._depacketizer.foreign)
        self._counters.malformed += self._refused[0] - malformed
        self._counters.foreign += self._refused[1] - foreign

    def _count_overflow(self, packets: int) -> None:
        self._counters.overflowed += packets
        if not self._overflowed:
            self._overflowed = True
            _log.warning("capture_overflow", producer_id=self.track.producer_id, packets=packets)
