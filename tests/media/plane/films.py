"""AV1 in layers as Chromium 156 sent it, kept in `films/`, and what a receiver can show of what comes through.

A film is one RTP packet after the other, each behind its length (2 bytes) and its time in microseconds (4 bytes), with
the dependency descriptor as the only header extension. It begins with a key picture, and has several more.
"""

import hashlib
import random
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, cast

import av
from aiortc.rtp import RtcpRtpfbPacket

from recordings.capture.codecs.av1 import Unit
from tests.media.plane import probe
from tests.media.plane.repairing import Repairing
from tests.media.plane.world import FRAME_US, RTX, SUB_RTX, Client

FILMS = Path(__file__).with_name("films")
FILMED_ID, SUB_ID = 12, 8  # of the descriptor, from the publisher and to subscribers
MASK = 0xFFFF


class Piece(NamedTuple):
    """A packet of a film."""

    at_us: int
    packet: bytes

    @property
    def timestamp(self) -> int:
        return int.from_bytes(self.packet[4:8], "big")


class Part(NamedTuple):
    """A packet as a receiver has it."""

    timestamp: int
    descriptor: bytes
    payload: bytes


class Shown(NamedTuple):
    """A frame that was decoded: `picture` is a digest."""

    timestamp: int
    spatial: int
    temporal: int
    picture: bytes


def film(mode: str) -> list[Piece]:
    data = (FILMS / f"{mode}.rtp").read_bytes()
    pieces = []
    at = 0
    while at < len(data):
        length, at_us = struct.unpack_from("!HI", data, at)
        pieces.append(Piece(at_us, data[at + 6 : at + 6 + length]))
        at += 6 + length
    return pieces


def part_of(packet: bytes, number: int) -> tuple[int, int, Part]:
    """Payload type, sequence number and the rest; `number` is the descriptor's."""
    parsed = probe.parse_rtp(packet)
    assert parsed is not None
    _, payload_type, sequence, timestamp, _, extensions, payload = parsed
    return payload_type, sequence, Part(timestamp, dict(extensions).get(number, b""), payload)


def units_of(payloads: Iterable[bytes]) -> Iterator[bytes]:
    """The OBUs of a frame's packets (AV1's RTP payload format, 4.4)."""
    begun = b""
    for payload in payloads:
        elements: list[bytes] = []
        most = payload[0] >> 4 & 3
        at = 1
        while at < len(payload):
            size = len(payload) - at
            if not most or len(elements) < most - 1:
                size, shift, more = 0, 0, True
                while more:
                    size |= (payload[at] & 0x7F) << shift
                    shift, more = shift + 7, bool(payload[at] & 0x80)
                    at += 1
            elements.append(payload[at : at + size])
            at += size
        elements[0] = begun + elements[0]
        begun = elements.pop() if payload[0] & 0x40 else b""
        yield from elements


class Screen:
    """Decodes what can be, by what the descriptors say, as libwebrtc does: each frame whose references were decoded."""

    def __init__(self) -> None:
        self.context = cast("av.VideoCodecContext", av.CodecContext.create("libdav1d", "r"))
        self.context.thread_count = 1
        self.context.options = {"alllayers": "1"}
        self.dependencies = probe.Dependencies()
        self.decoded: set[int] = set()
        self.lacking = 0  # frames that were whole and could not be decoded

    def show(self, parts: Mapping[int, Part]) -> Iterator[Shown]:
        """The frames that are whole among the packets by their places."""
        payloads: list[bytes] = []
        expected = -1
        for place in sorted(parts):
            part = parts[place]
            if not part.payload:
                continue
            told = self.dependencies.read(part.descriptor)
            assert told is not None
            if told["first"]:
                payloads = []
            elif place != expected or not payloads:
                payloads = []
                continue
            payloads.append(part.payload)
            expected = place + 1
            if told["last"]:
                yield from self._decode(told, part.timestamp, payloads)
                payloads = []

    def _decode(self, told: dict[str, object], timestamp: int, payloads: list[bytes]) -> Iterator[Shown]:
        number, references = cast("int", told["number"]), cast("list[int]", told.get("references", [-1]))
        if not all((number - back) & MASK in self.decoded for back in references):
            self.lacking += 1
            return
        self.decoded.add(number)
        data = b"".join(Unit.parse(unit).sized() for unit in units_of(payloads))
        (picture,) = self.context.decode(av.Packet(data))
        digest = hashlib.sha256(picture.to_ndarray().tobytes()).digest()
        yield Shown(timestamp, cast("int", told["spatial"]), cast("int", told["temporal"]), digest)


class Projector:
    """Sends a film, some of its packets in vain, and answers NACKs."""

    def __init__(self, client: Client, mode: str, dice: random.Random) -> None:
        self.client = client
        self.pieces = film(mode)
        self.dice = dice
        self.loss = 0.0
        self.rtx_sequence = 0
        self.sent: dict[int, bytes] = {}

    def pictures(self) -> Iterator[int]:
        """Send picture after picture, and let the time between them pass; answers their index."""
        world = self.client.world
        begun, index = world.now, -1
        timestamp = -1
        for piece in self.pieces:
            if piece.timestamp != timestamp:
                if index >= 0:
                    yield index
                index, timestamp = index + 1, piece.timestamp
                world.advance(max(begun + piece.at_us - world.now, 0))
                self.answer()
            self.sent[int.from_bytes(piece.packet[2:4], "big")] = piece.packet
            if self.dice.random() >= self.loss:
                self.client.send(piece.packet)
        world.advance(FRAME_US)
        yield index

    def answer(self) -> None:
        rtcp, self.client.rtcp = self.client.rtcp, []
        for one in rtcp:
            if isinstance(one, RtcpRtpfbPacket) and one.fmt == 1:
                for number in one.lost:
                    if self.dice.random() >= self.loss:
                        self.resend(self.sent[number])

    def resend(self, original: bytes) -> None:
        """RFC 4588, with the header extensions of the original, as libwebrtc does it."""
        self.rtx_sequence += 1
        ends = 16 + 4 * int.from_bytes(original[14:16], "big")
        head = bytes([original[0], original[1] & 0x80 | RTX]) + self.rtx_sequence.to_bytes(2, "big")
        ssrc = (2000).to_bytes(4, "big")
        self.client.send(head + original[4:8] + ssrc + original[12:ends] + original[2:4] + original[ends:])


class Viewer(Repairing[Part]):
    """A subscriber that repairs what it misses."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, 2 * FRAME_US)

    def take(self) -> None:
        """Sort what came, and ask for what is missing."""
        for raw in self.client.raw:
            payload_type, number, part = part_of(raw, SUB_ID)
            if payload_type == SUB_RTX:
                number = int.from_bytes(part.payload[:2], "big")
                part = part._replace(payload=part.payload[2:])
            self.put(number, part)
        self.client.raw.clear()
        self.ask(self.client.world.now)
