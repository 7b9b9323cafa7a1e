"""What was measured, as a table for people and as build/bench.json for programs."""

import json
import os
import platform
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

PACE = 30 * 4 + 50  # packets a second and subscriber: load.pyx's video and audio
PACKETS_A_BURST = 4
BURSTS = 30 + 50  # frames and voices a second of a publisher
LATE_MOST = 0.01  # share of them that may leave late before it is told


_HEADINGS = (
    "subscribers  packets/s   loss   CPU µs/packet   floor: sendto     (x)    GSO     (x)"
    "   latency p50/p95/p99 ms, p95 of the worst off   KiB/subscriber"
)


@dataclass(frozen=True)
class Sample:
    """One measurement: packets received by each subscriber in `seconds`, and CPU seconds.

    `latencies`: in ms, of some of the subscribers in the order of joining, of each ascending. Each subscriber receives
    so many `publishers`, of which each sent so many packets in that time, and so many frames and voices late.
    `lost`: packets that were sent, then or while all found their pace before, and never came. `dropped`: datagrams that
    are known to have been dropped, by who did it. `steady`: of all these latencies those of the time in which the
    machine kept its speed, ascending, and how much of the time that was.
    """

    received: Sequence[int]
    seconds: float
    cpu_seconds: float
    latencies: Sequence[Sequence[float]]
    publishers: int
    sent: float
    lost: int
    dropped: Mapping[str, int]
    late: float = 0.0
    steady: Sequence[float] = ()
    steady_share: float = 1.0

    @property
    def cpu_micros(self) -> float:
        """CPU microseconds of the server a received packet."""
        return self.cpu_seconds * 1e6 / max(1, sum(self.received))

    @property
    def loss(self) -> float:
        """Share of the packets that did not come."""
        return self.missing / self._expected

    @property
    def missing(self) -> int:
        """Packets that did not come, or were never sent."""
        return self.lost + self.unsent

    @property
    def unsent(self) -> int:
        """Of these, what no publisher sent: the load generator had no time for it.

        Counting begins and ends between packets: two bursts of each publisher are none.
        """
        missing = self._expected - self.sent * self._streams
        return 0 if missing <= self._tolerance else round(missing)

    @property
    def _streams(self) -> int:
        return len(self.received) * self.publishers

    @property
    def _expected(self) -> float:
        return PACE * self.seconds * self._streams

    @property
    def _tolerance(self) -> int:
        return self._streams * 2 * PACKETS_A_BURST

    @property
    def late_share(self) -> float:
        """Share of the frames and voices that the publishers sent a millisecond late or more."""
        return self.late / (BURSTS * self.seconds)

    def latency(self, share: float) -> float:
        """The latency that `share` of the packets to all these subscribers do not exceed, in ms."""
        return _within(sorted(chain.from_iterable(self.latencies)), share)

    def steady_latency(self, share: float) -> float:
        """The same while the machine kept its speed."""
        return _within(self.steady, share)

    def worst_latency(self, share: float) -> float:
        """The same of the subscriber for whom it is the largest."""
        return max((_within(each, share) for each in self.latencies), default=0.0)


def _within(ascending: Sequence[float], share: float) -> float:
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


@dataclass(frozen=True)
class Floor:
    """CPU microseconds a packet of the simplest loop with sendto, and with UDP_SEGMENT."""

    sendto_micros: float
    gso_micros: float

    @staticmethod
    def of(measured: "Sequence[Floor]") -> "Floor":
        """The medians."""
        return Floor(
            statistics.median(one.sendto_micros for one in measured),
            statistics.median(one.gso_micros for one in measured),
        )

    def as_json(self) -> dict[str, float]:
        """As programs read it."""
        return {"sendtoMicros": round(self.sendto_micros, 3), "gsoMicros": round(self.gso_micros, 3)}


@dataclass(frozen=True)
class Steady:
    """Latencies while the machine kept its speed, in ms, and for which share of the time it did; medians."""

    share: float
    p50: float
    p95: float
    p99: float

    @staticmethod
    def of(samples: "Sequence[Sample]") -> "Steady":
        """What these samples had."""
        shares = (0.50, 0.95, 0.99)
        latencies = [statistics.median(one.steady_latency(share) for one in samples) for share in shares]
        return Steady(median(samples, lambda one: one.steady_share), *latencies)

    @staticmethod
    def read(found: "Mapping[str, Any]") -> "Steady":
        """From what `as_json` made of it."""
        return Steady(found["steadyShare"], *(found[f"steadyLatencyMsP{share}"] for share in (50, 95, 99)))

    def as_json(self) -> dict[str, float]:
        """As programs read it."""
        return {
            "steadyShare": round(self.share, 3),
            "steadyLatencyMsP50": round(self.p50, 3),
            "steadyLatencyMsP95": round(self.p95, 3),
            "steadyLatencyMsP99": round(self.p99, 3),
        }

    def __str__(self) -> str:
        return (
            f"{self.p50:.2f}/{self.p95:.2f}/{self.p99:.2f} ms "
            f"in the {self.share:.0%} of the time in which the machine kept its speed"
        )


@dataclass(frozen=True)
class Point:
    """The medians of some samples with the same number of subscribers, and of the floors between them."""

    subscribers: int
    packets_per_second: float
    loss: float
    cpu_micros: float
    latency_p50: float
    latency_p95: float
    latency_p99: float
    worst_p95: float
    steady: "Steady"
    kib_per_subscriber: float
    publishers: int
    floor: Floor | None
    missing: Mapping[str, int]

    @staticmethod
    def of(
        subscribers: int, samples: Sequence[Sample], kib_per_subscriber: float, floors: Sequence[Floor]
    ) -> "Point":
        """The point that `samples` make; the loss is the worst of them, not the median."""
        return Point(
            subscribers,
            statistics.median(sum(sample.received) / sample.seconds for sample in samples),
            max(sample.loss for sample in samples),
            statistics.median(sample.cpu_micros for sample in samples),
            statistics.median(sample.latency(0.50) for sample in samples),
            statistics.median(sample.latency(0.95) for sample in samples),
            statistics.median(sample.latency(0.99) for sample in samples),
            statistics.median(sample.worst_latency(0.95) for sample in samples),
            Steady.of(samples),
            kib_per_subscriber,
            samples[0].publishers,
            Floor.of(floors) if floors else None,
            missing(samples),
        )

    def as_json(self) -> dict[str, Any]:
        """As programs read it; `missing` is the sum of all samples."""
        return {
            "publishers": self.publishers,
            "subscribers": self.subscribers,
            "packetsPerSecond": round(self.packets_per_second, 1),
            "loss": round(self.loss, 6),
            "cpuMicrosPerPacket": round(self.cpu_micros, 3),
            "latencyMsP50": round(self.latency_p50, 3),
            "latencyMsP95": round(self.latency_p95, 3),
            "latencyMsP99": round(self.latency_p99, 3),
            "latencyMsP95Worst": round(self.worst_p95, 3),
            **self.steady.as_json(),
            "kibPerSubscriber": round(self.kib_per_subscriber, 1),
            "missing": dict(self.missing),
            **(self.floor.as_json() if self.floor else {}),
        }


def figures(samples: Sequence[Sample]) -> dict[str, Any]:
    """What a server did for whole meetings, as programs read it: the worst loss, else medians.

    `cpuShare` is of one core, `publishersLate` the share that the load generator sent a millisecond late or more.
    """
    return {
        "packetsPerSecond": round(median(samples, lambda one: sum(one.received) / one.seconds), 1),
        "loss": round(max(one.loss for one in samples), 6),
        "cpuShare": round(median(samples, lambda one: one.cpu_seconds / one.seconds), 3),
        "cpuMicrosPerPacket": round(median(samples, lambda one: one.cpu_micros), 3),
        "latencyMsP50": round(median(samples, lambda one: one.latency(0.50)), 3),
        "latencyMsP95": round(median(samples, lambda one: one.latency(0.95)), 3),
        "latencyMsP99": round(median(samples, lambda one: one.latency(0.99)), 3),
        "latencyMsP95Worst": round(median(samples, lambda one: one.worst_latency(0.95)), 3),
        **Steady.of(samples).as_json(),
        "publishersLate": round(max(one.late_share for one in samples), 4),
        "missing": missing(samples),
    }


def median(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """Of what `of` says of each."""
    return statistics.median(of(sample) for sample in samples)


def told(found: Mapping[str, Any]) -> str:
    """The same for people."""
    late = found["publishersLate"]
    return (
        f"{found['packetsPerSecond']:.0f} packets/s; loss {found['loss']:.3%}, {found['cpuShare']:.0%} of a core, "
        f"{found['cpuMicrosPerPacket']:.2f} µs a packet, latency p50/p95/p99 {found['latencyMsP50']:.2f}/"
        f"{found['latencyMsP95']:.2f}/{found['latencyMsP99']:.2f} ms, p95 of the worst off "
        f"{found['latencyMsP95Worst']:.2f}; {Steady.read(found)}"
        + (f"; the load generator sent {late:.1%} late" if late > LATE_MOST else "")
        + missing_line(found["missing"])
    )


def add(path: Path, name: str, found: Mapping[str, Any]) -> None:
    """Put one result into the JSON beside what is there."""
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, name: found}, indent=2) + "\n")


def missing(samples: Sequence[Sample]) -> dict[str, int]:
    """What did not come in all of them: how many packets, how many of them nobody sent, and who dropped how many."""
    dropped: Counter[str] = Counter()
    for sample in samples:
        dropped.update(sample.dropped)
    return {
        "packets": sum(sample.missing for sample in samples),
        "not sent by the publishers": sum(sample.unsent for sample in samples),
        **dropped,
    }


def missing_line(missing: Mapping[str, int]) -> str:
    """The same as a line for people, with the line's beginning; nothing where all came."""
    if not missing["packets"]:
        return ""
    parts = [f"{count} {name}" for name, count in missing.items() if count and name != "packets"]
    rest = 2 * missing["packets"] - sum(missing.values())
    if rest > 0:
        parts.append(f"{rest} dropped by nobody known")
    return f"\n{'':11s}  {missing['packets']} packets missing: {', '.join(parts)}"


def table(points: Sequence[Point]) -> str:
    """The result for people."""
    lines = [
        "",
        f"each publisher: VP8 30 frames/s x 4 packets x 1,100 B, Opus 50/s; {points[0].publishers} of them",
        "AEAD_AES_128_GCM; the server on one core",
        "the floor: the same packets to as many receivers, measured before each of the server's samples",
        "",
        _HEADINGS,
    ]
    lines += [
        f"{point.subscribers:11d} {point.packets_per_second:10.0f} {point.loss:7.3%} {point.cpu_micros:13.2f}"
        f" {_beside(point)} {point.latency_p50:9.2f} /{point.latency_p95:6.2f} /{point.latency_p99:6.2f}"
        f" {point.worst_p95:23.2f} {point.kib_per_subscriber:16.0f}"
        f"\n{'':11s}  latency {point.steady}{missing_line(point.missing)}"
        for point in points
    ]
    return "\n".join(lines)


def _beside(point: Point) -> str:
    """The floor's cost, and how many times as much the server took."""
    if point.floor is None:
        return " " * 41
    costs = (point.floor.sendto_micros, point.floor.gso_micros)
    (sendto, sendto_times), (gso, gso_times) = [(each, point.cpu_micros / each) for each in costs]
    return f"{sendto:15.2f} {sendto_times:7.2f} {gso:6.2f} {gso_times:7.2f}"


def write(path: Path, points: Sequence[Point]) -> None:
    """Write the same as JSON; the floor is that of the largest number of subscribers."""
    floor = points[-1].floor
    content = {
        "points": [point.as_json() for point in points],
        "floor": floor.as_json() if floor else None,
        "machine": {
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
