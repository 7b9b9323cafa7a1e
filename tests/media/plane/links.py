"""One direction of a line, without a clock of its own: a bottleneck with a queue, a delay, loss."""

import random
from collections.abc import Callable
from dataclasses import dataclass

SECOND = 1_000_000
START = 5 * SECOND


@dataclass
class Link:
    """One direction: what exceeds the queue is dropped (drop-tail), and a share of the rest at random."""

    bps: Callable[[float], float]  # by seconds since the start
    delay_us: int = 25_000
    queue_us: int = 400_000  # as time at the present rate
    queue_bytes: int = 0  # the queue in bytes, instead
    loss: float = 0.0
    jitter_us: int = 0
    seed: int = 1
    busy_until: int = 0
    dropped: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311  a network, not a secret

    def carry(self, size: int, now: int) -> int | None:
        """When the packet arrives, or None."""
        bps = self.bps((now - START) / SECOND)
        begin = max(self.busy_until, now)
        if bps <= 0 or begin - now > (self.queue_bytes * 8 * SECOND / bps or self.queue_us):
            self.dropped += 1
            return None
        self.busy_until = begin + int(size * 8 * SECOND / bps)
        if self.dice.random() < self.loss:
            self.dropped += 1
            return None
        return self.busy_until + self.delay_us + self.dice.randrange(self.jitter_us + 1)


def steady(bps: float) -> Callable[[float], float]:
    return lambda _seconds: bps
