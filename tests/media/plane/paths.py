"""A path on simulated time: a bottleneck with a queue, a way there and back, loss; and who sends and receives there."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.media.plane import estimation, probe
from tests.media.plane.links import SECOND, Link
from tests.media.plane.timeline import Timeline

FRAME_US = 33_333
PACKET = 1100
REPORT_US = 100_000
Media = Callable[[float, float], float]  # bit/s to send, by seconds since the start and the estimate
TICK_US = 50_000


@dataclass
class Path:
    """A sender that sends what it may of what it has, and a receiver that reports as libwebrtc's does."""

    link: Link
    media: Media
    wanted: float = 20e6
    back_us: int = 25_000
    report_loss: float = 0.0
    receiver_clock: Callable[[int], int] = lambda now: now + 77_777_777
    tamper: Callable[[bytes], list[bytes]] = lambda message: [message]
    reports: bool = True
    seed: int = 1
    timeline: Timeline = field(default_factory=Timeline)
    trace: list[tuple[float, float]] = field(default_factory=list)  # seconds, estimate
    sent_bytes: int = 0
    probe_bytes: int = 0
    arrived_bytes: int = 0

    def __post_init__(self) -> None:
        self.estimator = estimation.Estimator(self.now)
        self.arrivals = probe.Arrivals()
        self.dice = random.Random(self.seed)  # noqa: S311  a network, not a secret
        self.owed = 0.0
        for later, event in ((0, self.frame), (TICK_US, self.tick), (REPORT_US, self.report)):
            self.at(self.now + later, event)

    @property
    def now(self) -> int:
        return self.timeline.now

    def at(self, when: int, event: Callable[[], None]) -> None:
        self.timeline.at(when, event)

    def run(self, seconds: float) -> "Path":
        """Let so much time pass."""
        self.timeline.run(seconds)
        return self

    def send(self, number: int, size: int) -> None:
        self.sent_bytes += size
        arrival = self.link.carry(size, self.now)
        if arrival is not None:
            self.at(arrival, lambda: self.arrive(number, size))

    def arrive(self, number: int, size: int) -> None:
        self.arrived_bytes += size
        self.arrivals.note(number, self.receiver_clock(self.now))

    def frame(self) -> None:
        """A thirtieth of a second of media, in packets at once."""
        self.at(self.now + FRAME_US, self.frame)
        self.owed += self.media(self.timeline.seconds(), self.estimator.bps) * FRAME_US / SECOND / 8
        while self.owed >= 100:
            size = min(PACKET, int(self.owed))
            self.send(self.estimator.send(size, self.now), size)
            self.owed -= size

    def tick(self) -> None:
        self.at(self.now + TICK_US, self.tick)
        if self.estimator.tick(self.wanted, self.now):
            self.probe()
        self.trace.append((self.timeline.seconds(), self.estimator.bps))

    def probe(self) -> None:
        numbers, again = self.estimator.probe(PACKET, self.now)
        for number in numbers:
            self.send(number, PACKET)
            self.probe_bytes += PACKET
        if again is not None:
            self.at(again, self.probe)

    def report(self) -> None:
        self.at(self.now + REPORT_US, self.report)
        message = self.arrivals.message()
        if not message or not self.reports or self.dice.random() < self.report_loss:
            return
        for each in self.tamper(message):
            self.at(self.now + self.back_us, partial(self.answer, each))

    def answer(self, message: bytes) -> None:
        self.estimator.report(message, self.link.delay_us + self.back_us, self.now)

    def estimates(self, since: float, until: float) -> list[float]:
        return [bps for at, bps in self.trace if since <= at < until]


def greedy(most: float) -> Media:
    """Media that fills the estimate, up to what there is."""
    return lambda _seconds, estimate: min(most, estimate)


def constant(bps: float) -> Media:
    return lambda _seconds, _estimate: bps
