"""Many meetings at once, as branches hold them on the same evening, and how long their packets are under way.

In each room one speaks, with a camera and a microphone, and all the others receive both. Rooms are opened until the
server's core is as busy as was asked for; then so many of them go on that it is.
"""

import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from bench.measuring import (
    JOINING,
    SERVER_CORE,
    Plan,
    Publishing,
    count,
    gather_some,
    measure_floor,
    moments,
    on_air,
    spread,
    subscriber,
)
from bench.peer import Connection, join
from bench.report import Floor, Sample, figures, median, told
from bench.server import Server, open_meeting, running, sign_in

RECEIVERS = 30
MEASURED = 3  # of each room: who joined first, in the middle, and last
FIRST_ROOMS = 6  # to see what one takes
LOOK_SECONDS = 3.0
NEAR = 0.02  # of a core: as exactly as rooms can be counted
MOST_ROOMS = 90  # what the load generator's core can receive


@dataclass(frozen=True)
class Rooms:
    """What so many rooms took of the server's core, and what the floor took beside."""

    rooms: int
    wanted_share: float
    samples: list[Sample]
    floor: Floor

    def as_json(self) -> dict[str, Any]:
        """As build/bench.json has it."""
        return {
            "rooms": self.rooms,
            "receiversPerRoom": RECEIVERS,
            "wantedShare": self.wanted_share,
            **figures(self.samples),
            **self.floor.as_json(),
        }

    def __str__(self) -> str:
        cost = median(self.samples, lambda one: one.cpu_micros)
        return (
            f"load: {self.rooms} rooms of one speaker and {RECEIVERS} who receive, {len(self.samples)} rounds; "
            f"{told(figures(self.samples))}\n"
            f"floor: {self.floor.sendto_micros:.2f} µs a packet with sendto (x {cost / self.floor.sendto_micros:.2f}), "
            f"{self.floor.gso_micros:.2f} with GSO (x {cost / self.floor.gso_micros:.2f})"
        )


@dataclass
class _Town:
    """The rooms that are open, in order."""

    server: Server
    stack: AsyncExitStack
    certificate: RTCCertificate = field(default_factory=RTCCertificate.generateCertificate)
    speakers: list[Publishing] = field(default_factory=list)
    receivers: list[list[Connection]] = field(default_factory=list)
    cookie: str = ""
    chance: random.Random = field(default_factory=moments)

    async def open_room(self) -> None:
        """One more, with everybody in it."""
        self.cookie = self.cookie or await sign_in(self.server)
        meeting, _ = await open_meeting(self.server, self.cookie)
        speaker = await join(self.server.url, self.cookie, meeting)
        self.stack.push_async_callback(speaker.close)
        self.speakers.append(await self.stack.enter_async_context(on_air(speaker, self.certificate)))

        async def come() -> Connection:
            peer, connection = await subscriber(self.server, meeting, self.cookie, self.certificate)
            self.stack.push_async_callback(peer.close)
            return connection

        self.receivers.append(await gather_some(come, RECEIVERS, JOINING))

    async def sample(self, rooms: int, seconds: float, *, whole: bool) -> Sample:
        """Count what comes in the first so many rooms."""
        connections = [connection for room in self.receivers[:rooms] for connection in room]
        places = spread(RECEIVERS, MEASURED)
        measured = [room * RECEIVERS + place for room in range(rooms) for place in places]
        return await count(
            self.server,
            connections,
            seconds,
            self.speakers[:rooms],
            self.chance,
            whole=whole,
            measured=measured,
        )


def _share(sample: Sample) -> float:
    return sample.cpu_seconds / sample.seconds


async def _fill(town: _Town, share: float, *, whole: bool) -> int:
    """Open rooms until they take so much of the core; how many of them do."""
    looks: dict[int, float] = {}
    wanted = FIRST_ROOMS
    while wanted not in looks:
        while len(town.speakers) < wanted:
            await town.open_room()
        looks[wanted] = _share(await town.sample(wanted, LOOK_SECONDS, whole=whole))
        print(f"  {wanted} rooms: {looks[wanted]:.0%} of a core", flush=True)
        wanted = next_number(looks, share)
    return min(looks, key=lambda rooms: abs(looks[rooms] - share))


def next_number(looks: Mapping[int, float], share: float) -> int:
    """How many rooms to try after these looks, to take `share`; one of them where another would be no better.

    It lies on the line between the nearest on both sides, or on the one through the last two. No room takes nothing.
    """
    known = {0: 0.0, **looks}
    nearest = min(looks, key=lambda rooms: abs(looks[rooms] - share))
    if abs(looks[nearest] - share) <= NEAR:
        return nearest
    above = [(taken, rooms) for rooms, taken in known.items() if taken > share]
    below = sorted((taken, rooms) for rooms, taken in known.items() if taken <= share)
    (low, few), (high, many) = (below[-1], min(above)) if above else below[-2:]
    a_room = max((high - low) / max(1, many - few), 0.1 * high / max(1, many))
    return min(max(1, round(many + (share - high) / a_room)), 2 * max(looks), MOST_ROOMS)


async def measure(share: float, plan: Plan) -> Rooms:
    """Let as many rooms meet as take `share` of the server's core, and see how long their packets are under way."""
    async with running(SERVER_CORE) as server, AsyncExitStack() as stack:
        town = _Town(server, stack)
        rooms = await _fill(town, share, whole=plan.whole)
        samples, floors = [], []
        for _ in range(plan.rounds):
            floors.append(await measure_floor(rooms * RECEIVERS, plan))
            samples.append(await town.sample(rooms, plan.seconds, whole=plan.whole))
    return Rooms(rooms, share, samples, Floor.of(floors))
