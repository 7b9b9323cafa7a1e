"""A meeting in which everybody sees and hears everybody: each has a camera and a microphone, each receives the others'.

What one core of the server does then is the square of the people: thirty are 60 tracks in and 1,740 out.
"""

import json
import statistics
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from bench.measuring import Publishing, count, everything_sent, on_air
from bench.peer import Connection, Peer, join
from bench.report import Sample, missing, missing_line
from bench.server import open_meeting, running


@dataclass(frozen=True)
class Mesh:
    """What it took; the loss is the worst of the rounds, the rest their medians."""

    participants: int
    samples: list[Sample]
    kib_per_participant: float

    def as_json(self) -> dict[str, Any]:
        """As build/bench.json has it; `cpuShare` is of one core."""
        return {
            "participants": self.participants,
            "packetsPerSecond": round(self._median(lambda one: sum(one.received) / one.seconds), 1),
            "loss": round(max(one.loss for one in self.samples), 6),
            "cpuShare": round(self._median(lambda one: one.cpu_seconds / one.seconds), 3),
            "cpuMicrosPerPacket": round(self._median(lambda one: one.cpu_micros), 3),
            "latencyMsP50": round(self._median(lambda one: one.latency(0.50)), 3),
            "latencyMsP95": round(self._median(lambda one: one.latency(0.95)), 3),
            "kibPerParticipant": round(self.kib_per_participant, 1),
            "missing": missing(self.samples),
        }

    def __str__(self) -> str:
        found = self.as_json()
        return (
            f"mesh: {self.participants} people with camera and microphone, "
            f"{found['packetsPerSecond']:.0f} packets/s; loss {found['loss']:.3%}, "
            f"{found['cpuShare']:.0%} of a core, {found['cpuMicrosPerPacket']:.2f} µs a packet, "
            f"latency p50/p95 {found['latencyMsP50']:.2f}/{found['latencyMsP95']:.2f} ms, "
            f"{self.kib_per_participant:.0f} KiB a person{missing_line(missing(self.samples))}"
        )

    def _median(self, of: Callable[[Sample], float]) -> float:
        return statistics.median(of(sample) for sample in self.samples)


async def _receive_others(peer: Peer, owners: dict[str, str], certificate: RTCCertificate) -> Connection:
    transport, connection = await peer.connect("recv", certificate)
    for producer, owner in owners.items():
        if owner != peer.peer_id:
            await peer.consume(transport, producer)
    return connection


async def measure(participants: int, seconds: float, rounds: int, server_core: int, *, whole: bool) -> Mesh:
    """Let so many people meet, and count what comes to each of them."""
    certificate = RTCCertificate.generateCertificate()
    async with running(server_core) as server, AsyncExitStack() as stack:
        meeting, cookie = await open_meeting(server)
        before = server.resident_kib()
        people: list[Peer] = []
        sending: list[Publishing] = []
        for _ in range(participants):
            people.append(await join(server.url, cookie, meeting))
            stack.push_async_callback(people[-1].close)
            sending.append(await stack.enter_async_context(on_air(people[-1], certificate)))
        last = await join(server.url, cookie, meeting)  # hears of all of them with the answer
        stack.push_async_callback(last.close)
        connections = [await _receive_others(peer, last.owners, certificate) for peer in people]
        async with everything_sent(sending):
            samples = [
                await count(server, connections, seconds, sending, publishers=participants - 1, whole=whole)
                for _ in range(rounds)
            ]
        kib = (server.resident_kib() - before) / participants
    return Mesh(participants, samples, kib)


def add(path: Path, mesh: Mesh) -> None:
    """Put it into the results beside what is there."""
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, "mesh": mesh.as_json()}, indent=2) + "\n")
