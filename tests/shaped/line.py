"""Two hosts and the line between them, for a test."""

import fcntl
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.namespaces import NAMES, bring_up, entered, namespace, remove

ROOT = Path(__file__).parents[2]
PREFIX = "huitang-shaped-"  # and the process that made it
SERVER_ADDRESS, MEMBERS_ADDRESS = "10.78.0.1", "10.78.0.2"
DEVICE = "line0"
TUN = Path("/dev/net/tun")
TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
FREE = 1e9  # bit/s: no bound that anything here would meet
ROOM = 10_000_000  # bytes of queue: the same
DOWN, UP = 0, 1  # to the members, and from them


class CannotShape(Exception):  # noqa: N818 - a reason to skip, not an error
    """Why this machine makes no lines."""


@dataclass
class Line:
    """`server` and `members` are the namespaces at its ends. Free until shaped."""

    server: str
    members: str
    _process: "subprocess.Popen[str]"
    _delay_us: int = 0
    _loss: float = 0.0

    def far(self, round_trip_seconds: float, loss: float = 0.0) -> None:
        """From now on so long, losing such a share of packets each way."""
        self._delay_us = int(round_trip_seconds * 1e6 / 2)
        self._loss = loss
        self.shape(FREE, ROOM)

    def shape(self, bps: float, queue_bytes: int = 50_000) -> None:
        """From now on so wide, both ways; what exceeds the queue is dropped."""
        for direction in (DOWN, UP):
            wish = {"direction": direction, "bps": bps, "queue_bytes": queue_bytes}
            self._tell(wish | {"delay_us": self._delay_us, "loss": self._loss, "seed": direction})

    def cut(self) -> None:
        """Nothing comes through any more, and nobody is told."""
        self.shape(0)

    def counts(self) -> list[dict[str, int]]:
        """`bytes`, `packets`, `dropped` so far, of DOWN and UP."""
        return self._tell({})

    def _tell(self, wish: dict[str, Any]) -> list[dict[str, int]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        answer: list[dict[str, int]] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def make_line() -> Iterator[Line]:
    """A line and its two hosts, gone with the block. CannotShape."""
    with ExitStack() as made:
        try:
            line = _make(made)
        except subprocess.CalledProcessError as error:
            raise CannotShape(f"network namespaces: {error.stderr.decode().strip()}") from error
        except OSError as error:
            raise CannotShape(str(error)) from error
        yield line


def _make(made: ExitStack) -> Line:
    _clear_away()
    server, members = (f"{PREFIX}{os.getpid()}-{end}" for end in ("server", "members"))
    ends = []
    for name, address in ((server, SERVER_ADDRESS), (members, MEMBERS_ADDRESS)):
        made.enter_context(namespace(name))
        ends.append(_open_device(name))
        made.callback(os.close, ends[-1])
        bring_up(name, DEVICE, address)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.shaped.carrier", *map(str, ends)],
        cwd=ROOT,
        pass_fds=ends,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    made.enter_context(process)  # it ends when its standard input does
    return Line(server, members, process)


def _open_device(name: str) -> int:
    with entered(name):
        descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def _clear_away() -> None:
    """What tests left behind that were killed."""
    for path in NAMES.glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if not Path(f"/proc/{owner}").exists():
            remove(path.name)
