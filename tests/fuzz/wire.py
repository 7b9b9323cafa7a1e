"""Streams of frames (RFC 4571) at the plane's TCP side: whatever comes and however it is cut, the frames are those that
a reader of ten lines finds."""

import random
import socket
from collections import Counter
from types import ModuleType
from typing import Any

from tests.fuzz.conference import address
from tests.fuzz.mutation import pieces

LONGEST = 1600


def frames(stream: bytes) -> list[bytes]:
    """The whole ones."""
    found = []
    while len(stream) >= 2:
        length = int.from_bytes(stream[:2], "big")
        if len(stream) < 2 + length:
            break
        found.append(stream[2 : 2 + length])
        stream = stream[2 + length :]
    return found


class Wire:
    """A core, and connections to it: known to a transport, and strangers'."""

    def __init__(self, plane: ModuleType, dice: random.Random) -> None:
        self.dice = dice
        self.core: Any = plane.Core(seed=1)
        self.transport = self.core.add_transport()
        self.now = 1_000_000

    def feed(self, data: bytes) -> None:
        """One connection with all it sends, up to its end."""
        known = self.dice.random() < 0.7
        end, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with end, ours:
            end.setblocking(False)
            at = self.core.connect(ours.fileno(), address(9), self.now)
            if at is None:
                raise AssertionError("a connection refused")
            if known:
                self.core.add_address(self.transport, at)
            heard = self.talk(end, data)
            if known:
                self.core.forget_address(self.transport, at)
        if known and heard != control(frames(data)):
            raise AssertionError(f"frames read otherwise than sent: {data.hex()}")
        if not known and any(datagram[0] > 3 for datagram in heard):
            raise AssertionError("a stranger was heard with something else than STUN")
        self.now += 1_000_000
        self.core.advance(self.now)  # and the connection's end is seen

    def talk(self, end: socket.socket, stream: bytes) -> list[bytes]:
        """What Python gets to hear of it."""
        heard = []
        for piece in pieces(self.dice, stream):
            try:
                end.send(piece)
            except ConnectionError:
                break  # the plane has hung up
            self.now += 10
            self.core.advance(self.now)
            heard += [datagram.data for datagram in self.core.drain_control()]
        return heard

    def close(self) -> Counter[str]:
        """Why packets were dropped."""
        if self.core.statistics().tcp_connections:
            raise AssertionError("a connection was not forgotten")
        return Counter(self.core.statistics().drops)


def control(found: list[bytes]) -> list[bytes]:
    """Those that go on to Python."""
    return [one for one in found if 0 < len(one) <= LONGEST and (one[0] < 4 or 20 <= one[0] <= 63)]
