"""Lost packets are laid at the right door."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.drops import backlog_drops, process_drops, server_drops, socket_drops

PAYLOAD = bytes(1000)


@pytest.fixture
def receiving() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving:
        receiving.bind(("127.0.0.1", 0))
        yield receiving


def send_more_than_fit(receiving: socket.socket) -> int:
    """How many of the datagrams sent are not there to be read."""
    receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * len(PAYLOAD))
    receiving.setblocking(False)
    sent = 100
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for _ in range(sent):
            sending.sendto(PAYLOAD, receiving.getsockname())
    kept = 0
    with contextlib.suppress(BlockingIOError):
        while receiving.recv(len(PAYLOAD)):
            kept += 1
    return sent - kept


def test_what_a_full_socket_refuses_is_counted_exactly(receiving: socket.socket) -> None:
    assert socket_drops(receiving) == 0

    lost = send_more_than_fit(receiving)

    assert lost > 0
    assert socket_drops(receiving) == lost


def test_a_process_has_the_drops_of_its_own_sockets(receiving: socket.socket) -> None:
    before = process_drops(os.getpid())

    lost = send_more_than_fit(receiving)

    assert process_drops(os.getpid()) - before == lost
    assert process_drops(os.getppid()) == 0


def test_the_backlogs_of_all_processors_are_one_number(tmp_path: Path) -> None:
    table = tmp_path / "softnet_stat"
    table.write_text("04ac26c6 0000000a 00000053 00000000\n0056528f 00000010 00000008 00000000\n")

    assert backlog_drops(table) == 0x1A


def test_the_server_tells_its_reasons() -> None:
    metrics = (
        "# TYPE huitang_media_dropped_packets_total counter\n"
        'huitang_media_dropped_packets_total{reason="send_would_block"} 12.0\n'
        'huitang_media_dropped_packets_total{reason="no_keys"} 0.0\n'
        "huitang_media_sent_packets_total 99.0\n"
    )

    assert server_drops(metrics) == {"server: send_would_block": 12, "server: no_keys": 0}
