"""What capture costs by itself, in processor time a packet: `python -m bench.capturing [--seconds 20]`.

Ten cameras of 1.8 Mbit/s and ten microphones, whose packets are all there before the clock starts: no server and no
network, so that a busy machine disturbs it less than `python -m bench.recordings capture`, which is the whole of it.
"""

import argparse
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from recordings.capture.segment import SegmentCapture
from recordings.capture.thread import PACE_SECONDS
from recordings.capture.track import CaptureCounters
from recordings.states import Failure
from recordings.tracks import PacketSource, Track, TrackSource

PEOPLE: Final = 10
CAMERA_BITS, FRAMES_A_SECOND, PACKET_BYTES = 1_800_000, 30, 1_090
VOICE_BYTES, VOICES_A_SECOND = 160, 50
VIDEO, AUDIO = 96, 111
# A key frame of VP8 (RFC 6386, section 9.1) of 1280x720, and what begins any other.
KEY_HEAD: Final = b"\x50\x02\x00\x9d\x01\x2a" + struct.pack("<HH", 1280, 720)
OTHER_HEAD: Final = b"\x51" + KEY_HEAD[1:]
FRAMES_A_KEY: Final = 60
BASE_US: Final = 1_000_000_000


@dataclass
class Batch:
    """What one drain gives."""

    packets: list[tuple[int, bytes]]
    overflow: int = 0
    sender_report: tuple[int, int, int] | None = None


@dataclass
class Tap:
    """A source of packets that were made before."""

    codec: str
    clock_rate: int
    payload_type: int
    batches: list[Batch] = field(default_factory=list)

    def drain(self) -> Batch:
        """The next quarter of a second."""
        return self.batches.pop() if self.batches else Batch([])

    def request_key_frame(self) -> None:
        """They come by themselves."""

    def close(self) -> None:
        """Nothing is held."""


class Listener:
    """Nobody is told."""

    def key_frame_wanted(self, source: PacketSource) -> None:
        """Comes soon."""

    def source_done(self, source: PacketSource) -> None:
        """At the end."""

    def failed(self, failure: Failure) -> None:
        """The disk refuses: there is nothing to measure."""
        raise RuntimeError(failure.value)


def camera(seconds: int) -> Iterator[tuple[float, bytes]]:
    """(second, packet) of one picture after the other."""
    body = os.urandom(CAMERA_BITS // 8 // FRAMES_A_SECOND - len(KEY_HEAD))
    sequence = 0
    for number in range(seconds * FRAMES_A_SECOND):
        data = (KEY_HEAD if number % FRAMES_A_KEY == 0 else OTHER_HEAD) + body
        pieces = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
        for index, piece in enumerate(pieces):
            # A picture id of 15 bits (RFC 7741, section 4.2).
            head = struct.pack("!BBH", 0x80 | (0x10 if index == 0 else 0), 0x80, 0x8000 | number & 0x7FFF)
            marker = 0x80 if index == len(pieces) - 1 else 0
            packet = struct.pack("!BBHII", 0x80, VIDEO | marker, sequence & 0xFFFF, number * 3_000, 1)
            yield number / FRAMES_A_SECOND, packet + head + piece
            sequence += 1


def microphone(seconds: int) -> Iterator[tuple[float, bytes]]:
    """(second, packet) of 20 ms each."""
    voice = b"\x78" + os.urandom(VOICE_BYTES - 1)
    for number in range(seconds * VOICES_A_SECOND):
        packet = struct.pack("!BBHII", 0x80, AUDIO, number & 0xFFFF, number * 960, 2)
        yield number / VOICES_A_SECOND, packet + voice


def taps(seconds: int) -> Iterator[tuple[TrackSource, Tap]]:
    """Everybody's, full."""
    for _ in range(PEOPLE):
        for source, tap, sent in (
            (TrackSource.CAMERA, Tap("video/vp8", 90_000, VIDEO), camera(seconds)),
            (TrackSource.MICROPHONE, Tap("audio/opus", 48_000, AUDIO), microphone(seconds)),
        ):
            tap.batches = [Batch([]) for _ in range(round(seconds / PACE_SECONDS))]
            for second, packet in sent:
                tap.batches[-1 - int(second / PACE_SECONDS)].packets.append(
                    (BASE_US + round(second * 1e6), packet)
                )
            yield source, tap


def measure(folder: Path, seconds: int) -> str:
    """Drain, put together, write; what the disk takes for itself is not waited for."""
    counters = CaptureCounters()
    capture = SegmentCapture(
        folder / "segment-0001", {}, datetime.now(UTC), lambda: datetime.now(UTC), BASE_US, 0,
        lambda _path, done: done(None), Listener(), counters,
    )  # fmt: skip
    for number, (source, tap) in enumerate(taps(seconds)):
        capture.add(Track(str(number), str(number // 2), None, "", source, tap), BASE_US)
    began = time.thread_time()
    for round_ in range(1, round(seconds / PACE_SECONDS) + 1):
        capture.work(BASE_US + round(round_ * PACE_SECONDS * 1e6))
    cpu = time.thread_time() - began
    capture.end(BASE_US + seconds * 1_000_000)
    if counters.lost or counters.malformed or counters.dropped_frames:
        raise RuntimeError(f"not everything was captured: {counters}")
    return (
        f"capture of {PEOPLE} people by itself: {cpu / counters.packets * 1e6:.2f} µs of processor a packet, "
        f"{cpu / seconds:.2%} of a core for {counters.packets / seconds:.0f} packets a second"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.capturing", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="of the meeting (default 20)")
    parser.add_argument("--rounds", type=int, default=5, help="one line each (default 5)")
    options = parser.parse_args()
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="capturing") as name:
            print(measure(Path(name), options.seconds), flush=True)


if __name__ == "__main__":
    main()
