"""What runs under the sanitizer: a small conference, fed with mutated packets, control calls in between.

The packets go in behind decryption (`Core.receive_clear`), so that mutations reach the parsers instead of the
authentication tag, and a share of them goes in front of it. Invariants are checked as well: whatever goes out
decrypts, is well-formed and no larger than a datagram, and no drop reason is without a name.
"""

import random
import struct
import sys
import time
from collections import deque
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from itertools import count
from pathlib import Path
from types import ModuleType

from pylibsrtp import Error, Policy, Session

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
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
)
EXTENSIONS = {uri: number for number, uri in enumerate(URIS, start=1)}
LONGEST = 1600
OPUS = 3  # of the four codecs
CHECK_EVERY = 64


class Instrumented(MetaPathFinder):
    """Finds the instrumented module in the place of the usual one."""

    def __init__(self, path: str) -> None:
        self.path = path

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The one spec that differs."""
        del path, target
        return spec_from_file_location(fullname, self.path) if fullname == "media.plane.native" else None


def load(path: str) -> ModuleType:
    """The plane's package with the instrumented module, without the rest of `media`."""
    media = ModuleType("media")
    media.__path__ = [str(ROOT / "media")]
    sys.modules["media"] = media
    sys.meta_path.insert(0, Instrumented(path))
    return import_module("media.plane")


def address(port: int) -> bytes:
    """An IPv4 address in the plane's form."""
    return bytes(10) + b"\xff\xff\x7f\0\0\x01" + bytes(4) + port.to_bytes(2, "big") + bytes(2)


class Conference:
    """Two clients, each publishing in every codec there is and watching the other, and a tap on everything."""

    def __init__(self, plane: ModuleType, dice: random.Random) -> None:
        self.plane = plane
        self.dice = dice
        self.core = plane.Core(seed=dice.getrandbits(32))
        self.now = 1_000_000
        self.transports: list[int] = []
        self.producers: list[int] = []
        self.consumers: list[int] = []
        self.taps: list[int] = []
        self.receivers: dict[bytes, Session] = {}
        self.watched: dict[int, tuple[int, int]] = {}  # consumer: its transport and producer
        self.seen: deque[tuple[int, int]] = deque(maxlen=200)  # ssrc and sequence number of what went out
        self.sequence = dice.getrandbits(16)
        self.ssrcs = count(10_000, 2)
        self.floor = self.core.add_floor(1, 200_000)
        for number in (1, 2):
            self.join(number)
        for number, transport in enumerate(self.transports):
            self.publish(transport)
            for producer in list(self.producers):
                self.watch(self.transports[1 - number], producer)
        for producer in self.producers:
            self.taps.append(self.core.add_tap(producer, 50, header_extensions=EXTENSIONS))

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

    def publish(self, transport: int) -> None:
        """One producer of each codec; the first with simulcast."""
        simulcast = [self.plane.Encoding(rid=rid) for rid in "lmh"]
        for index, codec in enumerate(("vp8", "vp9", "h264", "opus")):
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
                )
            )

    def watch(self, transport: int, producer: int) -> None:
        """A consumer, with RTX or without."""
        ssrc = next(self.ssrcs)
        rtx = self.dice.random() < 0.7
        red = not rtx and self.producers.index(producer) % 4 == OPUS
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
                core.drain_tap(dice.choice(self.taps))
            case 6:
                self.consumers.remove(consumer)
                core.remove_consumer(consumer)
                self.watch(*self.watched.pop(consumer))
            case 7:
                index = dice.randrange(len(self.taps))
                core.remove_tap(self.taps[index])
                self.taps[index] = core.add_tap(self.producers[index], 50, header_extensions=EXTENSIONS)
            case 8 if self.seen:
                self.miss()
            case _:
                core.drain_events()
                core.drain_control()

    def miss(self) -> None:
        """Ask again for packets that did go out, some of them twice."""
        for ssrc, sequence in self.dice.sample(self.seen, min(len(self.seen), 8)):
            nack = struct.pack("!BBHIIHH", 0x81, 205, 3, 1, ssrc, sequence, self.dice.getrandbits(16))
            for transport in self.transports:
                self.core.receive_clear(transport, nack, self.now)

    def feed(self, packet: bytes) -> None:
        """One packet, mostly decrypted."""
        self.now += self.dice.choice((0, 10, 300, 1_000, 20_000))
        if len(packet) >= 12 and not 192 <= packet[1] <= 223 and self.dice.random() < 0.7:
            # Mostly a plausible next number, or everything would end as a leap of the sequence.
            self.sequence += self.dice.choice((1, 1, 1, 2, 7, -1, -3))
            packet = packet[:2] + (self.sequence & 0xFFFF).to_bytes(2, "big") + packet[4:]
        if self.dice.random() < 0.9:
            self.core.receive_clear(self.dice.choice(self.transports), packet, self.now)
        else:
            self.core.receive(packet, address(self.dice.randrange(4)), self.now)

    def check(self) -> None:
        """What goes out is what a subscriber would take."""
        for to, packet in self.core.sent():
            if len(packet) > LONGEST + 400:
                raise AssertionError(f"{len(packet)} bytes sent")
            receiver = self.receivers[to]
            rtcp = 192 <= packet[1] <= 223
            if not rtcp:
                self.seen.append((int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")))
            try:
                (receiver.unprotect_rtcp if rtcp else receiver.unprotect)(packet)
            except Error as error:
                if "replay" not in str(error):
                    raise
        if "" in self.core.statistics().drops:
            raise AssertionError("a drop without a name")


def mutate(dice: random.Random, corpus: list[bytes]) -> bytes:
    """A corpus packet with some bytes changed, cut, doubled or spliced with another's."""
    packet = bytearray(dice.choice(corpus))
    for _ in range(dice.choice((0, 1, 1, 2, 4, 16))):
        at = dice.randrange(len(packet) + 1)
        match dice.randrange(7):
            case 0 if packet:
                packet[at - 1] = dice.getrandbits(8)
            case 1 if packet:
                packet[at - 1] ^= 1 << dice.randrange(8)
            case 2:
                del packet[at:]
            case 3:
                packet[at:at] = dice.randbytes(dice.choice((1, 2, 4, 40)))
            case 4:
                packet[at : at + 4] = dice.choice((b"\0", b"\xff\xff\xff\xff", b"\x7f\xff", b"\x80\0"))
            case 5:
                other = dice.choice(corpus)
                packet[at:] = other[dice.randrange(len(other) + 1) :]
            case _:
                packet[2:4] = dice.randbytes(2)  # the sequence number, or the length of RTCP
    return bytes(packet[:LONGEST])


def main() -> None:
    """Feed for the given time, then say how much."""
    plane = load(sys.argv[1])
    seconds = float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().getrandbits(32)
    dice = random.Random(seed)  # noqa: S311  mutations, not secrets
    corpus = [path.read_bytes() for path in sorted(CORPUS.glob("*.bin"))]
    print(f"fuzz: seed {seed}, {len(corpus)} seed packets, {seconds:g} s", flush=True)  # noqa: T201
    started = time.monotonic()
    executions = 0
    conferences = 0
    while time.monotonic() - started < seconds:
        conference = Conference(plane, dice)
        conferences += 1
        for round_ in range(4_000):
            conference.feed(mutate(dice, corpus))
            executions += 1
            if round_ % CHECK_EVERY == 0:
                conference.disturb()
                conference.check()
        for transport in conference.transports:
            conference.core.remove_transport(transport)
    rate = executions / (time.monotonic() - started)
    print(f"fuzz: {executions} executions in {conferences} conferences, {rate:.0f} a second, no finding")  # noqa: T201


if __name__ == "__main__":
    main()
