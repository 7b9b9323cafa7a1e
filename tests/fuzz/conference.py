"""What the packets are thrown at: a small conference in one core, with a look at all that comes out of it."""

import random
import struct
from collections import Counter, deque
from contextlib import suppress
from itertools import count
from types import ModuleType
from typing import Any

from pylibsrtp import Error, Policy, Session

PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
URIS = (
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
)
EXTENSIONS = {uri: number for number, uri in enumerate(URIS, start=1)}
FIRST_CONSUMER_SSRC = 10_000
UFRAG, PASSWORD = "fuzzed", "a password of thirty characters"
LONGEST = 1600
PYLIBSRTP_MOST = 1500
CODECS = ("vp8", "vp9", "h264", "opus", "av1")


def address(port: int) -> bytes:
    """An IPv4 address in the plane's form."""
    return bytes(10) + b"\xff\xff\x7f\0\0\x01" + bytes(4) + port.to_bytes(2, "big") + bytes(2)


class Conference:
    """Two clients, each publishing in every codec there is and watching the other, and a tap on everything."""

    def __init__(self, plane: ModuleType, dice: random.Random) -> None:
        self.plane = plane
        self.dice = dice
        self.core: Any = plane.Core(seed=dice.getrandbits(32))
        self.now = 1_000_000
        self.transports: list[int] = []
        self.producers: list[int] = []
        self.consumers: list[int] = []
        self.taps: list[int] = []
        self.captured: list[Any] = []  # what each tap gives becomes frames
        self.receivers: dict[bytes, Session] = {}
        self.senders: list[Session] = []
        self.watched: dict[int, tuple[int, int]] = {}  # consumer: its transport and producer
        self.seen: deque[tuple[int, int]] = deque(maxlen=200)  # ssrc and sequence number of what went out
        self.sequence = dice.getrandbits(16)
        self.ssrcs = count(FIRST_CONSUMER_SSRC, 2)
        self.floor = self.core.add_floor(1, 200_000)
        for number in (1, 2):
            self.join(number)
        for number, transport in enumerate(self.transports):
            self.publish(transport)
            for producer in list(self.producers):
                self.watch(self.transports[1 - number], producer)
        for index, producer in enumerate(self.producers):
            self.taps.append(self.core.add_tap(producer, 50, header_extensions=EXTENSIONS))
            kind = index % len(CODECS)
            self.captured.append(plane.Depacketizer(CODECS[kind], 96 + kind))

    def join(self, number: int) -> None:
        """A client with an address and keys."""
        transport = self.core.add_transport()
        keys = bytes([number]) * 28, bytes([number + 100]) * 28
        self.core.set_remote_address(transport, address(number))
        self.core.set_srtp(transport, 7, *keys)
        self.core.set_admitted(transport, True)
        self.transports.append(transport)
        policy = Policy(key=keys[1], ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE)
        policy.window_size = 4096
        self.receivers[address(number)] = Session(policy)
        self.senders.append(
            Session(Policy(key=keys[0], ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE))
        )

    def publish(self, transport: int) -> None:
        """One producer of each codec; the first with simulcast."""
        simulcast = [self.plane.Encoding(rid=rid) for rid in "lmh"]
        for index, codec in enumerate(CODECS):
            self.producers.append(
                self.core.add_producer(
                    transport,
                    "audio" if codec == "opus" else "video",
                    codec=codec,
                    clock_rate=90_000,
                    payload_type=96 + index,
                    rtx_payload_type=None if codec == "opus" else 106 + index,
                    red_payload_type=63 if codec == "opus" else None,
                    floor=self.floor if codec == "opus" else None,
                    encodings=simulcast
                    if codec == "vp8"
                    else [self.plane.Encoding(1000 + index, 2000 + index)],
                    header_extensions=EXTENSIONS,
                    mid=str(index),
                    cname="fuzz",
                    key_frames_by="fir" if codec == "h264" else "pli",
                    spatial_layers=3 if codec in {"vp9", "av1"} else 1,
                    keyed=codec == "vp9" and self.dice.random() < 0.5,
                )
            )

    def watch(self, transport: int, producer: int) -> None:
        """A consumer, with RTX or without, or of redundant audio, or that asks for nothing again."""
        ssrc = next(self.ssrcs)
        rtx = self.dice.random() < 0.7
        red = not rtx and CODECS[self.producers.index(producer) % len(CODECS)] == "opus"
        consumer = self.core.add_consumer(
            transport,
            producer,
            ssrc=ssrc,
            payload_type=100,
            rtx_ssrc=ssrc + 1 if rtx else None,
            rtx_payload_type=101 if rtx else None,
            red_payload_type=63 if red else None,
            nack=not red,
            header_extensions=EXTENSIONS,
            mid="x",
            paused=False,
        )
        self.consumers.append(consumer)
        self.watched[consumer] = transport, producer

    def disturb(self) -> None:
        """A control call, as signalling makes them."""
        dice, core = self.dice, self.core
        consumer, producer = dice.choice(self.consumers), dice.choice(self.producers)
        match dice.randrange(10):
            case 0:
                core.set_consumer_paused(consumer, dice.random() < 0.5)
            case 1:
                core.set_producer_paused(producer, dice.random() < 0.2)
            case 2:
                core.set_preferred_layers(consumer, dice.randrange(4), dice.choice((None, 0, 1, 2)))
            case 3:
                core.request_key_frame(producer)
            case 4:
                core.set_admitted(dice.choice(self.transports), dice.random() < 0.9)
            case 5:
                index = dice.randrange(len(self.taps))
                self.captured[index].take(core.drain_tap(self.taps[index]).packets, self.now)
            case 6:
                self.consumers.remove(consumer)
                core.remove_consumer(consumer)
                self.watch(*self.watched.pop(consumer))
            case 7:
                index = dice.randrange(len(self.taps))
                core.remove_tap(self.taps[index])
                self.taps[index] = core.add_tap(self.producers[index], 50, header_extensions=EXTENSIONS)
            case 8:
                self.miss()
                self.begin_anew()
            case _:
                self.move()
                core.drain_events()
                core.drain_control()

    def miss(self) -> None:
        """Ask again for packets that did go out, some of them twice."""
        for ssrc, sequence in self.dice.sample(self.seen, min(len(self.seen), 8)):
            nack = struct.pack("!BBHIIHH", 0x81, 205, 3, 1, ssrc, sequence, self.dice.getrandbits(16))
            for transport in self.transports:
                self.core.receive_clear(transport, nack, self.now)

    def begin_anew(self) -> None:
        """A publisher leaps in his numbers, twice, the second time while a packet waits for the rest of its frame."""
        index = CODECS.index("h264")
        first = self.dice.getrandbits(16)
        for number in (first, first + 1, first + 20_000, first + 20_001):
            head = struct.pack("!BBHII", 0x80, 96 + index, number & 0xFFFF, number, 1000 + index)
            self.core.receive_clear(self.transports[0], head + b"\x41" + bytes(20), self.now)

    def move(self) -> None:
        """Let somebody have another address too, or no more."""
        transport, other = self.dice.choice(self.transports), address(3 + self.dice.randrange(3))
        call = self.core.add_address if self.dice.random() < 0.5 else self.core.forget_address
        call(transport, other)

    def feed(self, packet: bytes) -> None:
        """One packet: mostly as if decrypted, so that it reaches the parsers; else encrypted, or as it is."""
        if len(packet) >= 12 and not 192 <= packet[1] <= 223 and self.dice.random() < 0.7:
            # Mostly a plausible next number, or everything would end as a leap of the sequence.
            self.sequence += self.dice.choice((1, 1, 1, 2, 7, -1, -3))
            packet = packet[:2] + (self.sequence & 0xFFFF).to_bytes(2, "big") + packet[4:]
        if (
            len(packet) > 1
        ):  # the depacketizer of its payload type, which relies on nothing the plane has refused
            index = (packet[1] & 0x7F) - 96
            self.captured[index if 0 <= index < len(self.captured) else 0].take(
                [(self.now, packet)], self.now
            )
        way = self.dice.random()
        if way < 0.9:
            self.core.receive_clear(self.dice.choice(self.transports), packet, self.now)
        elif way < 0.95:
            self.core.receive(packet, address(self.dice.randrange(6)), self.now)
        else:
            self.feed_encrypted(packet)

    def feed_encrypted(self, packet: bytes) -> None:
        """By the network, twice now and then: the second time is a replay."""
        number = self.dice.randrange(2)
        rtcp = len(packet) > 1 and 192 <= packet[1] <= 223
        sender = self.senders[number]
        try:
            packet = sender.protect_rtcp(packet) if rtcp else sender.protect(packet)
        except (Error, TypeError, ValueError):
            return  # libsrtp takes no such thing
        for _ in range(self.dice.choice((1, 1, 2))):
            self.core.receive(packet, address(number + 1), self.now)

    def flood(self, packets: list[bytes]) -> None:
        """Far more than anybody may send, while the clock stands still."""
        self.core.set_admitted(self.transports[0], True)
        nack = struct.pack("!BBHII", 0x81, 205, 34, 1, 0) + b"\xff" * 128
        for _ in range(5):
            self.core.receive_clear(self.transports[0], 11 * nack, self.now)
        for number in range(1_100):
            packet = packets[number % len(packets)]
            self.core.receive_clear(self.transports[0], packet.ljust(1_500, b"\0"), self.now)
            self.core.receive_clear(self.transports[0], b"\x80\xc9\0\1\0\0\0\5", self.now)
        for number in range(200):
            stranger = struct.pack("!BBHII", 0x80, 120, number, 0, 90_000 + number) + bytes(8)
            with suppress(Error):  # somebody had this number before
                self.core.receive(self.senders[0].protect(stranger), address(1), self.now)
            self.core.receive(b"\0\1" + bytes(1_500), address(40_000), self.now)

    def check(self) -> None:
        """What goes out is what a subscriber would take."""
        for to, packet in self.core.sent():
            if len(packet) > LONGEST + 400:
                raise AssertionError(f"{len(packet)} bytes sent")
            receiver = self.receivers.get(to)
            if receiver is None or len(packet) > PYLIBSRTP_MOST:
                continue
            rtcp = 192 <= packet[1] <= 223
            if not rtcp:
                self.seen.append((int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")))
            try:
                (receiver.unprotect_rtcp if rtcp else receiver.unprotect)(packet)
            except Error as error:
                if "replay" not in str(error):
                    raise

    def close(self) -> Counter[str]:
        """Why packets were dropped; everything is removed."""
        self.check()
        drops: Counter[str] = Counter(self.core.statistics().drops)
        if "" in drops:
            raise AssertionError("a drop without a name")
        for transport in self.transports:
            self.core.remove_transport(transport)
        return drops
