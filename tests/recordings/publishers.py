"""Publishers without a network: real encoders and packetizers, RTP and sender reports in simulated time."""

import math
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from recordings.capture.codecs.av1 import Unit
from recordings.tracks import TrackSource
from tests.recordings import av1
from tests.recordings.av1 import Colour, encoded

RED, GREEN, BLUE = (82, 90, 240), (145, 54, 34), (41, 240, 110)
YELLOW, CYAN, MAGENTA = (210, 16, 146), (170, 166, 16), (107, 202, 222)
BLACK, WHITE = (16, 128, 128), (235, 128, 128)

PACKET_BYTES = 1_100
AV1_DELIMITER = 2  # the type of temporal delimiters, which RTP goes without
VIDEO_PAYLOAD, AUDIO_PAYLOAD = 96, 111


@dataclass(frozen=True)
class Batch:
    packets: list[tuple[int, bytes]]
    overflow: int = 0
    sender_report: tuple[int, int, int] | None = None


@dataclass
class MemoryTap:
    """A source like media's tap: what was fed comes out at the next drain."""

    codec: str
    clock_rate: int
    payload_type: int
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    report: tuple[int, int, int] | None = None
    overflow: int = 0
    key_frame_requests: int = 0
    closed: bool = False

    def drain(self) -> Batch:
        batch = Batch(self.packets, self.overflow, self.report)
        self.packets, self.overflow, self.report = [], 0, None
        return batch

    def request_key_frame(self) -> None:
        self.key_frame_requests += 1

    def close(self) -> None:
        self.closed = True


class BrokenTap(MemoryTap):
    """A tap whose owner has lost it."""

    def drain(self) -> Batch:
        raise RuntimeError("gone")


@dataclass
class Sent:
    """A packet as it arrives; `report` is a sender report that came with it."""

    arrival: float
    data: bytes
    report: tuple[int, int, float] | None = None


@dataclass
class Publisher:
    """One person's clock and network: `ntp` is what the own clock shows at second 0, `delay` the way to the server.

    `skew` is by how much the clock runs too fast: 200e-6 gains 0.2 ms a second. A camera's or a sound card's own clock
    may run differently again: `pace` of a stream, beside the person's clock.
    """

    ntp: float = 3_900_000_000.0
    delay: float = 0.02
    skew: float = 0.0

    def video(
        self,
        picture: Callable[[float], Colour],
        seconds: float,
        *,
        codec: str = "vp8",
        size: tuple[int, int] = (160, 90),
        fps: int = 25,
        start: float = 0.0,
        delay: float | None = None,
        first_sequence: int = 65_500,
        first_timestamp: int = 0xFFFF_0000,
        reports: bool = True,
        key_frames: Iterable[int] = (0,),
    ) -> "Stream":
        """A camera that shows one colour at a time."""
        frames = encode_video(picture, seconds, codec, size, fps, frozenset(key_frames))
        payloads = packetized(codec, fps, frames)
        return self.stream(
            codec, payloads, start=start, delay=delay, first_sequence=first_sequence,
            first_timestamp=first_timestamp, reports=reports,
        )  # fmt: skip

    def audio(
        self,
        tone: Callable[[np.ndarray], np.ndarray],
        seconds: float,
        *,
        start: float = 0.0,
        delay: float | None = None,
        first_sequence: int = 65_500,
        first_timestamp: int = 0xFFFF_8000,
        reports: bool = True,
    ) -> "Stream":
        """A microphone; `tone` gives samples (-1..1) at the seconds asked for."""
        payloads = [(at, [data]) for at, data in encode_audio(tone, seconds)]
        return self.stream(
            "opus", payloads, start=start, delay=delay, first_sequence=first_sequence,
            first_timestamp=first_timestamp, reports=reports,
        )  # fmt: skip

    def stream(
        self,
        codec: str,
        payloads: Iterable[tuple[float, list[bytes]]],
        *,
        start: float = 0.0,
        delay: float | None = None,
        first_sequence: int = 65_500,
        first_timestamp: int = 0xFFFF_0000,
        reports: bool = True,
        pace: float = 0.0,
    ) -> "Stream":
        """What is encoded already: (second, RTP payloads) one after the other."""
        sound = codec == "opus"
        rate, payload_type = (48_000, AUDIO_PAYLOAD) if sound else (90_000, VIDEO_PAYLOAD)
        sent: list[Sent] = []
        sequence = first_sequence
        way = self.delay if delay is None else delay
        reported = -1.0
        for at, pieces in payloads:
            own = at * (1 + self.skew)  # what the publisher's clock says has passed
            timestamp = (first_timestamp + round(own * (1 + pace) * rate)) & 0xFFFFFFFF
            arrival = start + at + way
            report = None
            if reports and at - reported >= 1.0:
                ntp = self.ntp + start * (1 + self.skew) + own
                # Reports need no encoding, so they are not held up with the pictures.
                report = (round(ntp * (1 << 32)), timestamp, start + at + self.delay)
                reported = at
            for index, piece in enumerate(pieces):
                marker = not sound and index == len(pieces) - 1
                data = rtp(payload_type, sequence, timestamp, piece, marker=marker)
                sent.append(Sent(arrival + index * 0.0002, data, report))
                report = None
                sequence = (sequence + 1) & 0xFFFF
        return Stream(MemoryTap(codec, rate, payload_type), sent)


@dataclass
class Stream:
    """A tap and what will arrive at it."""

    tap: MemoryTap
    sent: list[Sent]
    arrived: int = 0  # of `sent`

    def feed(self, until: float, base_us: int) -> None:
        """Let everything arrive that arrives before `until`."""
        while self.arrived < len(self.sent) and self.sent[self.arrived].arrival < until:
            item = self.sent[self.arrived]
            self.arrived += 1
            self.tap.packets.append((base_us + round(item.arrival * 1e6), item.data))
            if item.report is not None:
                ntp, timestamp, arrival = item.report
                self.tap.report = (ntp, timestamp, base_us + round(arrival * 1e6))

    @property
    def end(self) -> float:
        return self.sent[-1].arrival if self.sent else 0.0


def rtp(payload_type: int, sequence: int, timestamp: int, payload: bytes, *, marker: bool = False) -> bytes:
    return (
        struct.pack("!BBHII", 0x80, payload_type | (0x80 if marker else 0), sequence, timestamp, 0x1234)
        + payload
    )


@cache  # the same function each time, so that encodings are shared between tests
def solid(colour: Colour) -> Callable[[float], Colour]:
    return lambda _seconds: colour


@cache
def sine(frequency: float, loudness: float = 0.3) -> Callable[[np.ndarray], np.ndarray]:
    return lambda seconds: loudness * np.sin(2 * math.pi * frequency * seconds)


def silence(seconds: np.ndarray) -> np.ndarray:
    return np.zeros_like(seconds)


@cache
def encode_video(
    picture: Callable[[float], Colour],
    seconds: float,
    codec: str,
    size: tuple[int, int],
    fps: int,
    key_frames: frozenset[int],
) -> Sequence[tuple[bytes, bool]]:
    """(encoded picture, whether it is a key frame) one after the other."""
    return tuple(_encode_video(picture, seconds, codec, size, fps, key_frames))


def _encode_video(
    picture: Callable[[float], Colour],
    seconds: float,
    codec: str,
    size: tuple[int, int],
    fps: int,
    key_frames: frozenset[int],
) -> Iterator[tuple[bytes, bool]]:
    colours = [picture(index / fps) for index in range(round(seconds * fps))]
    if codec == "av1":
        yield from av1.encode(colours, size, fps, key_frames)
    elif codec == "h264":
        options = {"tune": "zerolatency", "preset": "ultrafast"}
        yield from encoded("libx264", options, colours, size, fps, key_frames, "Baseline")
    else:
        options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        yield from encoded(
            {"vp8": "libvpx", "vp9": "libvpx-vp9"}[codec], options, colours, size, fps, key_frames
        )


def packetized(
    codec: str, fps: int, frames: Iterable[tuple[bytes, bool]]
) -> Iterator[tuple[float, list[bytes]]]:
    """(second, RTP payloads) of one encoded picture after the other."""
    packetize = {
        "vp8": _vp8_payloads(),
        "vp9": _vp9_payloads(),
        "h264": _h264_payloads,
        "av1": _av1_payloads,
    }[codec]
    for index, (data, key) in enumerate(frames):
        yield index / fps, packetize(data, key)


@cache
def encode_audio(
    tone: Callable[[np.ndarray], np.ndarray], seconds: float, milliseconds: int = 20
) -> Sequence[tuple[float, bytes]]:
    """(second, packet) one after the other, each of so many milliseconds."""
    return tuple(_encode_audio(tone, seconds, milliseconds))


def _encode_audio(
    tone: Callable[[np.ndarray], np.ndarray], seconds: float, milliseconds: int
) -> Iterator[tuple[float, bytes]]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.bit_rate = 64_000
    encoder.options = {"application": "lowdelay", "frame_duration": str(milliseconds)}
    length = 48 * milliseconds
    for index in range(round(seconds * 1_000 / milliseconds)):
        times = (np.arange(length) + index * length) / 48_000
        samples = (tone(times) * 32_767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        frame.pts = index * length
        frame.time_base = Fraction(1, 48_000)
        for packet in encoder.encode(frame):
            yield index * length / 48_000, bytes(packet)


def _vp8_payloads() -> Callable[[bytes, bool], list[bytes]]:
    encoder = Vp8Encoder()

    def packetize(data: bytes, _key: bool) -> list[bytes]:
        payloads = Vp8Encoder._packetize(data, encoder.picture_id)
        encoder.picture_id = (encoder.picture_id + 1) % (1 << 15)
        return payloads

    return packetize


def _h264_payloads(data: bytes, _key: bool) -> list[bytes]:
    return H264Encoder._packetize(H264Encoder._split_bitstream(data))


def _av1_payloads(data: bytes, key: bool) -> list[bytes]:
    """One unit an element, without temporal delimiter; a unit too long for a packet is cut."""
    payloads: list[bytes] = []
    while data:
        unit = Unit.parse(data)
        data = data[len(unit.sized()) :]
        if unit.kind == AV1_DELIMITER:
            continue
        whole = unit.head + unit.body
        pieces = [whole[cut : cut + PACKET_BYTES] for cut in range(0, len(whole), PACKET_BYTES)]
        for index, piece in enumerate(pieces):
            head = 0x10 | (0x80 if index else 0) | (0x40 if index < len(pieces) - 1 else 0)
            payloads.append(bytes([head | (0x08 if key and not payloads else 0)]) + piece)
    return payloads


def _vp9_payloads() -> Callable[[bytes, bool], list[bytes]]:
    picture_id = 0

    def packetize(data: bytes, key: bool) -> list[bytes]:
        nonlocal picture_id
        picture_id = (picture_id + 1) & 0x7FFF
        pieces = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
        payloads = []
        for index, piece in enumerate(pieces):
            first = 0x80 | (0 if key else 0x40)
            first |= 0x08 if index == 0 else 0
            first |= 0x04 if index == len(pieces) - 1 else 0
            payloads.append(bytes([first, 0x80 | picture_id >> 8, picture_id & 0xFF]) + piece)
        return payloads

    return packetize


SOURCES = {True: TrackSource.CAMERA, False: TrackSource.MICROPHONE}
