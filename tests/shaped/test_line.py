"""The line itself does what the other tests rely on."""

import socket
import time
from collections.abc import Iterator

import pytest

from bench.namespaces import NAMES, entered
from tests.patience import PATIENCE_SECONDS
from tests.shaped.line import DOWN, MEMBERS_ADDRESS, SERVER_ADDRESS, CannotShape, Line, make_line

pytestmark = pytest.mark.shaped

SIZE = 1_000  # bytes, with the heads of IP and UDP
PAYLOAD = bytes(SIZE - 28)
LAST = b"last"

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends(line: Line) -> Iterator[Ends]:
    """A socket beside the server, and one of a member that it sends to."""
    with entered(line.server):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind((SERVER_ADDRESS, 0))
    with entered(line.members):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        receiver.bind((MEMBERS_ADDRESS, 0))
    receiver.settimeout(PATIENCE_SECONDS)
    with sender, receiver:
        sender.connect(receiver.getsockname())
        yield sender, receiver


def test_a_queue_holds_so_many_bytes_and_drains_at_the_lines_rate(line: Line, ends: Ends) -> None:
    sender, receiver = ends
    line.shape(800e3, queue_bytes=20_000)
    before = line.counts()[DOWN]
    began = time.monotonic()
    for _ in range(100):
        sender.send(PAYLOAD)
    sending = time.monotonic() - began
    receiver.recv(SIZE)
    while line.counts()[DOWN]["dropped"] + line.counts()[DOWN]["packets"] < before["packets"] + 100:
        receiver.recv(SIZE)
    passed = line.counts()[DOWN]["packets"] - before["packets"]
    assert 20 <= passed <= 40 + sending * 800e3 / 8 / SIZE, "the queue, and what left it while the rest came"
    assert time.monotonic() - began >= (passed - 1) * SIZE * 8 / 800e3


def test_a_far_line_delays_and_loses_its_share(line: Line, ends: Ends) -> None:
    sender, receiver = ends
    line.far(round_trip_seconds=0.3, loss=0.1)
    before = line.counts()[DOWN]
    for _ in range(400):  # fewer than the device itself holds
        sender.send(PAYLOAD)
    while (
        line.counts()[DOWN]["dropped"] + line.counts()[DOWN]["packets"]
        < before["dropped"] + before["packets"] + 400
    ):
        receiver.recv(SIZE)
    line.far(round_trip_seconds=0.3)  # the last one must come
    began = time.monotonic()
    sender.send(LAST)
    while receiver.recv(SIZE) != LAST:
        pass
    assert time.monotonic() - began >= 0.149
    assert 20 <= line.counts()[DOWN]["dropped"] - before["dropped"] <= 60


def test_nothing_is_left_of_a_line_when_a_test_fails() -> None:
    made = []

    def fail() -> None:
        with make_line() as line:
            made.extend([NAMES / line.server, NAMES / line.members])
            assert all(path.exists() for path in made)
            raise RuntimeError

    try:
        with pytest.raises(RuntimeError):
            fail()
    except CannotShape as reason:
        pytest.skip(str(reason))
    assert not any(path.exists() for path in made)
