"""The plane on its thread, with real sockets on the loopback."""

import ctypes
import errno
import gc
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pylibsrtp import Policy, Session

from media.plane import Encoding, Plane, Profile, host_and_port
from tests.media.plane.world import AUDIO, rtp, vp8
from tests.patience import PATIENCE_SECONDS

STUN = bytes.fromhex("000100002112a442") + bytes(12)
GCM = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
SO_NO_CHECK = 11

# Of four free ports of one address one is taken at the other.
CROWDED = """
import socket
from pathlib import Path
from media.plane import Plane

Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40003")
taken = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
taken.bind(("::", 40000))
for _ in range(30):
    plane = Plane(["0.0.0.0", "::"], 0)
    assert plane.port > 40000
    plane.stop()
"""


@pytest.fixture
def plane() -> Iterator[Plane]:
    plane = Plane(["127.0.0.1", "::1"], 0, seed=1)
    plane.start()
    yield plane
    plane.stop()


class Peer:
    """A UDP socket whose address the plane has learned by a STUN datagram."""

    def __init__(self, plane: Plane, number: int, family: int = socket.AF_INET) -> None:
        self.plane = plane
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_SECONDS)
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        self.socket.connect((host, plane.port))
        self.socket.send(STUN)
        self.address = wait_for_control(plane)[0]
        self.transport = plane.add_transport()
        plane.set_remote_address(self.transport, self.address)
        to_plane, from_plane = bytes([number]) * 28, bytes([number + 100]) * 28
        plane.set_srtp(self.transport, Profile.AEAD_AES_128_GCM, to_plane, from_plane)
        plane.set_admitted(self.transport, True)
        self.outbound = Session(Policy(key=to_plane, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=GCM))
        self.inbound = Session(Policy(key=from_plane, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=GCM))

    def receive(self) -> bytes:
        """The next RTP packet."""
        while True:
            data = self.socket.recv(2048)
            if not 192 <= data[1] <= 223:
                return self.inbound.unprotect(data)

    def speak(self) -> int:
        """Publish a microphone."""
        return self.plane.add_producer(
            self.transport,
            "audio",
            codec="opus",
            clock_rate=48_000,
            payload_type=AUDIO,
            encodings=[Encoding(3000)],
        )

    def be_seen_by(self, subscriber: "Peer") -> None:
        """Publish a camera that somebody watches."""
        camera = self.plane.add_producer(
            self.transport,
            "video",
            codec="vp8",
            clock_rate=90_000,
            payload_type=96,
            encodings=[Encoding(1000)],
        )
        self.plane.add_consumer(
            subscriber.transport,
            camera,
            ssrc=10,
            payload_type=100,
            rtx_ssrc=11,
            rtx_payload_type=101,
            paused=False,
        )


Join = Callable[..., Peer]


@pytest.fixture
def join(plane: Plane) -> Iterator[Join]:
    peers: list[Peer] = []

    def join(family: int = socket.AF_INET) -> Peer:
        peers.append(Peer(plane, len(peers) + 1, family))
        return peers[-1]

    yield join
    for peer in peers:
        peer.socket.close()


def until(condition: Callable[[], bool]) -> None:
    """The plane counts after the kernel has delivered: wait for the count."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def wait_for_control(plane: Plane) -> tuple[bytes, bytes, int | None]:
    assert select.select([plane.event_fd], [], [], PATIENCE_SECONDS)[0]
    (datagram,) = plane.drain_control()
    return datagram


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_datagram_comes_in_and_is_answered_by_the_same_socket(
    plane: Plane, family: socket.AddressFamily
) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE_SECONDS)
        client.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        client.sendto(STUN, (client.getsockname()[0], plane.port))
        address, data, transport = wait_for_control(plane)
        assert (data, transport) == (STUN, None)
        assert host_and_port(address) == client.getsockname()[:2]
        assert plane.send_datagram(address, b"answer")
        answer, source = client.recvfrom(100)
        assert (answer, source[1]) == (b"answer", plane.port)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_media_goes_from_socket_to_socket(plane: Plane, join: Join, family: int) -> None:
    publisher, subscriber = join(family), join()
    publisher.be_seen_by(subscriber)
    sent = [vp8(1, key=index == 0, first=index == 0, size=900) for index in range(20)]
    for index, payload in enumerate(sent):
        publisher.socket.send(publisher.outbound.protect(rtp(index, 3000, 1000, payload, marker=index == 19)))
    got = [subscriber.receive() for _ in range(20)]
    assert [packet[12 + 6 :][: 900 - 6] for packet in got] == [payload[6:] for payload in sent]
    until(lambda: plane.statistics().packets_sent >= 20)


def test_events_wake_the_control_plane(plane: Plane, join: Join) -> None:
    publisher = join()
    publisher.speak()
    publisher.socket.send(publisher.outbound.protect(rtp(1, 1, 3000, b"x", payload_type=AUDIO)))
    assert select.select([plane.event_fd], [], [], PATIENCE_SECONDS)[0]
    assert plane.drain_control() == []
    assert len(plane.drain_events()) == 1
    assert not select.select([plane.event_fd], [], [], 0)[0]


def test_a_tap_works_across_threads(plane: Plane, join: Join) -> None:
    publisher = join()
    producer = publisher.speak()
    tap = plane.add_tap(producer, 1000)
    packets: list[tuple[int, bytes]] = []
    before = plane.now_us()
    for number in range(500):
        publisher.socket.send(
            publisher.outbound.protect(rtp(number, number, 3000, b"x" * 50, payload_type=AUDIO))
        )
        if number % 50 == 0:
            packets += plane.drain_tap(tap).packets

    def all_came() -> bool:
        packets.extend(plane.drain_tap(tap).packets)
        return len(packets) == 500

    until(all_came)
    arrivals = [arrival for arrival, _ in packets]
    assert arrivals == sorted(arrivals)
    assert before <= arrivals[0] <= plane.now_us()


def test_a_port_in_use_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"{port} on 127.0.0.1") as refused:
            Plane(["127.0.0.1"], port)
    assert refused.value.errno == errno.EADDRINUSE


def test_a_free_port_is_one_that_is_free_at_every_address() -> None:
    alone = ["unshare", "--net"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespaces here")
    subprocess.run([*alone, sys.executable, "-c", CROWDED], check=True)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(OSError, match=r"192\.0\.2\.1") as refused:
        Plane(["192.0.2.1"], 0)
    assert refused.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize("port", [-1, 65_536, "40000", None])
def test_a_wrong_port_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="port"):
        Plane(["127.0.0.1"], port)


def test_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="addresses"):
        Plane([], 0)


def test_stopping_twice_and_dropping_unstopped_leave_no_thread_or_descriptor() -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()
    before = threads(), descriptors()
    plane = Plane(["127.0.0.1"], 0)
    plane.start()
    with pytest.raises(RuntimeError, match="started"):
        plane.start()
    plane.stop()
    plane.stop()
    plane.add_transport()
    assert not plane.send_datagram(bytes(24), b"x")
    dropped = Plane(["127.0.0.1"], 0)
    dropped.start()
    # A thread that was waited for is still listed for a moment.
    until(lambda: threads() == before[0] + 1)
    del plane, dropped
    gc.collect()
    until(lambda: (threads(), descriptors()) == before)


def test_a_running_plane_is_not_fed_by_hand(plane: Plane) -> None:
    with pytest.raises(RuntimeError, match="running"):
        plane.receive(STUN, bytes(24), 1)
    with pytest.raises(RuntimeError, match="running"):
        plane.advance(1)


def test_a_refused_destination_is_counted_and_the_rest_goes_on(plane: Plane, join: Join) -> None:
    publisher, subscriber = join(), join()
    producer = publisher.speak()
    lost = plane.add_transport()
    plane.set_remote_address(
        lost, subscriber.address[:12] + bytes([255] * 4) + subscriber.address[16:]
    )  # broadcast
    plane.set_srtp(lost, Profile.AEAD_AES_128_GCM, bytes(28), bytes(28))
    plane.set_admitted(lost, True)
    for transport in (lost, subscriber.transport):
        plane.add_consumer(transport, producer, ssrc=20, payload_type=111, nack=False, paused=False)
    publisher.socket.send(publisher.outbound.protect(rtp(1, 1, 3000, b"hello", payload_type=AUDIO)))
    assert subscriber.receive().endswith(b"hello")
    until(lambda: plane.statistics().drops["send_refused"] >= 1)


def slice_us(thread: int) -> int:
    """How long a thread runs at a time while others wait, as the kernel has it (sched_getattr(2))."""
    attributes = ctypes.create_string_buffer(48)
    numbers = {"x86_64": 315, "aarch64": 275}
    error = ctypes.CDLL(None).syscall(numbers[os.uname().machine], thread, attributes, len(attributes), 0)
    assert error == 0
    return int.from_bytes(attributes.raw[24:32], "little") // 1000


def plane_threads() -> list[int]:
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has just ended
            if (task / "comm").read_text().strip() == "media-plane":
                found.append(int(task.name))
    return found


@pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 12), reason="Linux has slices from 6.12 on"
)
def test_the_thread_comes_at_once_when_it_is_woken(plane: Plane) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(STUN, ("127.0.0.1", plane.port))
        wait_for_control(plane)  # it runs
    until(lambda: len(plane_threads()) == 1)  # those of earlier tests are still listed for a moment
    (thread,) = plane_threads()
    assert slice_us(thread) == 100 < slice_us(os.getpid())


def test_control_calls_do_not_wait_for_the_thread() -> None:
    """Calls made before there is a thread return all the same, and are carried out, in order, once there is one."""
    plane = Plane(["127.0.0.1"], 0)
    opus: dict[str, Any] = {
        "codec": "opus",
        "clock_rate": 48_000,
        "payload_type": AUDIO,
        "encodings": [Encoding(3000)],
    }
    idle = plane.add_transport()
    producer = plane.add_producer(idle, "audio", **opus)
    for number in range(300):
        consumer = plane.add_consumer(idle, producer, ssrc=number, payload_type=1, nack=False)
        plane.set_consumer_paused(consumer, False)
        plane.remove_consumer(consumer)
    plane.start()
    publisher, subscriber = Peer(plane, 1), Peer(plane, 2)
    try:
        producer = plane.add_producer(publisher.transport, "audio", **opus)
        plane.add_consumer(subscriber.transport, producer, ssrc=1, payload_type=1, nack=False, paused=False)
        publisher.socket.send(publisher.outbound.protect(rtp(1, 1, 3000, b"heard", payload_type=AUDIO)))
        assert subscriber.receive().endswith(b"heard")
    finally:
        publisher.socket.close()
        subscriber.socket.close()
        plane.stop()


def test_a_kernel_that_refuses_segmentation_is_sent_single_datagrams(plane: Plane, join: Join) -> None:
    """Without checksums Linux refuses UDP_SEGMENT: every packet arrives all the same, and the plane learns."""
    publisher, subscriber = join(), join()
    publisher.be_seen_by(subscriber)
    for descriptor in Path("/proc/self/fd").iterdir():
        if descriptor.exists() and descriptor.readlink().name.startswith("socket:"):
            with socket.socket(fileno=os.dup(int(descriptor.name))) as ours:
                if ours.family in {socket.AF_INET, socket.AF_INET6} and ours.getsockname()[1] == plane.port:
                    ours.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    assert plane.statistics().gso_enabled
    frame = 0
    while frame < 8 or (plane.statistics().gso_enabled and frame < 500):  # a busy machine takes frames apart
        for index in range(4):
            payload = vp8(frame, key=frame == 0, first=index == 0, size=900)
            packet = rtp(4 * frame + index, 3000 * frame, 1000, payload, marker=index == 3)
            publisher.socket.send(publisher.outbound.protect(packet))
        got = [subscriber.receive() for _ in range(4)]
        assert [packet[-800:] for packet in got] == [payload[-800:]] * 4
        frame += 1
    statistics = plane.statistics()
    assert statistics.drops["send_refused"] == 0
    assert (statistics.gso_messages, statistics.gso_enabled) == (0, False)


def test_a_connection_that_is_not_read_holds_little_that_is_not_even_on_its_way(plane: Plane) -> None:
    """Else sound comes late by all of it: a quarter of a megabyte is nine seconds of a line of 250 kbit/s."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        reader.connect(("127.0.0.1", plane.port))
        reader.send(len(STUN).to_bytes(2, "big") + STUN)
        address = wait_for_control(plane)[0]
        plane.set_remote_address(plane.add_transport(), address)
        while not plane.statistics().drops["tcp_full"]:
            plane.send_datagram(address, bytes(1100))
        assert plane.statistics().bytes_sent < 128 << 10
