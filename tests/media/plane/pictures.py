"""Real pictures through the plane: encoders at one end, decoders at the other, each picture compared bit by bit."""

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket
from av.video.frame import PictureType

from tests.media.plane.repairing import Repairing
from tests.media.plane.world import FRAME_US, RTX, SUB_RTX, Client, rtp

PAYLOAD_MOST = 300  # small pictures, yet of several packets
CODECS = {"vp8": "libvpx", "h264": "libx264"}
OPTIONS = {
    "vp8": {"deadline": "realtime", "cpu-used": "16", "error-resilient": "1", "lag-in-frames": "0"},
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "g": "10000"},
}
LAYERED = (
    "ts_number_layers=3:ts_target_bitrate=40,60,100:ts_rate_decimator=4,2,1"
    ":ts_periodicity=4:ts_layer_id=0,2,1,2:ts_layering_mode=3"
)
TEMPORAL = (0, 2, 1, 2)
PARAMETER_SETS = {7, 8}
H264_KEY = {7, 8, 5}

Pieces = list[bytes]


def scene(index: int, width: int, height: int) -> av.VideoFrame:
    """Noise that moves, so that no picture is like another."""
    noise = np.random.default_rng(7).integers(0, 255, (height, width + 256), dtype=np.uint8)
    gray = np.ascontiguousarray(noise[:, index % 256 : index % 256 + width] // 4 + index % 64)
    frame = av.VideoFrame.from_ndarray(gray, format="gray").reformat(format="yuv420p")
    frame.pts, frame.time_base = index, Fraction(1, 30)
    return frame


class Decoder:
    """What a receiver shows."""

    def __init__(self, codec: str) -> None:
        self.context = cast("av.VideoCodecContext", av.CodecContext.create(codec, "r"))
        self.context.thread_count = 1

    def show(self, data: bytes) -> list[bytes]:
        return [frame.to_ndarray().tobytes() for frame in self.context.decode(av.Packet(data))]


class Encoder:
    """One size of a camera; `shown` is what each of its pictures must look like."""

    def __init__(self, codec: str, width: int, height: int, *, layered: bool = False, **options: str) -> None:
        self.codec = codec
        self.layered = layered
        self.context = cast("av.VideoCodecContext", av.CodecContext.create(CODECS[codec], "w"))
        self.context.width, self.context.height, self.context.pix_fmt = width, height, "yuv420p"
        self.context.time_base, self.context.framerate = Fraction(1, 30), Fraction(30)
        self.context.bit_rate = 100_000
        self.context.thread_count = 1
        layers = {"ts-parameters": LAYERED} if layered else {}
        self.context.options = {**OPTIONS[codec], **layers, **options}
        self.decoder = Decoder(codec)
        self.shown: list[bytes] = []
        self.count = 0

    def encode(self, index: int, *, key: bool) -> tuple[bytes, bool, int]:
        """The next picture: its bytes, whether it is a key picture, its temporal layer."""
        frame = scene(index, self.context.width, self.context.height)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        (packet,) = self.context.encode(frame)
        data = bytes(packet)
        (picture,) = self.decoder.show(data)
        self.shown.append(picture)
        self.count = 1 if packet.is_keyframe else self.count + 1
        return data, packet.is_keyframe, TEMPORAL[(self.count - 1) % 4] if self.layered else 0


def units_of(data: bytes) -> Pieces:
    """The units of an H.264 byte stream."""
    return [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]


def cut_h264(units: Pieces) -> Iterator[bytes]:
    for unit in units:
        if len(unit) <= PAYLOAD_MOST:
            yield unit
            continue
        for at in range(1, len(unit), PAYLOAD_MOST):
            flags = (0x80 if at == 1 else 0) | (0x40 if at + PAYLOAD_MOST >= len(unit) else 0)
            yield bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F]) + unit[at : at + PAYLOAD_MOST]


def joined_h264(payloads: Pieces) -> bytes:
    out = b""
    for payload in payloads:
        if payload[0] & 0x1F == 24:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                out += b"\0\0\0\1" + payload[at + 2 : at + 2 + size]
                at += 2 + size
        elif payload[0] & 0x1F == 28:
            if payload[1] & 0x80:
                out += b"\0\0\0\1" + bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
            out += payload[2:]
        else:
            out += b"\0\0\0\1" + payload
    return out


class Sender:
    """One stream of a publisher, which answers NACKs and PLIs as browsers do."""

    def __init__(
        self, client: Client, encoder: Encoder, *, ssrc: int = 1000, sets: str = "always", dice: random.Random
    ) -> None:
        self.client = client
        self.encoder = encoder
        self.ssrc = ssrc
        self.sets = sets  # which key pictures bring their parameter sets: always, once, never
        self.dice = dice
        self.loss = 0.0
        self.sequence = dice.randrange(65_536)
        self.timestamp = dice.randrange(1 << 32)
        self.picture = dice.randrange(1 << 15)
        self.tl0 = dice.randrange(256)
        self.rtx_sequence = 0
        self.wanted = True
        self.first = True
        self.sent: dict[int, bytes] = {}
        self.keys = 0

    def payloads(self, data: bytes, temporal: int, *, sync: bool) -> Pieces:
        if self.encoder.codec == "h264":
            bare = self.sets == "never" or (self.sets == "once" and not self.first)
            return list(
                cut_h264(
                    [unit for unit in units_of(data) if not bare or unit[0] & 0x1F not in PARAMETER_SETS]
                )
            )
        self.tl0 = (self.tl0 + (temporal == 0)) & 0xFF
        tail = (0x8000 | self.picture & 0x7FFF).to_bytes(2, "big") + bytes(
            [self.tl0, temporal << 6 | (0x20 if sync else 0)]
        )
        return [
            bytes([0x90 if at == 0 else 0x80, 0xE0]) + tail + data[at : at + PAYLOAD_MOST]
            for at in range(0, len(data), PAYLOAD_MOST)
        ]

    def frame(self, index: int) -> None:
        """Send the picture of this moment, some of its packets in vain."""
        data, key, temporal = self.encoder.encode(index, key=self.wanted)
        self.wanted = False
        self.keys += key
        sync = temporal > 0 and self.encoder.count in {2, 3}  # straight behind a key picture
        payloads = self.payloads(data, temporal, sync=sync)
        for number, payload in enumerate(payloads, 1):
            packet = rtp(self.sequence, self.timestamp, self.ssrc, payload, marker=number == len(payloads))
            self.sent[self.sequence & 0xFFFF] = packet
            self.sequence += 1
            if self.first or self.dice.random() >= self.loss:
                self.client.send(packet)
        self.first = False
        self.picture += 1
        self.timestamp += 3000

    def answer(self, rtcp: list[object]) -> None:
        for one in rtcp:
            if isinstance(one, RtcpPsfbPacket) and one.fmt == 1 and one.media_ssrc == self.ssrc:
                self.wanted = True
            if isinstance(one, RtcpRtpfbPacket) and one.fmt == 1 and one.media_ssrc == self.ssrc:
                for number in one.lost:
                    if self.dice.random() >= self.loss:
                        self.resend(number)

    def resend(self, number: int) -> None:
        """KeyError for a number never sent."""
        original = self.sent[number]
        self.rtx_sequence += 1
        timestamp = int.from_bytes(original[4:8], "big")
        payload = original[2:4] + RtpPacket.parse(original).payload
        self.client.send(
            rtp(
                self.rtx_sequence,
                timestamp,
                self.ssrc + 1000,
                payload,
                payload_type=RTX,
                marker=bool(original[1] & 0x80),
            )
        )


class Receiver(Repairing[RtpPacket]):
    """A subscriber that repairs what it misses, and shows pictures in the order of their numbers."""

    def __init__(self, client: Client, codec: str) -> None:
        super().__init__(client, 2 * FRAME_US)
        self.codec = codec

    def take(self, now: int) -> None:
        """Sort what came, and ask for what is missing."""
        for packet in self.client.rtp:
            number = packet.sequence_number
            if packet.payload_type == SUB_RTX:
                number = int.from_bytes(packet.payload[:2], "big")
                packet.payload = packet.payload[2:]
            self.put(number, packet)
        self.client.rtp.clear()
        self.ask(now)

    def frames(self) -> Iterator[tuple[bool, Pieces]]:
        """The payloads of each frame that is whole, and whether anything is missing right before it."""
        payloads: Pieces = []
        gap = False
        before = -1
        for place in range(min(self.got), self.newest + 1):
            packet = self.got.get(place)
            if packet is None or (
                payloads and packet.timestamp != before
            ):  # a piece of the open frame is missing
                gap = gap or packet is None or bool(payloads)
                payloads = []
            if packet is None:
                continue
            if not packet.payload:
                continue
            assert before < 0 or (packet.timestamp - before) & 0xFFFFFFFF < 1 << 31, "time went back"
            before = packet.timestamp
            payloads.append(packet.payload)
            if packet.marker:
                yield gap, payloads
                gap = False
                payloads = []

    def shown(self) -> list[bytes]:
        """The pictures, those left out that cannot be decoded; AssertionError where numbers contradict each other."""
        decoder = Decoder(self.codec)
        choice = H264Choice() if self.codec == "h264" else Vp8Choice()
        return [
            picture
            for gap, payloads in self.frames()
            if choice.takes(payloads, gap=gap)
            for picture in decoder.show(choice.joined(payloads))
        ]


class H264Choice:
    """Without other numbers than RTP's, all that follows a gap waits for the next key picture."""

    def __init__(self) -> None:
        self.waits = True

    def takes(self, payloads: Pieces, *, gap: bool) -> bool:
        units = units_of(joined_h264(payloads))
        kinds = [unit[0] & 0x1F for unit in units]
        self.waits = (self.waits or gap) and not set(kinds) >= H264_KEY
        return not self.waits

    @staticmethod
    def joined(payloads: Pieces) -> bytes:
        return joined_h264(payloads)


class Vp8Choice:
    """Picture ids, TL0PICIDX and layers say what a picture refers to, as libwebrtc reads them."""

    def __init__(self) -> None:
        self.tl0: int | None = None  # of the newest picture of the lowest layer that was shown
        self.number = -1
        self.gone = False  # one above it is missing

    def takes(self, payloads: Pieces, *, gap: bool) -> bool:  # noqa: ARG002
        if payloads[0][0] != 0x90:
            return False
        assert len({payload[2:6] for payload in payloads}) == 1, "two pictures in one"
        number = int.from_bytes(payloads[0][2:4], "big") & 0x7FFF
        tl0, layer, sync = payloads[0][4], payloads[0][5] >> 6, payloads[0][5] & 0x20
        assert self.number < 0 or 0 < (number - self.number) & 0x7FFF < 1 << 14, "picture ids went back"
        self.gone = self.gone or (self.number >= 0 and number != (self.number + 1) & 0x7FFF)
        self.number = number
        if layer == 0:
            key = not payloads[0][6] & 1
            if not key and (self.tl0 is None or tl0 != (self.tl0 + 1) & 0xFF):
                self.tl0 = None
                return False
            self.tl0, self.gone = tl0, False
            return True
        taken = self.tl0 == tl0 and (bool(sync) or not self.gone)
        self.gone = self.gone or not taken
        return taken

    @staticmethod
    def joined(payloads: Pieces) -> bytes:
        return b"".join(payload[6:] for payload in payloads)
