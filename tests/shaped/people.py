"""People without a browser, of whom a test has many: they send a film and a voice, from either end of a line."""

import asyncio
import itertools
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiortc.clock import current_ntp_time
from aiortc.rtcdtlstransport import RTCCertificate
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket
from pylibsrtp import Error

from bench.cameras import voice
from bench.namespaces import entered
from bench.peer import CONSENT, Connection, open_socket, reach
from media import Producer, Router, Transport
from tests.media import samples
from tests.shaped.film import FRAMES_A_SECOND, Frame, film
from tests.shaped.line import SERVER_ADDRESS

PACKET_BYTES = 1_100
VIDEO, RED, OPUS = 96, 63, 111
VIDEO_CLOCK, AUDIO_CLOCK = 90_000, 48_000
VOICE_SECONDS = 0.02
VOICE_BPS = 40_000  # as the browser client asks for
REPORT_SECONDS = 1.0
SILENCE_EVERY = 20  # voice packets; Opus sends one a 400 ms meanwhile (DTX)
LOUD, SILENT = 20, 127  # -dBov
KEPT = 512  # packets that can be sent again


@dataclass(frozen=True, slots=True)
class Layer:
    """One size of a camera."""

    width: int
    height: int
    bps: int


SMALL = (Layer(160, 90, 60_000),)
SIMULCAST = (Layer(160, 90, 120_000), Layer(320, 180, 500_000))


@dataclass
class Stream:
    """Sequence numbers and what was sent, of one SSRC."""

    ssrc: int
    payload_type: int
    sequence: int = 1
    stamp: int = 0
    octets: int = 0
    kept: dict[int, bytes] = field(default_factory=dict)  # encrypted

    def packet(self, stamp: int, payload: bytes, *, marker: bool, level: int | None = None) -> bytes:
        """The next one."""
        head = struct.pack(
            "!BBHII",
            0x90 if level is not None else 0x80,
            self.payload_type | (0x80 if marker else 0),
            self.sequence & 0xFFFF,
            stamp & 0xFFFFFFFF,
            self.ssrc,
        )
        if level is not None:
            head += struct.pack("!HHBBxx", 0xBEDE, 1, 0x10, level)  # extension 1, RFC 6464
        packet = head + payload
        self.stamp = stamp
        self.octets += len(payload)
        self.sequence += 1
        return packet

    def keep(self, sequence: int, sent: bytes) -> None:
        """As it was sent: a number is encrypted once (RFC 3711 section 3.3.1), and libsrtp refuses to do it again."""
        self.kept[sequence & 0xFFFF] = sent
        self.kept.pop((sequence - KEPT) & 0xFFFF, None)

    def report(self) -> bytes:
        """RFC 3550 section 6.4.1: when the newest packet was sent, near enough."""
        sender = RtcpSenderInfo(
            ntp_timestamp=current_ntp_time(),
            rtp_timestamp=self.stamp & 0xFFFFFFFF,
            packet_count=self.sequence - 1,
            octet_count=self.octets & 0xFFFFFFFF,
        )
        return bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=sender))


class Person:
    """Sends until `leave`; speaks while `speaking`."""

    def __init__(self, connection: Connection, number: int, layers: tuple[Layer, ...]) -> None:
        self.connection = connection
        self.layers = layers
        self.voice = Stream(10_000 * number + 9_000, RED)
        self.pictures = [Stream(10_000 * number + 1_000 + i, VIDEO) for i in range(len(layers))]
        self.speaking = True
        self.spoken: list[int] = []  # when each frame was sent
        self.microphone: Producer
        self.camera: Producer
        self._wanted = [False for _ in layers]  # key frames
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def arrive(
        cls, router: Router, host: str, number: int, layers: tuple[Layer, ...], certificate: RTCCertificate
    ) -> "Person":
        """With camera and microphone on, at that end of the line; without layers with the microphone alone."""
        transport = router.create_transport("send")
        connection = await connect(transport, host, certificate)
        person = cls(connection, number, layers)
        person.microphone = transport.produce("audio", _microphone(person.voice.ssrc), microphone=True)
        if layers:
            person.camera = transport.produce("video", _camera([one.ssrc for one in person.pictures]))
        films = [film(layer.width, layer.height, layer.bps) for layer in layers]
        person._tasks = [
            asyncio.create_task(person._speak()),
            asyncio.create_task(person._listen()),
            asyncio.create_task(person._report()),
            asyncio.create_task(keep(connection)),
            *(asyncio.create_task(person._show(i, frames)) for i, frames in enumerate(films)),
        ]
        return person

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        self.connection.socket.close()
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends

    async def _speak(self) -> None:
        """Each packet repeats the frame before it (RFC 2198). A frame ends with the time when it was sent,
        which a decoder takes for sound."""
        before = b""
        async for number in paced(VOICE_SECONDS):
            if not self.speaking and number % SILENCE_EVERY:
                before = b""
                continue
            now = time.time_ns() // 1000
            sent = struct.pack("!Q", now)
            if self.speaking:
                self.spoken.append(now)
            own = voice(VOICE_BPS)[: -len(sent)] + sent if self.speaking else voice(VOICE_BPS)[:1] + sent
            stamp = int(number * AUDIO_CLOCK * VOICE_SECONDS)
            back = int(AUDIO_CLOCK * VOICE_SECONDS) << 10 | len(before)
            copy = bytes([0x80 | OPUS]) + back.to_bytes(3) if before else b""
            level = LOUD if self.speaking else SILENT
            payload = copy + bytes([OPUS]) + before + own
            self._send(self.voice, self.voice.packet(stamp, payload, marker=False, level=level))
            before = own

    async def _show(self, layer: int, frames: tuple[Frame, ...]) -> None:
        stream = self.pictures[layer]
        place, base = 0, 0
        async for number in paced(1 / FRAMES_A_SECOND):
            if self._wanted[layer] or place == len(frames):
                self._wanted[layer] = False
                place = 0
            frame = frames[place]
            place += 1
            base += frame.temporal == 0
            head = struct.pack(
                "!BBHBB", 0, 0xF0, 0x8000 | number & 0x7FFF, base & 0xFF,
                frame.temporal << 6 | frame.sync << 5,
            )  # fmt: skip
            pieces = [frame.data[at : at + PACKET_BYTES] for at in range(0, len(frame.data), PACKET_BYTES)]
            for index, piece in enumerate(pieces):
                first = bytes([0x80 if index else 0x90])  # RFC 7741 section 4.2: X, and S of the first
                packet = stream.packet(
                    number * VIDEO_CLOCK // FRAMES_A_SECOND,
                    first + head[1:] + piece,
                    marker=index == len(pieces) - 1,
                )
                self._send(stream, packet)

    async def _report(self) -> None:
        async for _ in paced(REPORT_SECONDS):
            for stream in (self.voice, *self.pictures):
                if stream.stamp:
                    self.connection.socket.send(self.connection.outbound.protect_rtcp(stream.report()))

    async def _listen(self) -> None:
        while True:
            data = await asyncio.get_running_loop().sock_recv(self.connection.socket, 2048)
            if not 192 <= data[1] <= 223:  # RTCP, by RFC 5761
                continue
            try:
                clear = self.connection.inbound.unprotect_rtcp(data)
            except Error:  # far older than what came before it
                continue
            for packet in RtcpPacket.parse(clear):
                if isinstance(packet, RtcpRtpfbPacket | RtcpPsfbPacket):
                    self._obey(packet)

    def _obey(self, packet: RtcpRtpfbPacket | RtcpPsfbPacket) -> None:
        for layer, stream in enumerate(self.pictures):
            if packet.media_ssrc != stream.ssrc:
                continue
            if isinstance(packet, RtcpPsfbPacket):
                self._wanted[layer] = True
                continue
            for sequence in packet.lost:
                if sequence in stream.kept:
                    self.connection.socket.send(stream.kept[sequence])

    def _send(self, stream: Stream, packet: bytes) -> None:
        sent = self.connection.outbound.protect(packet)
        stream.keep(stream.sequence - 1, sent)
        self.connection.socket.send(sent)


async def connect(
    transport: Transport, host: str, certificate: RTCCertificate, by: tuple[str, int] | None = None
) -> Connection:
    """Bring a transport up from a socket at that end of the line, `by` a relay there if that is the only way."""
    transport.set_admitted(True)
    fingerprint = certificate.getFingerprints()[0]
    await transport.connect(
        {
            "role": "client",
            "fingerprints": [{"algorithm": fingerprint.algorithm, "value": fingerprint.value}],
        }
    )
    options = transport.parameters()
    port = next(one["port"] for one in options["iceCandidates"] if one["protocol"] == "udp")
    with entered(host):
        sock = open_socket()
        sock.connect(by or (SERVER_ADDRESS, port))
    return await reach(sock, options["iceParameters"], certificate)


async def keep(connection: Connection) -> None:
    """Show for ever that this end is still there (RFC 7675)."""
    async for _ in paced(CONSENT):
        connection.socket.send(connection.check)


def _microphone(ssrc: int) -> dict[str, Any]:
    parameters = samples.microphone(ssrc)
    red = {"mimeType": "audio/red", "payloadType": RED, "clockRate": AUDIO_CLOCK, "channels": 2}
    parameters["codecs"].insert(0, red | {"parameters": {"": f"{OPUS}/{OPUS}"}, "rtcpFeedback": []})
    return parameters


def _camera(ssrcs: list[int]) -> dict[str, Any]:
    parameters = samples.camera()
    parameters["headerExtensions"] = []
    parameters["encodings"] = [
        {"ssrc": ssrc, "rtx": {"ssrc": ssrc + 500}, "scalabilityMode": "L1T3"} for ssrc in ssrcs
    ]
    return parameters


async def paced(seconds: float) -> AsyncIterator[int]:
    """0, 1, 2, ... at an even pace that does not drift."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in itertools.count():
        await asyncio.sleep(max(0.0, start + number * seconds - loop.time()))
        yield number
