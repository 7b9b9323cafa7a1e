"""The estimator's parts once more, in plain Python from the drafts' formulas: what the plane's are compared with.

Times are microseconds and rates bit/s, as in the plane; nothing here is shared with it.
"""

import math
from collections import deque

import numpy as np


class Trendline:
    """draft-ietf-rmcat-gcc-02 sections 5.3 and 5.4, with a line fitted through the last twenty smoothed delays."""

    def __init__(self) -> None:
        self.delay = self.smoothed = self.trend = 0.0
        self.points: deque[tuple[float, float]] = deque(maxlen=20)
        self.first: int | None = None
        self.count = 0
        self.threshold = 12.5
        self.adapted: int | None = None
        self.over: float | None = None
        self.times_over = 0
        self.usage = "normal"
        self.shortest = [
            0.0,
            0.0,
        ]  # the smoothed delay at the least, in this period of five seconds and the last
        self.period: int | None = None

    def add(self, sent_gap: int, arrival_gap: int, arrival: int, now: int) -> str:
        """The verdict on the newest pair of bursts."""
        self.first = arrival if self.first is None else self.first
        self.delay += (arrival_gap - sent_gap) / 1000
        self.smoothed += 0.1 * (self.delay - self.smoothed)
        self.points.append(((arrival - self.first) / 1000, self.smoothed))
        if self.period is None or now - self.period >= 5_000_000:
            before = self.smoothed if self.period is None else self.shortest[0]
            self.shortest, self.period = [self.smoothed, before], now
        self.shortest[0] = min(self.shortest[0], self.smoothed)
        self.count += 1
        trend = self.trend
        if len(self.points) == 20 and len({at for at, _ in self.points}) > 1:
            at, delay = (np.array(one) for one in zip(*self.points, strict=True))
            trend = float(np.polyfit(at, delay, 1)[0])
        modified = min(self.count, 60) * trend * 4
        if modified > self.threshold:
            self.over = sent_gap // 2 if self.over is None else self.over + sent_gap
            self.times_over += 1
            queued = self.smoothed - min(self.shortest)
            if self.over > 10_000 and self.times_over > 1 and trend >= self.trend and queued >= 25:
                self.over, self.times_over, self.usage = 0, 0, "over"
        else:
            self.over, self.times_over = None, 0
            self.usage = "under" if modified < -self.threshold else "normal"
        self.trend = trend
        self.adapt(abs(modified), now)
        return self.usage

    def adapt(self, size: float, now: int) -> None:
        """Section 5.4's threshold: K_u 0.0087 up, K_d 0.039 down, a leap of more than 15 ms not followed."""
        elapsed = 0.0 if self.adapted is None else min((now - self.adapted) / 1000, 100)
        self.adapted = now
        if size - self.threshold <= 15:
            gain = 0.0087 if size > self.threshold else 0.039
            self.threshold = min(max(self.threshold + gain * elapsed * (size - self.threshold), 6), 600)


class Capacity:
    """What arrived when the link was overused: a mean that moves by a twentieth, and its normalized variance."""

    def __init__(self) -> None:
        self.mean: float | None = None
        self.variance = 0.4

    def add(self, bps: float) -> None:
        """One more such rate."""
        sample = bps / 1000
        self.mean = sample if self.mean is None else 0.95 * self.mean + 0.05 * sample
        error = (self.mean - sample) ** 2 / max(self.mean, 1)
        self.variance = min(max(0.95 * self.variance + 0.05 * error, 0.4), 2.5)

    def away(self, bps: float) -> int:
        """-1 or 1 where the rate lies more than three deviations below or above."""
        if self.mean is None:
            return 0
        spread = 3 * math.sqrt(self.variance * self.mean)
        return (bps / 1000 > self.mean + spread) - (bps / 1000 < self.mean - spread)


class RateControl:
    """Section 5.5: 8 % a second far from the capacity, a packet a response time near it, down to 85 %."""

    def __init__(self, bps: float) -> None:
        self.bps = bps
        self.capacity = Capacity()
        self.holds = False
        self.changed = self.reduced = 0
        self.least = self.next = 0.0
        self.hungry = False

    def update(self, usage: str, acknowledged: float, rtt: int, now: int, idle: bool) -> bool:
        """Whether it was reduced. `idle`: much less is sent than would be allowed."""
        if usage == "over":
            return self.reduce(acknowledged, rtt, now, idle)
        if usage == "under" or self.holds:
            self.changed = now
        self.holds = usage == "under"
        if not self.holds:
            self.grow(acknowledged, rtt, now)
        return False

    def grow(self, acknowledged: float, rtt: int, now: int) -> None:
        """Never beyond half as much again as arrives, or what one layer more takes."""
        elapsed = min(max(now - self.changed, 0), 1_000_000) / 1e6
        self.changed = now
        if self.capacity.away(acknowledged) > 0:
            self.capacity = Capacity()
        most = max(1.5 * acknowledged + 10_000, self.next)
        if acknowledged > 0 and self.bps < most:
            if now - self.reduced >= 1_000_000:
                self.bps = max(self.bps, min(acknowledged, self.next))
            if self.capacity.mean is None:
                step = self.bps * (1.08**elapsed - 1)
            else:
                frame = self.bps / 30
                packet = frame / math.ceil(frame / (8 * 1200))
                step = max(packet * 1e6 / (rtt + 100_000), 4_000) * elapsed
            self.bps = min(self.bps + step, most)
        self.bps = min(max(self.bps, 30_000), 40_000_000)

    def reduce(self, acknowledged: float, rtt: int, now: int, idle: bool) -> bool:
        """A round trip of 10 to 200 ms and 300 ms after the last time, but at once where less than half arrives."""
        far_too_much = 0 < acknowledged < self.bps / 2 and not idle
        if now - self.reduced < min(max(rtt, 10_000), 200_000) + 300_000 and not far_too_much:
            return False
        target = 0.85 * acknowledged if acknowledged > 0 else self.bps / 2
        if idle and acknowledged > 0:
            target = (
                self.bps if self.hungry else 0.85 * min(self.bps, max(1.5 * acknowledged + 10_000, self.next))
            )
        elif target > self.bps and self.capacity.mean is not None:
            target = 850 * self.capacity.mean
        if not idle:
            if self.capacity.away(acknowledged) < 0:
                self.capacity = Capacity()
            if acknowledged > 0:
                self.capacity.add(acknowledged)
        self.holds, self.changed, self.reduced = True, now, now
        target = max(target, self.least)
        if target < self.bps:
            self.bps = min(max(target, 30_000), 40_000_000)
        return True


class Acknowledged:
    """What arrived in the last ten bins of 50 ms, the newest not yet full; in twice that while packets are few."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[int, int]] = []
        self.bps = 0.0

    def add(self, arrival: int, size: int) -> float:
        """The rate with this packet. Arrivals may not go back."""
        if self.arrivals and arrival // 50_000 - self.arrivals[-1][0] // 50_000 > 12:
            self.arrivals.clear()
        self.arrivals.append((arrival, size))
        begun = self.arrivals[0][0]
        if arrival - begun < 150_000:
            return self.bps
        for bins in range(10, 21):
            since = max((arrival // 50_000 - bins + 1) * 50_000, begun)
            within = [size for at, size in self.arrivals if at >= since]
            if len(within) >= 20 or since == begun or bins == 20:
                self.bps = 8e6 * sum(within) / (arrival - since)
                break
        return self.bps
