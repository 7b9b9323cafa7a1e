"""A core with clients around it, on simulated time: what the plane's behaviour is tested with."""

import itertools
import struct
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtcpPacket, RtpPacket
from pylibsrtp import Policy, Session

from media.plane import Core, Encoding, Exchange, Profile

PROFILES = {
    Profile.AEAD_AES_128_GCM: (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    Profile.AEAD_AES_256_GCM: (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    Profile.AES_CM_128_HMAC_SHA1_80: (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ORIENTATION = "urn:3gpp:video-orientation"

VIDEO, RTX, AUDIO = 96, 97, 111  # the publisher's payload types
SUB_VIDEO, SUB_RTX, SUB_AUDIO = 100, 101, 102  # the subscribers'
START = 1_000_000
FRAME_US = 33_333


def address(port: int, socket: int = 0, *, host: int = 1) -> bytes:
    """127.0.0.1, or another host of that network, at a port, in the plane's form."""
    return bytes(10) + b"\xff\xff\x7f\0\0" + bytes([host, *bytes(4), *port.to_bytes(2), 0, socket])


def rtp(
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    payload_type: int = VIDEO,
    marker: bool = False,
    extensions: tuple[tuple[int, bytes], ...] = (),
    padding: int = 0,
) -> bytes:
    """An RTP packet, with one-byte header extensions."""
    block = b"".join(bytes([number << 4 | len(value) - 1]) + value for number, value in extensions)
    block += bytes(-len(block) % 4)
    head = struct.pack(
        "!BBHII",
        0x80 | (0x10 if extensions else 0) | (0x20 if padding else 0),
        payload_type | (0x80 if marker else 0),
        sequence & 0xFFFF,
        timestamp & 0xFFFFFFFF,
        ssrc,
    )
    if extensions:
        head += struct.pack("!HH", 0xBEDE, len(block) // 4) + block
    return head + payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")


def vp8(
    picture: int,
    *,
    key: bool = False,
    first: bool = True,
    temporal: int = 0,
    sync: bool = False,
    tl0: int = 0,
    size: int = 100,
) -> bytes:
    """A VP8 payload with a full descriptor: 15-bit picture id, TL0PICIDX, layer, key index."""
    descriptor = bytes([0x90 if first else 0x80, 0xF0])
    descriptor += struct.pack("!H", 0x8000 | picture & 0x7FFF)
    descriptor += bytes([tl0 & 0xFF, temporal << 6 | (0x20 if sync else 0) | 1])
    body = (b"\x10" if key else b"\x11") if first else b"\xaa"
    return descriptor + body + bytes(max(size - len(descriptor) - 1, 0))


def h264(index: int, mark: int, *, key: bool = False, last: bool = False, size: int = 100) -> bytes:
    """The payload of a frame's packet number `index`, as encoders cut it: before a key picture its parameter sets,
    then fragments (FU-A) filled with `mark`."""
    if key and index == 0:
        return bytes.fromhex("18 0004 6742001f 0002 68ce")
    flags = (0x80 if index == int(key) else 0) | (0x40 if last else 0)
    return bytes([0x7C, flags | (5 if key else 1)]).ljust(size, bytes([mark]))


class Client:
    """One client's end of a transport: encrypts what it sends, decrypts and keeps what it gets."""

    def __init__(self, world: "World", number: int, profile: Profile, at: bytes | None = None) -> None:
        self.world = world
        self.address = at or address(number)
        self.transport = world.core.add_transport()
        name, length = PROFILES[profile]
        to_plane, from_plane = bytes([number % 256]) * length, bytes([(number + 100) % 256]) * length
        self.outbound = Session(Policy(key=to_plane, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=name))
        inbound = Policy(key=from_plane, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=name)
        inbound.window_size = 8192
        self.inbound = Session(inbound)
        world.core.set_remote_address(self.transport, self.address)
        world.core.set_srtp(self.transport, profile, to_plane, from_plane)
        world.core.set_admitted(self.transport, True)
        self.rtp: list[RtpPacket] = []
        self.rtcp: list[Any] = []
        self.feedback: list[bytes] = []  # transport-cc, which aiortc does not parse
        self.raw: list[bytes] = []

    def send(self, packet: bytes) -> None:
        self.world.core.receive(self.outbound.protect(packet), self.address, self.world.now)
        self.world.collect()

    def send_clear(self, packet: bytes) -> None:
        """Behind decryption: for sequence numbers that a sender's libsrtp would refuse."""
        self.world.core.receive_clear(self.transport, packet, self.world.now)
        self.world.collect()

    def send_rtcp(self, packet: bytes) -> None:
        self.world.core.receive(self.outbound.protect_rtcp(packet), self.address, self.world.now)
        self.world.collect()

    def take(self, packet: bytes) -> None:
        """What the plane sent to this client."""
        if 192 <= packet[1] <= 223:
            clear = self.inbound.unprotect_rtcp(packet)
            if clear[1] == 205 and clear[0] & 0x1F == 15:
                self.feedback.append(clear)
            else:
                self.rtcp.extend(RtcpPacket.parse(clear))
            return
        clear = self.inbound.unprotect(packet)
        self.raw.append(clear)
        self.rtp.append(RtpPacket.parse(clear))

    def sequences(self, payload_type: int = SUB_VIDEO) -> list[int]:
        return [packet.sequence_number for packet in self.rtp if packet.payload_type == payload_type]


class World:
    """The core, its clients and the clock."""

    def __init__(
        self,
        *,
        seed: int = 1,
        profile: Profile = Profile.AEAD_AES_128_GCM,
        exchange: Exchange | None = None,
    ) -> None:
        self.core = Core(seed=seed, exchange=exchange)
        self.profile = profile
        self.now = START
        self.clients: list[Client] = []
        self.lose: Callable[[Client, bytes], bool] = lambda client, packet: False  # noqa: ARG005

    def client(self) -> Client:
        client = Client(self, len(self.clients) + 1, self.profile)
        self.clients.append(client)
        return client

    def collect(self) -> None:
        """Let everything that was sent arrive, but what `lose` takes."""
        by_address = {client.address: client for client in self.clients}
        for to, packet in self.core.sent():
            client = by_address[to]
            if not self.lose(client, packet):
                client.take(packet)

    def advance(self, microseconds: int) -> None:
        """Let time pass, with the plane called as often as it asks."""
        until = self.now + microseconds
        while True:
            wanted = self.core.advance(self.now)
            self.collect()
            if self.now >= until:
                return
            self.now = min(max(wanted, self.now + 1), until)

    def drops(self) -> dict[str, int]:
        return {reason: count for reason, count in self.core.statistics().drops.items() if count}

    def video(self, client: Client, **options: Any) -> int:
        """A VP8 producer with SSRC 1000 and RTX 2000, unless told otherwise."""
        settings: dict[str, Any] = {
            "codec": "vp8",
            "clock_rate": 90_000,
            "payload_type": VIDEO,
            "rtx_payload_type": RTX,
            "encodings": [Encoding(1000, 2000)],
            "cname": "someone",
        }
        return self.core.add_producer(client.transport, "video", **{**settings, **options})

    def audio(self, client: Client, **options: Any) -> int:
        settings: dict[str, Any] = {
            "codec": "opus",
            "clock_rate": 48_000,
            "payload_type": AUDIO,
            "encodings": [Encoding(3000)],
            "cname": "someone",
            "nack": False,
        }
        return self.core.add_producer(client.transport, "audio", **{**settings, **options})

    def watch(self, client: Client, producer: int, **options: Any) -> int:
        """A running video consumer with RTX, SSRC 10, unless told otherwise."""
        settings: dict[str, Any] = {
            "ssrc": 10,
            "payload_type": SUB_VIDEO,
            "rtx_ssrc": 11,
            "rtx_payload_type": SUB_RTX,
            "paused": False,
        }
        return self.core.add_consumer(client.transport, producer, **{**settings, **options})

    def listen(self, client: Client, producer: int, **options: Any) -> int:
        settings: dict[str, Any] = {"ssrc": 20, "payload_type": SUB_AUDIO, "nack": False, "paused": False}
        return self.core.add_consumer(client.transport, producer, **{**settings, **options})


class Camera:
    """Sends frames of a few packets each: VP8 with consistent counters, or H.264 marked by its SSRC."""

    def __init__(
        self,
        client: Client,
        *,
        ssrc: int = 1000,
        sequence: int = 500,
        timestamp: int = 9000,
        picture: int = 100,
        packets: int = 3,
        extensions: tuple[tuple[int, bytes], ...] = (),
        codec: str = "vp8",
    ) -> None:
        self.client = client
        self.codec = codec
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        self.picture = picture
        self.packets = packets
        self.extensions = extensions
        self.tl0 = 0
        self.rtx_sequence = 30_000
        self.sent: dict[int, bytes] = {}

    def packetize(
        self, *, key: bool = False, temporal: int = 0, sync: bool = False, size: int = 100
    ) -> list[bytes]:
        """The packets of the next frame, not sent yet."""
        if temporal == 0:
            self.tl0 += 1
        frame = []
        for index in range(self.packets):
            payload = self.payload(index, key=key, temporal=temporal, sync=sync, size=size)
            packet = rtp(
                self.sequence,
                self.timestamp,
                self.ssrc,
                payload,
                marker=index == self.packets - 1,
                extensions=self.extensions,
            )
            self.sent[self.sequence & 0xFFFF] = packet
            frame.append(packet)
            self.sequence += 1
        self.picture += 1
        self.timestamp += 3000
        return frame

    def payload(self, index: int, *, key: bool, temporal: int, sync: bool, size: int) -> bytes:
        """Of a packet of the next frame."""
        if self.codec == "h264":
            return h264(index, self.ssrc & 0xFF, key=key, last=index == self.packets - 1, size=size)
        first = index == 0
        return vp8(self.picture, key=key, first=first, temporal=temporal, sync=sync, tl0=self.tl0, size=size)

    def frame(self, *, key: bool = False, temporal: int = 0, sync: bool = False, size: int = 100) -> None:
        """Send the next frame and let its time pass."""
        for packet in self.packetize(key=key, temporal=temporal, sync=sync, size=size):
            self.client.send(packet)
        self.client.world.advance(FRAME_US)

    def resend(self, sequence: int, rtx_sequence: int, rtx_ssrc: int = 2000) -> None:
        """Answer a NACK with RTX."""
        self.rtx_sequence += 1
        original = self.sent[sequence & 0xFFFF]
        packet = rtp(
            rtx_sequence,
            struct.unpack_from("!I", original, 4)[0],
            rtx_ssrc,
            original[2:4] + RtpPacket.parse(original).payload,
            payload_type=RTX,
            marker=bool(original[1] & 0x80),
        )
        self.client.send(packet)


def picture_of(packet: RtpPacket) -> int:
    """The picture id of a packet made by `vp8`."""
    return int.from_bytes(packet.payload[2:4], "big") & 0x7FFF


def unbroken(client: Client, codec: str = "vp8") -> bool:
    """Whether the pictures a subscriber got could be decoded: no number is missing, VP8's picture ids go on, and
    H.264's pictures are whole and of another camera only from a key picture on."""
    packets = [packet for packet in client.rtp if packet.payload_type == SUB_VIDEO]
    if steps([packet.sequence_number for packet in packets]) != {1}:
        return False
    if codec == "vp8":
        return steps([picture_of(packet) for packet in packets], 15) == {0, 1}
    mark = None
    for _, pieces in itertools.groupby(packets, lambda packet: packet.timestamp):
        frame = list(pieces)
        key = frame[0].payload[0] == 24
        if not frame[-1].marker or (not key and not frame[0].payload[1] & 0x80):
            return False
        if not key and frame[0].payload[-1] != mark:
            return False
        mark = frame[-1].payload[-1]
    return True


def steps(numbers: list[int], bits: int = 16) -> set[int]:
    """The differences between neighbours, modulo the counter's width."""
    return {(b - a) % (1 << bits) for a, b in itertools.pairwise(numbers)}
