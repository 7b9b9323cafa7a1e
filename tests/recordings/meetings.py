"""Whole recorded meetings in simulated time, and what can be seen and heard in the result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np

from recordings.capture.segment import SegmentCapture, Sync
from recordings.capture.track import CaptureCounters
from recordings.compose.brief import Brief
from recordings.compose.composer import compose
from recordings.compose.loudness import RATE, Meter
from recordings.compose.report import Finished
from recordings.states import Failure
from recordings.tracks import PacketSource, Track, TrackSource
from tests.recordings.av1 import Colour
from tests.recordings.publishers import Stream

BASE_US = 5_000_000_000
STARTED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Told:
    """What a segment tells its listener."""

    wanted: list[PacketSource] = field(default_factory=list)
    done: list[PacketSource] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def key_frame_wanted(self, source: PacketSource) -> None:
        self.wanted.append(source)
        source.request_key_frame()

    def source_done(self, source: PacketSource) -> None:
        self.done.append(source)
        source.close()

    def failed(self, failure: Failure) -> None:
        self.failures.append(failure)


def track(stream: Stream, peer: str, source: TrackSource, name: str = "") -> Track:
    return Track(
        f"{peer}-{source.value}", peer, None, name or peer, source, stream.tap, person_key=f"guest:{peer}"
    )


def never_synced(_path: Path, done: Callable[[OSError | None], None]) -> None:
    """An hour is not to cost the disk of the tests an hour's work."""
    done(None)


class Meeting:
    """Captures streams as the capture thread would, without waiting."""

    def __init__(
        self,
        folder: Path,
        number: int = 1,
        away: timedelta = timedelta(),
        *,
        boot: str = "",
        later: float = 0.0,
        sync: Sync = never_synced,
    ) -> None:
        self.told = Told()
        self.counters = CaptureCounters()
        self.folder = folder
        self.now = 0.0
        self.clock_set = timedelta()  # by how much, since it began
        self._started = STARTED + away
        self._base_us = BASE_US + round(later * 1e6)
        self._streams: list[Stream] = []
        self.segment_folder = folder / f"segment-{number:04d}"
        self.capture = SegmentCapture(
            self.segment_folder, {"recordingId": "r", "meetingId": "m", "boot": boot}, self._started, self.clock,
            self._base_us, 0, sync, self.told, self.counters,
        )  # fmt: skip

    def clock(self) -> datetime:
        """The server's."""
        return self._started + timedelta(seconds=self.now) + self.clock_set

    def mark(self) -> datetime:
        """An item of the agenda begins; answers when, as the records have it."""
        self.capture.mark(self.clock(), self.now_us)
        return self.clock()

    def join(self, *tracks: tuple[Track, Stream]) -> None:
        for each, stream in tracks:
            self.capture.add(each, self.now_us)
            self._streams.append(stream)

    @property
    def now_us(self) -> int:
        return self._base_us + round(self.now * 1e6)

    def run(self, until: float | None = None) -> None:
        """Let time pass in steps of 100 ms, to `until` or until nothing more arrives."""
        end = until if until is not None else max(stream.end for stream in self._streams) + 0.6
        while self.now < end:
            self.now = min(end, self.now + 0.1)
            for stream in self._streams:
                stream.feed(self.now, self._base_us)
            self.capture.work(self.now_us)

    def end(self) -> None:
        self.capture.end(self.now_us)


def composed(folder: Path, brief: Brief | None = None) -> tuple[Finished, Path]:
    return compose(folder, lambda _share: None, brief), folder / "meeting.mp4"


@dataclass
class Watched:
    """A decoded film."""

    times: list[float]
    frames: list[np.ndarray]  # yuv420p
    samples: np.ndarray  # mono, 48 kHz, from second 0
    key_frames: list[float]

    def frame_at(self, seconds: float) -> np.ndarray:
        return self.frames[max(i for i, time in enumerate(self.times) if time <= seconds + 1e-6)]

    def share(self, colour: Colour, seconds: float, tolerance: int = 20) -> float:
        """How much of the picture has about this colour."""
        frame = self.frame_at(seconds)
        height, width = frame.shape[0] * 2 // 3, frame.shape[1]
        flat, luma, quarter = frame.reshape(-1), width * height, width * height // 4
        planes = (
            flat[:luma].reshape(height, width)[::2, ::2].reshape(-1),
            flat[luma : luma + quarter],
            flat[luma + quarter :],
        )
        near = [
            np.abs(plane.astype(np.int16) - value) <= tolerance
            for plane, value in zip(planes, colour, strict=True)
        ]
        return float((near[0] & near[1] & near[2]).mean())

    def loudness(self, frequency: float, begin: float, end: float) -> float:
        """The amplitude of a tone within a time."""
        part = self.samples[int(begin * 48_000) : int(end * 48_000)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) / len(part) * 4
        index = round(frequency * len(part) / 48_000)
        return float(spectrum[max(0, index - 2) : index + 3].max())


def watch(path: Path) -> Watched:
    with av.open(str(path)) as container:
        times, frames, keys = [], [], []
        for frame in container.decode(video=0):
            assert frame.time is not None
            times.append(frame.time)
            frames.append(frame.to_ndarray())
            if frame.key_frame:
                keys.append(frame.time)
    with av.open(str(path)) as container:
        samples = np.zeros(round((times[-1] + 1.0) * 48_000), np.float32)
        for sound in container.decode(audio=0):
            assert sound.time is not None
            data = sound.to_ndarray().mean(axis=0)
            begin = round(sound.time * 48_000)
            data = data[max(0, -begin) :]
            begin = max(0, begin)
            samples[begin : begin + len(data)] = data[: len(samples) - begin]
    return Watched(times, frames, samples, keys)


def sound_of(path: Path) -> np.ndarray:
    """(samples, 2) at 48 kHz."""
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE)
    with av.open(str(path)) as container:
        frames = [even for frame in container.decode(audio=0) for even in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames])


def loudness_of(path: Path) -> float:
    """LUFS of the whole."""
    meter = Meter()
    samples = sound_of(path)
    for begin in range(0, len(samples), RATE):
        meter.add(samples[begin : begin + RATE])
    assert meter.integrated is not None
    return meter.integrated
