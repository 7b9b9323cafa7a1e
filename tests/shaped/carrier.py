"""The line as a process of its own, which keeps time while tests are busy: `python -m tests.shaped.carrier FD FD`.

It carries IP packets between two TUN devices. Each line of standard input is one direction's new shape, `{"direction",
"bps", "queue_bytes", "delay_us", "loss", "seed"}`, or `{}`; the answer is what each direction has carried and dropped.
"""

import json
import os
import select
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.media.plane.links import Link, steady

PACKET_MOST = 2048
FREE_BPS = 1e9
NICENESS = -20  # what waits for a processor here would look like a queue


@dataclass
class Direction:
    """From one device to the other."""

    source: int
    target: int
    link: Link = field(default_factory=lambda: Link(steady(FREE_BPS), delay_us=0))
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque)  # when it is due, and the packet
    carried: int = 0  # bytes
    packets: int = 0

    def take(self, now: int) -> None:
        """Everything that the device has."""
        while True:
            try:
                packet = os.read(self.source, PACKET_MOST)
            except BlockingIOError:
                return
            due = self.link.carry(len(packet), now)
            if due is not None:
                self.waiting.append((due, packet))

    def give(self, now: int) -> None:
        """What has arrived."""
        while self.waiting and self.waiting[0][0] <= now:
            packet = self.waiting.popleft()[1]
            os.write(self.target, packet)
            self.carried += len(packet)
            self.packets += 1

    def reshape(self, bps: float, queue_bytes: int, delay_us: int, loss: float, seed: int) -> None:
        """From now on."""
        before = self.link
        self.link = Link(
            steady(bps),
            delay_us=delay_us,
            queue_us=int(queue_bytes * 8e6 / bps) if bps else 0,
            loss=loss,
            seed=seed,
            busy_until=before.busy_until,
            dropped=before.dropped,
        )


def now_us() -> int:
    return time.monotonic_ns() // 1000


def carry(ends: tuple[int, int]) -> None:
    """Until standard input ends."""
    directions = [Direction(ends[0], ends[1]), Direction(ends[1], ends[0])]
    while True:
        due = min((each.waiting[0][0] for each in directions if each.waiting), default=None)
        wait = None if due is None else max(due - now_us(), 0) / 1e6
        ready, _, _ = select.select([*ends, sys.stdin], [], [], wait)
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            _obey(directions, json.loads(line))
        now = now_us()
        for each in directions:
            each.take(now)
            each.give(now)


def _obey(directions: list[Direction], wish: dict[str, Any]) -> None:
    if wish:
        directions[wish.pop("direction")].reshape(**wish)
    counts = [
        {"bytes": each.carried, "packets": each.packets, "dropped": each.link.dropped} for each in directions
    ]
    sys.stdout.write(json.dumps(counts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    carry((int(sys.argv[1]), int(sys.argv[2])))
