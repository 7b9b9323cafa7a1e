"""How often a figure was how large: fixed buckets, so that a minute of a thousand transports is a few numbers."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, NamedTuple


class Counts(NamedTuple):
    """A copy: `buckets` are (upper bound, how many were at most that), the last without a bound; and the sum of all."""

    buckets: tuple[tuple[float, int], ...]
    total: float


class Tally:
    """A cumulative histogram in Prometheus' sense; on the asyncio thread only."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` rise."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def counts(self) -> Counts:
        """All that were observed so far."""
        most, buckets = 0, []
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            most += count
            buckets.append((bound, most))
        return Counts(tuple(buckets), self._total)


class QualityTallies:
    """What the transports' looks of each second add up to."""

    def __init__(self) -> None:
        grades = range(6)
        self.grades = {"send": Tally(grades), "recv": Tally(grades)}
        self.round_trip_seconds = Tally((0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.7, 1.5))
        self.available_bps = Tally((1e5, 3e5, 1e6, 2e6, 4e6, 1e7, 4e7))

    def take(self, direction: Literal["send", "recv"], grade: int, rtt_us: int, budget_bps: int) -> None:
        """One transport's second; 0 where a value is not known. Round trips are known by what subscribers report."""
        self.grades[direction].observe(grade)
        if direction == "recv" and rtt_us:
            self.round_trip_seconds.observe(rtt_us / 1e6)
        if direction == "recv" and budget_bps:
            self.available_bps.observe(budget_bps)
