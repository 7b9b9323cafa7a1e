"""The load generator counts datagrams, however they come, and sees how long some were on their way."""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from pylibsrtp import Policy, Session

from bench import load
from bench.peer import open_socket

UDP_SEGMENT = 103  # linux/udp.h
SEGMENT, LAST = 1116, 300


@contextmanager
def counting(
    sockets: list[socket.socket], sessions: dict[int, int] | None = None, *, whole: bool
) -> Iterator[load.Receivers]:
    receivers = load.Receivers([each.fileno() for each in sockets], sessions or {}, whole)
    thread = threading.Thread(target=receivers.run)
    thread.start()
    receivers.begun.wait()
    try:
        yield receivers
        while select.select(sockets, [], [], 0)[0]:
            os.sched_yield()
    finally:
        receivers.stop()
        thread.join()


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(open_socket("127.0.0.1")) for _ in range(3)]


@pytest.mark.parametrize("whole", [False, True])
def test_a_segmented_send_is_as_many_packets_as_it_has_segments(
    sockets: list[socket.socket], *, whole: bool
) -> None:
    packet = bytes([0x80, 96]) + bytes(SEGMENT - 2)
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", SEGMENT))]
    with counting(sockets, whole=whole) as receivers, socket.socket(type=socket.SOCK_DGRAM) as sending:
        for each in sockets:
            for _ in range(5):
                sending.sendmsg([packet * 3 + packet[:LAST]], control, 0, each.getsockname())
            sending.sendto(packet[:LAST], each.getsockname())

    assert receivers.counts() == [21, 21, 21]


def session(key: bytes, direction: int) -> Session:
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM))


@pytest.mark.parametrize("whole", [False, True])
def test_every_packet_of_those_who_are_measured_is(sockets: list[socket.socket], *, whole: bool) -> None:
    key = os.urandom(28)
    inbound = {place: session(key, Policy.SSRC_ANY_INBOUND) for place in (0, 2)}
    sessions = {place: load.session_pointer(each) for place, each in inbound.items()}
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", SEGMENT))]
    with (
        counting(sockets, sessions, whole=whole) as receivers,
        socket.socket(type=socket.SOCK_DGRAM) as sending,
    ):
        began = time.time()
        sent = struct.pack("=q", time.time_ns() - 5_000_000)
        for each in sockets:
            outbound = session(key, Policy.SSRC_ANY_OUTBOUND)
            packets = [
                outbound.protect(bytes([0x80, 96, 0, number]) + bytes(length - 28) + sent)
                for number, length in enumerate((SEGMENT, SEGMENT, SEGMENT, LAST))
            ]
            sending.sendmsg(packets, control, 0, each.getsockname())

    latencies = receivers.take_latencies()
    assert {place: len(each) for place, each in latencies.items()} == {0: 4, 2: 4}
    found = [one for each in latencies.values() for one in each]
    assert all(5 < latency < 5_000 and began < at < time.time() for at, latency in found)
    assert receivers.take_latencies() == {0: [], 2: []}
