"""Members without a browser at the far end of a line: they report as browsers do, and know what came in time."""

import asyncio
import contextlib
import struct
import time
from dataclasses import dataclass, field

from aiortc.rtcdtlstransport import RTCCertificate
from aiortc.rtp import (
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)

from bench.peer import SO_TIMESTAMPNS, Connection
from media import Consumer, Router
from tests.media.plane import probe
from tests.media.plane.eyes import Eye
from tests.media.samples import TRANSPORT_CC, everything
from tests.shaped.people import Person, connect, keep, paced

PLAYOUT_US = 250_000  # sound that comes later than this was made up meanwhile
REPORT_SECONDS = 0.1
SECOND = 1_000_000
LOUD_BYTES = 20  # of a voice packet that is not silence


@dataclass
class Ear:
    """One voice: the frames that came in time, each known by when it was sent."""

    consumer: Consumer
    speaker: Person
    red: int
    opus: int
    heard: set[int] = field(default_factory=set)

    def take(self, payload_type: int, payload: bytes, arrival_us: int) -> None:
        frames = [payload]
        if payload_type == self.red:
            parsed = probe.parse_red(payload, self.opus)
            assert parsed is not None
            frames = [parsed[0], *(copy for _, copy in parsed[1])]
        for frame in frames:
            sent = struct.unpack("!Q", frame[-8:])[0]
            if len(frame) > LOUD_BYTES and arrival_us - sent <= PLAYOUT_US:
                self.heard.add(sent)

    def spoken(self, since_us: int, until_us: int) -> list[int]:
        """The frames that were there to be heard."""
        return [sent for sent in self.speaker.spoken if since_us <= sent < until_us]


class Member:
    """Somebody at a PC: hears and sees all of these people."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ears: list[Ear] = []
        self.eyes: list[Eye] = []  # as the people are given
        self.pictures: list[Consumer] = []  # the same
        self._ears: dict[int, Ear] = {}  # by SSRC
        self._eyes: dict[int, Eye] = {}
        self._arrivals = probe.Arrivals()
        self._transport_cc = 0
        self._counted: dict[
            int, list[int]
        ] = {}  # by SSRC: first, highest, received, and those as last reported
        self._reports: dict[int, tuple[int, int]] = {}  # of senders: the middle of the NTP time, when it came
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def sit_down(
        cls,
        router: Router,
        host: str,
        people: list[Person],
        certificate: RTCCertificate,
        by: tuple[str, int] | None = None,
    ) -> "Member":
        transport = router.create_transport("recv")
        member = cls(await connect(transport, host, certificate, by))
        for person in people:
            heard = transport.consume(person.microphone.id, everything())
            types = {codec["mimeType"]: codec["payloadType"] for codec in heard.rtp_parameters["codecs"]}
            ear = Ear(heard, person, types["audio/red"], types["audio/opus"])
            member.ears.append(ear)
            member._ears[_ssrc(heard)] = ear
            seen = transport.consume(person.camera.id, everything())
            eye = Eye(_ssrc(seen), seen.rtp_parameters["codecs"][1]["payloadType"])
            member.pictures.append(seen)
            member.eyes.append(eye)
            member._eyes[eye.ssrc] = member._eyes[eye.ssrc + 1] = eye
            member._transport_cc = next(
                one["id"] for one in seen.rtp_parameters["headerExtensions"] if one["uri"] == TRANSPORT_CC
            )
        asyncio.get_running_loop().add_reader(member.connection.socket, member._read)
        member._tasks = [asyncio.create_task(member._report()), asyncio.create_task(keep(member.connection))]
        for consumer in [*(ear.consumer for ear in member.ears), *member.pictures]:
            consumer.resume()
        return member

    def missed(self, since_us: int, until_us: int) -> float:
        """The share of what was spoken that did not come in time."""
        spoken = [(ear, sent) for ear in self.ears for sent in ear.spoken(since_us, until_us)]
        return sum(sent not in ear.heard for ear, sent in spoken) / max(len(spoken), 1)

    async def leave(self) -> None:
        asyncio.get_running_loop().remove_reader(self.connection.socket)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.connection.socket.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, control, _, _ = self.connection.socket.recvmsg(2048, 64)
                arrival = next(
                    seconds * SECOND + nanoseconds // 1000
                    for _, kind, value in control
                    if kind == SO_TIMESTAMPNS
                    for seconds, nanoseconds in [struct.unpack("qq", value)]
                )
                if data[0] >> 6 != 2:  # not RTP
                    continue
                if 192 <= data[1] <= 223:
                    self._take_rtcp(self.connection.inbound.unprotect_rtcp(data), arrival)
                else:
                    self._take_rtp(self.connection.inbound.unprotect(data), arrival)

    def _take_rtcp(self, clear: bytes, arrival: int) -> None:
        for packet in RtcpPacket.parse(clear):
            if isinstance(packet, RtcpSrPacket):
                middle = packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
                self._reports[packet.ssrc] = (middle, arrival)

    def _take_rtp(self, clear: bytes, arrival: int) -> None:
        parsed = probe.parse_rtp(clear)
        assert parsed is not None
        marker, payload_type, sequence, _, ssrc, extensions, payload = parsed
        for number, value in extensions:
            if number == self._transport_cc:
                self._arrivals.note(int.from_bytes(value), arrival)
        counted = self._counted.setdefault(ssrc, [sequence, sequence, 0, sequence - 1, 0])
        counted[1] = max(counted[1], probe.unwrap16(counted[1], sequence))
        counted[2] += 1
        if ssrc in self._ears:
            self._ears[ssrc].take(payload_type, payload, arrival)
        elif ssrc in self._eyes and payload:
            self._eyes[ssrc].take(payload_type, sequence, payload, arrival, marker=marker)

    async def _report(self) -> None:
        async for number in paced(REPORT_SECONDS):
            now = time.time_ns() // 1000
            message = self._arrivals.message()
            if message:
                self._send(message)
            for eye in self.eyes:
                wanted, key = eye.ask(now)
                if wanted:
                    self._send(
                        bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=eye.ssrc, lost=sorted(wanted)))
                    )
                if key:
                    self._send(bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=eye.ssrc)))
            if number % 10 == 0:
                blocks = [self._block(ssrc, now) for ssrc in self._counted if ssrc in self._ears]
                for at in range(0, len(blocks), 31):
                    self._send(bytes(RtcpRrPacket(ssrc=1, reports=blocks[at : at + 31])))

    def _block(self, ssrc: int, now: int) -> RtcpReceiverInfo:
        first, highest, received, reported, received_before = self._counted[ssrc]
        expected, came = highest - reported, received - received_before
        self._counted[ssrc][3:] = [highest, received]
        middle, at = self._reports.get(ssrc, (0, now))
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=max(expected - came, 0) * 256 // expected if expected > 0 else 0,
            packets_lost=max(highest - first + 1 - received, 0),
            highest_sequence=highest & 0xFFFFFFFF,
            jitter=0,
            lsr=middle,
            dlsr=(now - at) * 65_536 // SECOND if middle else 0,
        )

    def _send(self, packet: bytes) -> None:
        self.connection.socket.send(self.connection.outbound.protect_rtcp(packet))


def _ssrc(consumer: Consumer) -> int:
    ssrc: int = consumer.rtp_parameters["encodings"][0]["ssrc"]
    return ssrc
