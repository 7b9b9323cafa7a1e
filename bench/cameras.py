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
from bench.scenes import Scene, scene
from bench.server import Server

FRAMES_A_SECOND = 30
FRAMES = 60  # two seconds, then from the key frame again
VOICE_MILLISECONDS = 20
PACKET_BYTES = 1_100
VIDEO_CLOCK, AUDIO_CLOCK = 90_000, 48_000
RTCP_PSFB, PLI, FIR = 206, 1, 4
# RFC 7741 section 4.2: the descriptor's S bit, and X with I, L and T: a picture id and a layer follow.
FIRST_OF_FRAME, EXTENDED, WITH_LAYER = 0x10, 0x80, 0xE0
# L1T3: in which temporal layer a frame is, which of them need the lowest alone (RFC 7741's Y: a layer may be entered
# there), and libvpx's own pattern of references for it.
LAYERS = (0, 2, 1, 2)
SYNCS = (False, True, True, False)
LAYERED = (
    "ts_number_layers=3:ts_target_bitrate={},{},{}:ts_rate_decimator=4,2,1:ts_periodicity=4:ts_layer_id=0,2,1,2:"
    "ts_layering_mode=3"
)


@dataclass(frozen=True)
class Picture:
    """What a camera sends: pixels, bits a second, frames a second, whether in three temporal layers (L1T3), of what."""

    width: int
    height: int
    bits: int
    frames_a_second: int = FRAMES_A_SECOND
    layered: bool = False
    scene: Scene = Scene.PORTRAIT


Camera = tuple[Picture, ...]  # the sizes that it sends at once, smallest first

SMALL: Camera = (Picture(640, 360, 600_000),)
LARGE: Camera = (Picture(1280, 720, 1_800_000),)
# As our own client sends in a browser: web/client/src/protocol/rooms/encodings.ts.
SIMULCAST: Camera = (
    Picture(320, 180, 110_000, 15, layered=True),
    Picture(640, 360, 350_000, layered=True),
    Picture(1280, 720, 1_100_000, layered=True),
)


@cache
def film(picture: Picture) -> tuple[bytes, ...]:
    """VP8 frames of the picture's scene, the first of them a key frame and no other."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = picture.width, picture.height, "yuv420p"
    codec.time_base = Fraction(1, picture.frames_a_second)
    codec.bit_rate = picture.bits
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "9999"}
    if picture.layered:
        # kbit/s up to each layer, shared as WebRTC does.
        shares = (picture.bits * percent // 100_000 for percent in (40, 60, 100))
        codec.options |= {"ts-parameters": LAYERED.format(*shares), "error-resilient": "1"}
    packets = []
    for number, luma in enumerate(scene(picture.scene, picture.width, picture.height, FRAMES)):
        chroma = np.full((picture.height // 2, picture.width), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
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
    voice_ssrc: int
    ssrcs: tuple[int, ...]  # of the camera's sizes
    camera: Camera = SMALL
    sending: list[asyncio.Task[None]] = field(default_factory=list)
    _wanted: set[int] = field(default_factory=set)  # SSRCs of which a key frame is asked

    @classmethod
    async def join(
        cls,
        server: Server,
        meeting: str,
        cookie: str,
        certificate: RTCCertificate,
        camera: Camera = SMALL,
    ) -> "Participant":
        """Be in the meeting with camera and microphone on."""
        peer = await join(server.url, cookie, meeting)
        transport, connection = await peer.connect("send", certificate)
        voice_ssrc, *ssrcs = (int.from_bytes(os.urandom(4)) | 1 for _ in range(1 + len(camera)))
        mode = "L1T3" if camera[0].layered else None
        types = {
            "video": await produce(peer, transport, "video", *ssrcs, mode=mode),
            "audio": await produce(peer, transport, "audio", voice_ssrc),
        }
        participant = cls(peer, connection, types, voice_ssrc, tuple(ssrcs), camera)
        showing = [participant._show(*each) for each in zip(camera, ssrcs, strict=True)]
        participant.sending = [
            asyncio.create_task(each) for each in (*showing, participant._speak(), participant._listen())
        ]
        return participant

    async def close(self) -> None:
        """Leave."""
        for task in self.sending:
            task.cancel()
        await asyncio.gather(*self.sending, return_exceptions=True)
        await self.peer.close()

    async def _show(self, picture: Picture, ssrc: int) -> None:
        frames = self._frames(picture, ssrc)
        sequence = itertools.count(1)
        async for number in _paced(1 / picture.frames_a_second):
            stamp = number * VIDEO_CLOCK // picture.frames_a_second
            data, tail = next(frames)
            pieces = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
            for index, piece in enumerate(pieces):
                head = (EXTENDED if tail else 0) | (0 if index else FIRST_OF_FRAME)
                last = index == len(pieces) - 1
                self._send("video", ssrc, next(sequence), stamp, bytes([head]) + tail + piece, marker=last)

    async def _speak(self) -> None:
        async for number in _paced(VOICE_MILLISECONDS / 1000):
            stamp = number * AUDIO_CLOCK * VOICE_MILLISECONDS // 1000
            self._send("audio", self.voice_ssrc, number + 1, stamp, voice(), marker=number == 0)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            packet = await loop.sock_recv(self.connection.socket, 2048)
            if len(packet) > 1 and packet[1] == RTCP_PSFB and packet[0] & 0x1F in (PLI, FIR):
                # The head of RTCP is not encrypted, but it does not say of which size.
                self._wanted.update(self.ssrcs)

    def _frames(self, picture: Picture, ssrc: int) -> Iterator[tuple[bytes, bytes]]:
        """Frames, each with what its descriptor says after the first byte."""
        picture_id = base_id = 0
        while True:
            self._wanted.discard(ssrc)
            for data, (layer, sync) in zip(film(picture), itertools.cycle(zip(LAYERS, SYNCS, strict=True))):
                picture_id += 1
                base_id += layer == 0
                yield data, _layer_tail(picture_id, base_id, layer, sync=sync) if picture.layered else b""
                if ssrc in self._wanted:
                    break

    def _send(self, kind: str, ssrc: int, sequence: int, stamp: int, payload: bytes, *, marker: bool) -> None:
        head = struct.pack(
            "!BBHII",
            0x80,
            self.types[kind] | (0x80 if marker else 0),
            sequence & 0xFFFF,
            stamp & 0xFFFFFFFF,
            ssrc,
        )
        self.connection.socket.send(self.connection.outbound.protect(head + payload))


def _layer_tail(picture_id: int, base_id: int, layer: int, *, sync: bool) -> bytes:
    """The extension of a VP8 descriptor: picture id in 15 bits, TL0PICIDX, TID and Y."""
    layers = layer << 6 | (0x20 if sync else 0)
    return struct.pack("!BHBB", WITH_LAYER, 0x8000 | picture_id & 0x7FFF, base_id & 0xFF, layers)


async def _paced(seconds: float) -> AsyncIterator[int]:
    """0, 1, 2, ... at an even pace that does not drift."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in itertools.count():
        await asyncio.sleep(max(0.0, start + number * seconds - loop.time()))
        yield number
