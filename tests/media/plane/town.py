"""Who sends, who watches, and lines between that several may share: the whole plane on simulated time."""

import heapq
import itertools
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtp import (
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

from media.plane import Encoding
from tests.media.plane import probe
from tests.media.plane.eyes import Eye
from tests.media.plane.links import SECOND, START, Link
from tests.media.plane.world import (
    ABS_SEND_TIME,
    AUDIO,
    SUB_RTX,
    TRANSPORT_CC,
    VIDEO,
    World,
    address,
    rtp,
    vp8,
)

RED, SUB_RED, SUB_OPUS = 63, 103, 102
EXTENSION_ID = 6  # of what the estimate is made from
HEADS = 36  # of RTP with one header extension, and SRTP's tag
IP_UDP = 28  # bytes that the line carries and the plane does not count
FRAME_US = 50_000
VOICE_US = 20_000
VOICE_BYTES, SILENCE_BYTES = 100, 9
SILENCE_EVERY = 20  # voice packets (DTX)
REPORT_US = 100_000
WISH_US = 20_000  # between looks for what is missing
RECEIVER_REPORT_US = 1_000_000
PLAYOUT_US = 250_000  # sound that comes later was made up meanwhile
PACKET_BYTES = 1_100
KEY_FRAMES = 6  # a key frame is so many others of the lowest layer
TEMPORAL = (0, 2, 1, 2)
SHARES = (0.42, 0.2, 0.38)  # of the bits, of each temporal layer


@dataclass
class Sender:
    """Sends until the end: a camera in these sizes (bit/s), and a voice while `speaking`."""

    town: "Town"
    number: int
    layers: tuple[int, ...]
    speaking: bool = True
    spoken: dict[int, int] = field(default_factory=dict)  # when each frame was sent, by number
    keys: int = 0  # key frames sent

    def __post_init__(self) -> None:
        town = self.town
        self.client = town.client()
        first = 10_000 * self.number
        self.ssrcs = [first + i for i in range(len(self.layers))]
        self.voice_ssrc = first + 900
        self.camera = town.video(
            self.client, encodings=[Encoding(ssrc, ssrc + 500) for ssrc in self.ssrcs], mid=f"v{self.number}"
        )
        self.microphone = town.audio(
            self.client, encodings=[Encoding(self.voice_ssrc)], red_payload_type=RED, mid=f"a{self.number}"
        )
        self.sequences = [1] * (len(self.layers) + 1)
        self.wanted = [True] * len(self.layers)
        self.frames = 0
        self.bases = [0] * len(self.layers)
        self.voices = 0
        self.before = b""
        offset = self.number * 3_700
        town.every(FRAME_US, self.show, offset)
        town.every(VOICE_US, self.speak, offset)
        town.every(SECOND, self.report, offset)

    def show(self) -> None:
        """One frame of each size."""
        self.obey()
        temporal = TEMPORAL[self.frames % len(TEMPORAL)]
        for layer, bps in enumerate(self.layers):
            self._show(layer, bps, temporal)
        self.frames += 1

    def _show(self, layer: int, bps: int, temporal: int) -> None:
        key = self.wanted[layer]
        if key:
            self.wanted[layer] = False
            self.keys += 1
            temporal = 0
        size = bps / 8 * FRAME_US / SECOND * SHARES[temporal] / (TEMPORAL.count(temporal) / len(TEMPORAL))
        size *= self.town.dice.uniform(0.7, 1.3)
        left = int(size * KEY_FRAMES if key else size)
        self.bases[layer] += temporal == 0
        first = True
        while left > 0:
            payload = vp8(
                self.frames, key=key, first=first, temporal=temporal, sync=temporal > 0,
                tl0=self.bases[layer], size=min(left, PACKET_BYTES),
            )  # fmt: skip
            left -= PACKET_BYTES
            stamp = self.frames * FRAME_US * 9 // 100
            self._send(layer, stamp, self.ssrcs[layer], payload, VIDEO, marker=left <= 0)
            first = False

    def speak(self) -> None:
        """A frame, behind a copy of the one before (RFC 2198)."""
        self.voices += 1
        if not self.speaking and self.voices % SILENCE_EVERY:
            self.before = b""
            return
        size = VOICE_BYTES if self.speaking else SILENCE_BYTES
        if self.speaking:
            self.spoken[self.voices] = self.town.now
        own = struct.pack("!I", self.voices) + bytes(size - 4)
        copy = bytes([0x80 | AUDIO]) + (960 << 10 | len(self.before)).to_bytes(3) if self.before else b""
        payload = copy + bytes([AUDIO]) + self.before + own
        self._send(len(self.layers), self.voices * 960, self.voice_ssrc, payload, RED)
        self.before = own

    def _send(
        self, stream: int, stamp: int, ssrc: int, payload: bytes, kind: int, *, marker: bool = False
    ) -> None:
        sequence = self.sequences[stream]
        self.sequences[stream] += 1
        self.client.send(rtp(sequence, stamp, ssrc, payload, payload_type=kind, marker=marker))

    def report(self) -> None:
        """RFC 3550 section 6.4.1: from these come the subscribers' round trips."""
        for stream, ssrc in enumerate([*self.ssrcs, self.voice_ssrc]):
            clock = 9 if stream < len(self.layers) else 4.8
            info = RtcpSenderInfo(
                ntp_timestamp=(self.town.now << 32) // SECOND,
                rtp_timestamp=int(self.town.now * clock / 100) & 0xFFFFFFFF,
                packet_count=1,
                octet_count=1,
            )
            self.client.send_rtcp(bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info)))

    def obey(self) -> None:
        """Whatever key frames are asked for."""
        for packet in self.client.rtcp:
            if isinstance(packet, RtcpPsfbPacket) and packet.media_ssrc in self.ssrcs:
                self.wanted[self.ssrcs.index(packet.media_ssrc)] = True
        self.client.rtcp.clear()
        self.client.raw.clear()


@dataclass
class Ear:
    """A voice: when each of its frames came, as itself or as a copy."""

    speaker: Sender
    consumer: int
    heard: dict[int, int] = field(default_factory=dict)
    arrived: list[tuple[int, bool]] = field(default_factory=list)  # packets: when, and whether with a copy

    def take(self, payload: bytes, now: int) -> None:
        parsed = probe.parse_red(payload, SUB_OPUS)
        frames = [payload] if parsed is None else [parsed[0], *(copy for _, copy in parsed[1])]
        self.arrived.append((now, len(frames) > 1))
        for frame in frames:
            self.heard.setdefault(struct.unpack_from("!I", frame)[0], now)

    def missed(self, since_us: int, until_us: int) -> tuple[int, int]:
        """How many frames did not come in time, and of how many."""
        spoken = [(n, at) for n, at in self.speaker.spoken.items() if since_us <= at < until_us]
        return sum(self.heard.get(n, at + SECOND) > at + PLAYOUT_US for n, at in spoken), len(spoken)


class Member:
    """Hears and sees these people over a line, and reports as a browser does."""

    extensions: ClassVar = {TRANSPORT_CC: EXTENSION_ID}
    remb = False  # promised

    def __init__(self, town: "Town", line: Link, people: list[Sender], back_us: int) -> None:
        self.town = town
        self.line = line
        self.back_us = back_us
        self.client = town.client()
        self.client.take = self.take  # type: ignore[method-assign]
        self.arrivals = probe.Arrivals()
        self.ears: dict[int, Ear] = {}
        self.eyes: dict[int, Eye] = {}  # by SSRC, in the order of people
        self.pictures: list[int] = []  # consumers, in the same order
        self.counted: dict[int, list[int]] = {}
        self.reports: dict[int, tuple[int, int]] = {}
        for number, person in enumerate(people):
            voice, picture = 1_000 + number, 2_000 + 2 * number
            heard = town.listen(
                self.client, person.microphone, ssrc=voice, payload_type=SUB_OPUS,
                red_payload_type=SUB_RED, header_extensions=self.extensions,
            )  # fmt: skip
            self.ears[voice] = Ear(person, heard)
            self.pictures.append(
                town.watch(
                    self.client,
                    person.camera,
                    ssrc=picture,
                    rtx_ssrc=picture + 1,
                    header_extensions=self.extensions,
                    remb=self.remb,
                )
            )
            self.eyes[picture] = self.eyes[picture + 1] = Eye(picture, SUB_RTX)
        offset = len(town.members) * 7_300
        town.every(REPORT_US, self.report, offset)
        town.every(WISH_US, self.wish, offset)
        town.every(RECEIVER_REPORT_US, self.report_losses, offset)

    @property
    def budget(self) -> int:
        return self.town.core.transport_statistics(self.client.transport).budget_bps

    def pictures_a_second(self, since_us: int, until_us: int) -> float:
        """Of all cameras together."""
        return sum(eye.rate(since_us, until_us) for ssrc, eye in self.eyes.items() if ssrc == eye.ssrc)

    def eye(self, number: int) -> Eye:
        """Of the person of that number."""
        return self.eyes[2_000 + 2 * number]

    def take(self, packet: bytes) -> None:
        now = self.town.now
        if 192 <= packet[1] <= 223:
            clear = self.client.inbound.unprotect_rtcp(packet)
            if clear[1] == 200:
                middle = int.from_bytes(clear[10:14])
                self.reports[int.from_bytes(clear[4:8])] = (middle, now)
            return
        parsed = probe.parse_rtp(self.client.inbound.unprotect(packet))
        assert parsed is not None
        marker, kind, sequence, _, ssrc, extensions, payload = parsed
        for number, value in extensions:
            if number == EXTENSION_ID:
                self.note(int.from_bytes(value), ssrc, len(packet))
        counted = self.counted.setdefault(ssrc, [sequence, sequence, 0, sequence - 1, 0])
        counted[1] = max(counted[1], probe.unwrap16(counted[1], sequence))
        counted[2] += 1
        if ssrc in self.ears:
            self.ears[ssrc].take(payload, now)
        elif payload:
            self.eyes[ssrc].take(kind, sequence, payload, now, marker=marker)

    def note(self, number: int, ssrc: int, size: int) -> None:
        """A packet has come, with that in its extension."""
        del ssrc, size
        self.arrivals.note(number, self.town.now)

    def report(self) -> None:
        message = self.arrivals.message()
        if message:
            self.send(message)

    def wish(self) -> None:
        """Packets again, key frames."""
        for ssrc, eye in self.eyes.items():
            if ssrc != eye.ssrc:
                continue
            wanted, key = eye.ask(self.town.now)
            if wanted:
                self.send(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=ssrc, lost=sorted(wanted))))
            if key and self.town.now - eye.asked_us > 300_000:
                eye.asked_us = self.town.now
                self.send(bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=ssrc)))

    def report_losses(self) -> None:
        blocks = [self._block(ssrc, counted) for ssrc, counted in self.counted.items()]
        for at in range(0, len(blocks), 31):
            self.send(bytes(RtcpRrPacket(ssrc=1, reports=blocks[at : at + 31])))

    def _block(self, ssrc: int, counted: list[int]) -> RtcpReceiverInfo:
        first, highest, received, reported, before = counted
        expected, came = highest - reported, received - before
        counted[3:] = [highest, received]
        middle, at = self.reports.get(ssrc, (0, 0))
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=max(expected - came, 0) * 256 // (expected + 1) if expected > 0 else 0,
            packets_lost=max(highest - first + 1 - received, 0),
            highest_sequence=highest & 0xFFFFFFFF,
            jitter=0,
            lsr=middle,
            dlsr=(self.town.now - at) * 65_536 // SECOND if middle else 0,
        )

    def send(self, packet: bytes) -> None:
        self.town.after(self.back_us, lambda: self.client.send_rtcp(packet))

    def copies(self, since_us: int, until_us: int) -> float:
        """The share of voice packets that came with a copy of the one before."""
        copies = [copy for ear in self.ears.values() for at, copy in ear.arrived if since_us <= at < until_us]
        return sum(copies) / max(len(copies), 1)

    def missed(self, since_us: int, until_us: int) -> float:
        """The share of what was spoken that did not come in time."""
        counts = [ear.missed(since_us, until_us) for ear in self.ears.values()]
        return sum(one for one, _ in counts) / max(sum(all_ for _, all_ in counts), 1)


class Silent(Member):
    """Promises to estimate the line himself, and never says a word."""

    extensions: ClassVar = {ABS_SEND_TIME: EXTENSION_ID}
    remb = True

    def note(self, number: int, ssrc: int, size: int) -> None:
        pass


class Estimating(Silent):
    """Estimates the line himself, each picture by itself as aiortc's receivers do, and says so by REMB."""

    def __init__(self, town: "Town", line: Link, people: list[Sender], back_us: int) -> None:
        self.estimators: dict[int, RemoteBitrateEstimator] = {}
        self.words: list[tuple[int, int, int]] = []  # when, by which estimator, bit/s
        super().__init__(town, line, people, back_us)

    def estimator_of(self, ssrc: int) -> int | None:
        """By the SSRC of a picture or its RTX; sound has none."""
        return self.eyes[ssrc].ssrc if ssrc in self.eyes else None

    def note(self, number: int, ssrc: int, size: int) -> None:
        which = self.estimator_of(ssrc)
        if which is None:
            return
        estimator = self.estimators.setdefault(which, RemoteBitrateEstimator())
        found = estimator.add(self.town.now // 1_000, number, size - HEADS, ssrc)
        if found is not None:
            self.words.append((self.town.now, which, found[0]))
            self.send(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=pack_remb_fci(*found))))


class EstimatingTogether(Estimating):
    """All that comes together, sound too, as older libwebrtc does."""

    def estimator_of(self, ssrc: int) -> int | None:
        del ssrc
        return 0


class Town(World):
    """The plane, the people, and whatever is on its way between them."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed=seed)
        self.now = START
        self.dice = random.Random(seed)  # noqa: S311  a network, not a secret
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.members: dict[bytes, Member] = {}
        self.senders: list[Sender] = []

    def after(self, microseconds: int, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + microseconds, next(self.order), event))

    def every(self, microseconds: int, event: Callable[[], None], offset: int = 0) -> None:
        def again() -> None:
            self.after(microseconds, again)
            event()

        self.after(offset % microseconds, again)

    def sender(self, *layers: int, speaking: bool = True) -> Sender:
        """Somebody with a camera of these sizes, in bit/s."""
        self.senders.append(Sender(self, len(self.senders) + 1, layers, speaking))
        return self.senders[-1]

    def member(
        self, line: Link, people: list[Sender], *, back_us: int = 25_000, kind: type[Member] = Member
    ) -> Member:
        """Somebody at the end of a line, who hears and sees these."""
        member = kind(self, line, people, back_us)
        self.members[member.client.address] = member
        return member

    def move(self, member: Member, line: Link, *, back_us: int) -> None:
        """To another network. What is on its way still comes."""
        del self.members[member.client.address]
        member.line = line
        member.back_us = back_us
        member.client.address = address(60_000, host=2)
        self.members[member.client.address] = member
        self.core.set_remote_address(member.client.transport, member.client.address)

    def collect(self) -> None:
        for to, packet in self.core.sent():
            member = self.members.get(to)
            if member is None:
                next(one for one in self.clients if one.address == to).take(packet)
                continue
            due = member.line.carry(len(packet) + IP_UDP, self.now)
            if due is not None:
                self.after(due - self.now, lambda packet=packet, member=member: member.take(packet))  # type: ignore[misc]

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + int(seconds * SECOND)
        wanted: int | None = self.now
        while True:
            due = min(self.events[0][0] if self.events else until, wanted or until)
            if due >= until:
                break
            self.now = max(due, self.now)
            while self.events and self.events[0][0] <= self.now:
                heapq.heappop(self.events)[2]()
            wanted = self.core.advance(self.now)
            self.collect()
            if wanted <= self.now:
                wanted = self.now + 1
        self.now = until
