"""Participants with a real picture and voice: encoded once, sent again and again, from the key frame when asked."""

import asyncio
import itertools
import math
import os
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import av
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

from bench.peer import Connection, Peer, join, produce
from bench.server import Server

FRAMES_A_SECOND = 30
FRAMES = 60  # two seconds, then from the key frame again
VOICE_MILLISECONDS = 20
PACKET_BYTES = 1_100
VIDEO_CLOCK, AUDIO_CLOCK = 90_000, 48_000
RTCP_PSFB, PLI, FIR = 206, 1, 4
FIRST_OF_FRAME = 0x10  # RFC 7741 section 4.2: the descriptor's S bit


@dataclass(frozen=True)
class Picture:
    """What a camera sends: pixels and bits a second."""

    width: int
    height: int
    bits: int


SMALL = Picture(640, 360, 600_000)
LARGE = Picture(1280, 720, 1_800_000)


@cache
def film(picture: Picture) -> tuple[bytes, ...]:
    """VP8 frames of moving stripes, the first of them a key frame and no other."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = picture.width, picture.height, "yuv420p"
    codec.time_base = Fraction(1, FRAMES_A_SECOND)
    codec.bit_rate = picture.bits
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "9999"}
    columns = np.arange(picture.width)
    packets = []
    for number in range(FRAMES):
        stripes = (128 + 100 * np.sin((columns + 8 * number) / 40)).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(
            np.concatenate(
                [
                    np.tile(stripes, (picture.height, 1)),
                    np.full((picture.height // 2, picture.width), 128, np.uint8),
                ]
            ),
            format="yuv420p",
        )
        frame.pts = number
        packets += codec.encode(frame)
    return tuple(bytes(packet) for packet in [*packets, *codec.encode(None)])


@cache
def voice(bits_a_second: int | None = None) -> bytes:
    """One Opus packet of a tone; exactly of that rate, or as large as the encoder likes."""
    codec = av.CodecContext.create("libopus", "w")
    if bits_a_second:
        codec.bit_rate = bits_a_second
        codec.options = {"vbr": "off"}
    codec.sample_rate, codec.layout, codec.format = AUDIO_CLOCK, "stereo", "s16"
    length = AUDIO_CLOCK * VOICE_MILLISECONDS // 1000
    tone = (8000 * np.sin(2 * math.pi * 440 * np.arange(length) / AUDIO_CLOCK)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2).reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = AUDIO_CLOCK
    frame.pts = 0
    return bytes(next(iter([*codec.encode(frame), *codec.encode(None)])))


@dataclass
class Participant:
    """Publishes until `close`; a subscriber that needs a key frame gets it with the next frame."""

    peer: Peer
    connection: Connection
    types: dict[str, int]
    ssrcs: dict[str, int]
    picture: Picture = SMALL
    sending: list[asyncio.Task[None]] = field(default_factory=list)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def join(
        cls,
        server: Server,
        meeting: str,
        cookie: str,
        certificate: RTCCertificate,
        picture: Picture = SMALL,
    ) -> "Participant":
        """Be in the meeting with camera and microphone on."""
        peer = await join(server.url, cookie, meeting)
        transport, connection = await peer.connect("send", certificate)
        ssrcs = {kind: int.from_bytes(os.urandom(4)) | 1 for kind in ("video", "audio")}
        types = {kind: await produce(peer, transport, kind, ssrc) for kind, ssrc in ssrcs.items()}
        participant = cls(peer, connection, types, ssrcs, picture)
        participant.sending = [
            asyncio.create_task(each)
            for each in (participant._show(), participant._speak(), participant._listen())
        ]
        return participant

    async def close(self) -> None:
        """Leave."""
        for task in self.sending:
            task.cancel()
        await asyncio.gather(*self.sending, return_exceptions=True)
        await self.peer.close()

    async def _show(self) -> None:
        frames = self._frames()
        sequence = itertools.count(1)
        async for number in _paced(1 / FRAMES_A_SECOND):
            stamp = number * VIDEO_CLOCK // FRAMES_A_SECOND
            data = next(frames)
            pieces = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
            for index, piece in enumerate(pieces):
                descriptor = bytes([0 if index else FIRST_OF_FRAME])
                self._send(
                    "video", next(sequence), stamp, descriptor + piece, marker=index == len(pieces) - 1
                )

    async def _speak(self) -> None:
        async for number in _paced(VOICE_MILLISECONDS / 1000):
            stamp = number * AUDIO_CLOCK * VOICE_MILLISECONDS // 1000
            self._send("audio", number + 1, stamp, voice(), marker=number == 0)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            packet = await loop.sock_recv(self.connection.socket, 2048)
            if len(packet) > 1 and packet[1] == RTCP_PSFB and packet[0] & 0x1F in (PLI, FIR):
                self._wanted.set()  # the head of RTCP is not encrypted

    def _frames(self) -> Iterator[bytes]:
        while True:
            self._wanted.clear()
            for data in film(self.picture):
                yield data
                if self._wanted.is_set():
                    break

    def _send(self, kind: str, sequence: int, stamp: int, payload: bytes, *, marker: bool) -> None:
        head = struct.pack(
            "!BBHII",
            0x80,
            self.types[kind] | (0x80 if marker else 0),
            sequence & 0xFFFF,
            stamp & 0xFFFFFFFF,
            self.ssrcs[kind],
        )
        self.connection.socket.send(self.connection.outbound.protect(head + payload))


async def _paced(seconds: float) -> AsyncIterator[int]:
    """0, 1, 2, ... at an even pace that does not drift."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in itertools.count():
        await asyncio.sleep(max(0.0, start + number * seconds - loop.time()))
        yield number
