"""One track on its way from the tap to its file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from recordings.capture.codecs.frames import Frame
from recordings.capture.codecs.registry import Codec
from recordings.capture.gate import KeyFrameGate
from recordings.capture.journal import Journal
from recordings.capture.matroska import MatroskaTrack
from recordings.capture.positions import Positions
from recordings.capture.reorder import Ordered, ReorderWindow
from recordings.capture.rtp import parse_rtp
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
        self._payload_type = track.tap.payload_type
        self._window = ReorderWindow()
        self._positions = Positions(self._rate)
        self._depayloader = codec.depayloader()
        self._gate = KeyFrameGate(is_video=codec.is_video)
        self._file: MatroskaTrack | None = None
        self._anchor: tuple[int, int, int] | None = None  # delay, position, arrival
        self._anchored_us: int | None = None
        self._reports = 0
        self._reported_us = 0
        self._asked_us: int | None = None
        self._overflowed = False

    def take(self, batch: PacketBatch, now_us: int) -> None:
        """Write what a drain gave."""
        if batch.overflow:
            self._count_overflow(batch.overflow)
        ready: list[Ordered] = []
        for arrival_us, data in batch.packets:
            packet = parse_rtp(data)
            if packet is None:
                self._counters.malformed += 1
            elif packet.payload_type != self._payload_type:
                self._counters.foreign += 1
            else:
                ready += self._window.push(packet, arrival_us)
        self._write(ready + self._window.expire(now_us))
        if batch.sender_report is not None:
            self._note_report(*batch.sender_report)
        self._note_anchor(now_us)
        self._flush()

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
        self._write(self._window.flush())
        self._gate.close()
        self._flush()

    def close(self) -> None:
        """Write what waits, then close the file, which is given up even where the disk refuses."""
        try:
            self._write(self._window.flush())
            self._write_anchor()
            self._counters.malformed += self._depayloader.malformed
            self._counters.dropped_frames += self._gate.dropped
            self._flush()
        finally:
            if self._file is not None:
                self._file.close()

    def _write(self, ready: list[Ordered]) -> None:
        depayloader = self._depayloader
        self._counters.packets += len(ready)
        for (_, marker, _, timestamp, payload), arrival_us, lost in ready:
            self._consider_anchor(self._positions.place(timestamp, arrival_us), arrival_us)
            self._counters.lost += lost
            frames = depayloader.push(payload, timestamp, marker=marker, lost=lost > 0)
            if depayloader.broken:
                depayloader.mend()
                self._gate.close()
            for frame in frames:
                if self._gate.admit(frame):
                    self._write_frame(frame)

    def _write_frame(self, frame: Frame) -> None:
        if self._file is None:
            self._file = MatroskaTrack(self._path, self._codec, self._rate, frame)
        self._file.add(frame, max(0, self._positions.of_frame(frame.timestamp)))

    def _flush(self) -> None:
        if self._file is not None:
            self._counters.bytes += self._file.flush()

    def _consider_anchor(self, position: int, arrival_us: int) -> None:
        delay = arrival_us - position * 1_000_000 // self._rate
        if self._anchor is None or delay < self._anchor[0]:
            self._anchor = (delay, position, arrival_us)

    def _note_anchor(self, now_us: int) -> None:
        if self._anchored_us is None or now_us - self._anchored_us >= _ANCHOR_US:
            self._write_anchor()
            self._anchored_us = now_us

    def _write_anchor(self) -> None:
        if self._anchor is not None:
            _, position, arrival_us = self._anchor
            self._journal.add("anchor", track=self.number, position=position, us=arrival_us)
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

    def _count_overflow(self, packets: int) -> None:
        self._counters.overflowed += packets
        if not self._overflowed:
            self._overflowed = True
            _log.warning("capture_overflow", producer_id=self.track.producer_id, packets=packets)
