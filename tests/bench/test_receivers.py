"""The load generator counts datagrams, however they come."""

import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bench import load

UDP_SEGMENT = 103  # linux/udp.h
SEGMENT, LAST = 1116, 300


@contextmanager
def counting(sockets: list[socket.socket], *, whole: bool) -> Iterator[load.Receivers]:
    receivers = load.Receivers([each.fileno() for each in sockets], whole=whole)
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
        opened = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(3)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        yield opened


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
