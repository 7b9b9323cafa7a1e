"""ICE over TCP: framing however the stream is cut, who may connect and for how long, and readers that are slow."""

import itertools
import socket
import struct
from collections.abc import Callable

import pytest
from aiortc.rtp import RtcpPsfbPacket, pack_remb_fci
from hypothesis import given
from hypothesis import strategies as st

from media.plane import is_tcp
from tests.media.plane import probe
from tests.media.plane.world import (
    AUDIO,
    START,
    SUB_AUDIO,
    SUB_VIDEO,
    Camera,
    Client,
    World,
    address,
    rtp,
    steps,
)

STUN = bytes.fromhex("000100002112a442") + bytes(12)
LONGEST = 1600
STRANGERS_MOST = 512
STRANGERS_OF_SOURCE = 64
STRANGER_US = 5_000_000
SILENT_US = 40_000_000


def frame(data: bytes) -> bytes:
    """RFC 4571."""
    return struct.pack("!H", len(data)) + data


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


sizes = st.one_of(st.integers(0, 20), st.sampled_from([LONGEST - 1, LONGEST, LONGEST + 1, 65_535]))


@given(st.lists(sizes, max_size=8), st.lists(st.integers(0, 200_000), max_size=40))
def test_any_cut_of_the_stream_gives_the_same_frames(lengths: list[int], places: list[int]) -> None:
    frames = [bytes([index + 1]) * length for index, length in enumerate(lengths)]
    reader = probe.FrameReader()
    got = [one for part in cut(b"".join(map(frame, frames)), places) for one in reader.read(part)]
    assert got == [one if len(one) <= LONGEST else None for one in frames]


def test_a_stream_of_single_bytes_gives_its_frames() -> None:
    frames = [b"", b"a", bytes(LONGEST), bytes(LONGEST + 1), b"end"]
    reader = probe.FrameReader()
    got = [one for byte in b"".join(map(frame, frames)) for one in reader.read(bytes([byte]))]
    assert got == [b"", b"a", bytes(LONGEST), None, b"end"]


class Wire:
    """One client's end of a TCP connection to the core."""

    def __init__(self, world: World, at: bytes, *, buffer: int | None = None) -> None:
        self.world = world
        self.end, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        if buffer is not None:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.end.setblocking(False)
        self.address = world.core.connect(ours.fileno(), at, world.now)
        ours.close()
        self.reader = probe.FrameReader()

    def send(self, data: bytes, *places: int) -> None:
        """One frame, in as many pieces; each is read before the next is sent."""
        for part in cut(frame(data), list(places)):
            self.end.send(part)
            self.world.core.advance(self.world.now)

    def read(self, most: int = 1 << 20) -> list[bytes]:
        try:
            return [data for data in self.reader.read(self.end.recv(most)) if data is not None]
        except BlockingIOError:
            return []

    def __del__(self) -> None:
        self.end.close()

    def closed(self) -> bool:
        """Whether the core has hung up (and left nothing unread)."""
        try:
            return self.end.recv(1 << 20) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


class TcpClient(Client):
    """A client whose one address is a TCP connection."""

    def __init__(self, world: World, number: int, *, buffer: int | None = None) -> None:
        self.wire = Wire(world, address(number), buffer=buffer)
        assert self.wire.address is not None
        super().__init__(world, number, world.profile, self.wire.address)
        world.clients.append(self)

    def send(self, packet: bytes) -> None:
        self.wire.send(self.outbound.protect(packet), 1, 2, 3, 50)
        self.world.collect()

    def read(self, most: int = 1 << 20) -> None:
        for packet in self.wire.read(most):
            self.take(packet)


Connect = Callable[..., Wire]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def connect(world: World) -> Connect:
    ports = itertools.count(1024)

    def connect(host: bytes = b"\x7f\0\0\x01", *, ipv6: bool = False) -> Wire:
        ip = host.ljust(16, b"\1") if ipv6 else bytes(10) + b"\xff\xff" + host
        at = ip + bytes(4) + next(ports).to_bytes(2, "big") + bytes([ipv6, 0])
        return Wire(world, at)

    return connect


def tcp(world: World) -> dict[str, int]:
    return {what: count for what, count in world.core.statistics().tcp.items() if count}


def watching(world: World, viewer: Client) -> Camera:
    """A publisher by UDP whom the viewer watches."""
    speaker = world.client()
    world.watch(viewer, world.video(speaker))
    return Camera(speaker, packets=4)


class TestMedia:
    def test_a_subscriber_by_tcp_gets_every_packet_in_order(self, world: World) -> None:
        viewer = TcpClient(world, 20)
        camera = watching(world, viewer)
        for index in range(30):
            camera.frame(key=index == 0, size=1100)
            viewer.read()
        assert len(viewer.sequences()) == 120
        assert {(b - a) % 65_536 for a, b in itertools.pairwise(viewer.sequences())} == {1}
        assert world.drops() == {}

    def test_a_publisher_by_tcp_is_seen_by_udp(self, world: World) -> None:
        speaker, viewer = TcpClient(world, 20), world.client()
        world.watch(viewer, world.video(speaker))
        camera = Camera(speaker)
        for index in range(10):
            camera.frame(key=index == 0)
        assert len(viewer.sequences()) == 30

    def test_several_frames_of_one_read_are_all_taken(self, world: World) -> None:
        speaker, viewer = TcpClient(world, 20), world.client()
        world.watch(viewer, world.video(speaker))
        packets = Camera(speaker, packets=8).packetize(key=True)
        speaker.wire.end.send(b"".join(frame(speaker.outbound.protect(packet)) for packet in packets))
        world.advance(1000)
        assert len(viewer.sequences()) == 8

    def test_a_client_moves_between_udp_and_tcp_and_back(self, world: World) -> None:
        viewer = TcpClient(world, 20)
        camera = watching(world, viewer)
        by_udp = address(201)
        camera.frame(key=True)
        viewer.read()
        world.core.set_remote_address(viewer.transport, by_udp)
        viewer.address = by_udp
        camera.frame()
        assert viewer.wire.read() == []
        viewer.address = viewer.wire.address or b""
        world.core.set_remote_address(viewer.transport, viewer.address)
        camera.frame()
        viewer.read()
        assert len(viewer.sequences()) == 12
        assert {(b - a) % 65_536 for a, b in itertools.pairwise(viewer.sequences())} == {1}


class TestSlowReaders:
    def test_one_that_does_not_read_loses_whole_packets_and_nothing_grows(self, world: World) -> None:
        slow = TcpClient(world, 20, buffer=8192)
        camera = watching(world, slow)
        for index in range(60):
            camera.frame(key=index == 0, size=1100)
        dropped = world.drops()["tcp_full"]
        assert dropped > 100
        for _ in range(20):
            slow.read()
            world.advance(1000)
        got = slow.sequences()  # every one decrypted, so none was cut
        assert len(got) + dropped == 240
        assert world.core.statistics().packets_sent >= len(got)

    def test_one_that_reads_in_small_bites_goes_on_where_it_was(self, world: World) -> None:
        slow = TcpClient(world, 20, buffer=8192)
        camera = watching(world, slow)
        for index in range(40):
            camera.frame(key=index == 0, size=1100)
            slow.read(700)
        camera.frame(size=1100)
        for _ in range(200):
            slow.read(700)
            world.advance(1000)
        camera.frame(key=True, size=1100)
        slow.read()
        assert slow.rtp[-1].marker
        assert set(world.drops()) == {"tcp_full"}

    def test_others_are_not_held_up(self, world: World) -> None:
        slow, quick = TcpClient(world, 20, buffer=8192), TcpClient(world, 21)
        camera = watching(world, slow)
        producer = 1 + max(client.transport for client in world.clients)
        world.watch(quick, producer)
        for index in range(60):
            camera.frame(key=index == 0, size=1100)
            quick.read()
        assert len(quick.sequences(SUB_VIDEO)) == 240


class TestStanding:
    def test_pictures_wait_outside_while_what_was_sent_before_is_not_there(self, world: World) -> None:
        """Sound goes on into the connection; once it is read, the pictures come, every one."""
        viewer, speaker = TcpClient(world, 20), world.client()
        world.watch(viewer, world.video(speaker))
        world.listen(viewer, world.audio(speaker))
        camera = Camera(speaker, packets=4)
        fci = pack_remb_fci(4_000_000, [10])
        viewer.send_rtcp(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)))

        numbers = itertools.count(1)

        def second(*, reads: bool) -> int:
            before = world.core.statistics().bytes_sent
            for index in range(30):
                camera.frame(key=index == 0 and reads, size=1000)
                number = next(numbers)
                speaker.send(rtp(number, number * 1600, 3000, b"voice", payload_type=AUDIO))
                if reads:
                    viewer.read()
            return world.core.statistics().bytes_sent - before

        moving = second(reads=True)
        standing = second(reads=False)
        assert standing < moving // 4
        assert moving > 30 * 4 * 1000
        voices = len(viewer.sequences(SUB_AUDIO))
        viewer.read()
        assert len(viewer.sequences(SUB_AUDIO)) == voices + 30
        for _ in range(100):
            world.advance(20_000)
            viewer.read()
        assert len(viewer.sequences()) == 60 * 4
        assert steps(viewer.sequences()) == {1}
        assert world.drops() == {}


class TestEnds:
    def test_who_hangs_up_is_forgotten_and_media_to_him_is_counted(self, world: World) -> None:
        viewer = TcpClient(world, 20)
        camera = watching(world, viewer)
        camera.frame(key=True)
        viewer.read()
        viewer.wire.end.close()
        world.advance(1000)
        camera.frame()
        assert tcp(world) == {"accepted": 1, "ended_by_peer": 1}
        assert world.drops() == {"tcp_closed": 4}
        assert world.core.statistics().tcp_connections == 0

    def test_the_same_port_again_is_another_address(self, world: World) -> None:
        first, second = Wire(world, address(200)), Wire(world, address(200))
        assert first.address is not None
        assert second.address is not None
        assert first.address != second.address
        assert is_tcp(first.address)
        assert not is_tcp(address(200))

    def test_a_stranger_has_five_seconds(self, world: World, connect: Connect) -> None:
        stranger = connect()
        stranger.send(STUN)
        world.advance(STRANGER_US - 100_000)
        assert not stranger.closed()
        world.advance(2_000_000)
        assert stranger.closed()
        assert tcp(world) == {"accepted": 1, "ended_stranger": 1}

    def test_a_stranger_that_sends_a_byte_now_and_then_has_no_longer(
        self, world: World, connect: Connect
    ) -> None:
        stranger = connect()
        message = itertools.cycle(frame(STUN))
        sent = 0
        while not stranger.closed():
            assert sent < STRANGER_US // 250_000 + 5
            stranger.end.send(bytes([next(message)]))
            world.advance(250_000)
            sent += 1
        assert tcp(world) == {"accepted": 1, "ended_stranger": 1}
        assert world.core.statistics().tcp_connections == 0

    def test_whom_a_transport_knows_stays_while_he_is_heard(self, world: World) -> None:
        client = TcpClient(world, 20)
        for _ in range(5):
            world.advance(SILENT_US // 2)
            client.wire.send(STUN)
        assert not client.wire.closed()
        world.advance(SILENT_US + 1_000_000)
        assert client.wire.closed()
        assert tcp(world) == {"accepted": 1, "ended_silent": 1}

    def test_a_removed_transport_takes_its_connections_with_it_after_a_goodbye(self, world: World) -> None:
        client = TcpClient(world, 20)
        world.advance(1_500_000)
        world.core.remove_transport(client.transport)
        world.advance(1_500_000)
        assert not client.wire.closed()
        world.advance(STRANGER_US + 1_000_000)
        assert client.wire.closed()
        assert tcp(world) == {"accepted": 1, "ended_stranger": 1}

    @pytest.mark.parametrize(
        "bytes_", [b"GET / HTTP/1.1\r\n\r\n" + bytes(20_000), frame(b""), frame(b"\x16\xfe\xff" + bytes(40))]
    )
    def test_a_stranger_that_does_not_speak_stun_is_cut(
        self, world: World, connect: Connect, bytes_: bytes
    ) -> None:
        stranger = connect()
        stranger.end.send(bytes_)
        world.advance(1000)
        world.advance(1000)
        assert stranger.closed()
        assert tcp(world) == {"accepted": 1, "ended_not_stun": 1}
        assert world.core.drain_control() == []

    def test_what_is_too_long_from_somebody_known_is_passed_over(self, world: World) -> None:
        client = TcpClient(world, 20)
        client.wire.send(bytes(LONGEST + 1))
        client.wire.send(STUN)
        assert world.drops() == {"too_long": 1}
        assert [datagram.data for datagram in world.core.drain_control()] == [STUN]


class TestBounds:
    def test_one_source_may_have_so_many_strangers(self, world: World, connect: Connect) -> None:
        wires = [connect() for _ in range(STRANGERS_OF_SOURCE)]
        assert all(wire.address for wire in wires)
        assert connect().address is None
        assert connect(b"\x0a\0\0\x01").address is not None
        assert tcp(world) == {"accepted": STRANGERS_OF_SOURCE + 1, "refused_source": 1}

    def test_an_ipv6_line_is_one_source(self, connect: Connect) -> None:
        wires = [
            connect(b"\x20\x01" + bytes(6) + bytes([index]), ipv6=True)
            for index in range(STRANGERS_OF_SOURCE)
        ]
        assert all(wire.address for wire in wires)
        assert connect(b"\x20\x01" + bytes(6) + b"\xff", ipv6=True).address is None
        assert connect(b"\x20\x02", ipv6=True).address is not None

    def test_whom_a_transport_knows_counts_no_more(self, world: World, connect: Connect) -> None:
        for wire in [connect() for _ in range(STRANGERS_OF_SOURCE)]:
            assert wire.address is not None
            world.core.add_address(world.core.add_transport(), wire.address)
        assert connect().address is not None

    def test_the_oldest_stranger_makes_way(self, world: World, connect: Connect) -> None:
        member = connect()
        assert member.address is not None
        world.core.add_address(world.core.add_transport(), member.address)
        strangers = []
        for index in range(STRANGERS_MOST + 1):
            world.now = START + index
            strangers.append(connect(bytes([10, 0, index % 250, 1])))
        assert strangers[0].closed()
        assert not strangers[1].closed()
        assert not member.closed()
        assert world.core.statistics().tcp_connections == STRANGERS_MOST + 1
        assert tcp(world)["ended_displaced"] == 1
