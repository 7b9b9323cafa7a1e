"""A meeting in which everybody sees and hears everybody: each has a camera and a microphone, each receives the others'.

What one core of the server does then is the square of the people: thirty are 60 tracks in and 1,740 out.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from bench.measuring import Publishing, count, moments, on_air, spread
from bench.peer import Connection, Peer, join
from bench.report import Sample, figures, told
from bench.server import open_meeting, running

MEASURED = 5  # people whose latency is read: each receives as much as 29 subscribers of one camera


@dataclass(frozen=True)
class Mesh:
    """What it took."""

    participants: int
    samples: list[Sample]
    kib_per_participant: float

    def as_json(self) -> dict[str, Any]:
        """As build/bench.json has it."""
        return {
            "participants": self.participants,
            **figures(self.samples),
            "kibPerParticipant": round(self.kib_per_participant, 1),
        }

    def __str__(self) -> str:
        return (
            f"mesh: {self.participants} people, each seen and heard, {self.kib_per_participant:.0f} KiB a person; "
            + told(figures(self.samples))
        )


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
        chance, measured = moments(), spread(participants, MEASURED)
        samples = [
            await count(
                server, connections, seconds, sending, chance,
                publishers=participants - 1, whole=whole, measured=measured,
            )
            for _ in range(rounds)
        ]  # fmt: skip
        kib = (server.resident_kib() - before) / participants
    return Mesh(participants, samples, kib)
