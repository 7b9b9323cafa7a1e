"""What was measured, as a table for people and as build/bench.json for programs."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACE = 30 * 4 + 50  # packets a second and subscriber: load.pyx's video and audio
PACKETS_A_BURST = 4


_HEADINGS = (
    "subscribers  packets/s   loss   CPU µs/packet   floor: sendto     (x)    GSO     (x)"
    "   latency p50/p95 ms   KiB/subscriber"
)


@dataclass(frozen=True)
class Sample:
    """One measurement: packets received by each subscriber in `seconds`, CPU seconds, latencies in ms, ascending.

    Each subscriber receives so many `publishers`.
    """

    received: Sequence[int]
    seconds: float
    cpu_seconds: float
    latencies: Sequence[float]
    publishers: int = 1

    @property
    def cpu_micros(self) -> float:
        """CPU microseconds of the server a received packet."""
        return self.cpu_seconds * 1e6 / max(1, sum(self.received))

    @property
    def loss(self) -> float:
        """Share of the packets that did not come; counting starts between packets, so two of them are no loss."""
        streams = len(self.received) * self.publishers
        expected = PACE * self.seconds * streams
        missing = expected - sum(self.received)
        tolerance = streams * 2 * PACKETS_A_BURST
        return 0.0 if missing <= tolerance else missing / expected

    def latency(self, share: float) -> float:
        """The latency that `share` of the packets do not exceed, in ms."""
        return (
            self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]
            if self.latencies
            else 0.0
        )


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
class Point:
    """The medians of some samples with the same number of subscribers, and of the floors between them."""

    subscribers: int
    packets_per_second: float
    loss: float
    cpu_micros: float
    latency_p50: float
    latency_p95: float
    kib_per_subscriber: float
    publishers: int = 1
    floor: Floor | None = None

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
            kib_per_subscriber,
            samples[0].publishers,
            Floor.of(floors) if floors else None,
        )

    def as_json(self) -> dict[str, float]:
        """As programs read it."""
        return {
            "publishers": self.publishers,
            "subscribers": self.subscribers,
            "packetsPerSecond": round(self.packets_per_second, 1),
            "loss": round(self.loss, 6),
            "cpuMicrosPerPacket": round(self.cpu_micros, 3),
            "latencyMsP50": round(self.latency_p50, 3),
            "latencyMsP95": round(self.latency_p95, 3),
            "kibPerSubscriber": round(self.kib_per_subscriber, 1),
            **(self.floor.as_json() if self.floor else {}),
        }


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
        f" {_beside(point)} {point.latency_p50:11.2f} /{point.latency_p95:6.2f} {point.kib_per_subscriber:16.0f}"
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
