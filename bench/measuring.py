"""How a server is measured: subscribers step by step, and what they receive while its processor time is read.

Nothing is published but while it is counted: what comes to subscribers who do not read yet, while others are still
joining, would fill a buffer each and keep both processors from the handshakes.
"""

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiortc.rtcdtlstransport import RTCCertificate

from bench import floor, load, report
from bench.drops import dropped
from bench.peer import Connection, Peer, join, produce
from bench.server import Process, Server, open_meeting
from bench.steadiness import steadiness
from bench.yardstick import Yardstick

SERVER_CORE, LOAD_CORE = 0, 1
SETTLE = 1.5  # seconds for key frames and batches to find their pace before counting
QUIET = 0.4  # seconds without a packet after which nothing is under way
FILLING = 6.0  # seconds until what is stored of each publisher is full
JOINING = 8  # peers that join at the same time
SSRCS = {"video": 0x10000001, "audio": 0x20000002}
MEASURED = 20  # subscribers whose latency is read
FRAME_SECONDS, VOICE_SECONDS = 1 / 30, 1 / 50  # from one to the next: load.pyx's pace

Subscribe = Callable[[], Awaitable[Connection]]


@dataclass(frozen=True)
class Plan:
    """How many subscribers, for how long each time, how many times, how many of them join at once.

    `publishers`: how many send a camera and a microphone, all of which each subscriber receives. `whole`: they take
    segmented sends uncut. `floor_seconds`: how long the floor is measured each time, 0 for not at all. `settle`:
    seconds to wait before the largest number is measured, after which memory is read. `address`: of the load generator.
    `inside`: what stands before a command that is to run on the server's host.
    """

    subscribers: Sequence[int]
    seconds: float
    rounds: int
    joining: int = JOINING
    floor_seconds: float = 0.0
    settle: float = 0.0
    publishers: int = 1
    whole: bool = False
    address: str = "127.0.0.1"
    inside: Sequence[str] = ()


class Publishing:
    """One camera and one microphone, sent natively from a thread of their own, and paused at first."""

    def __init__(self, publisher: load.Publisher) -> None:
        self._publisher = publisher
        self._thread: threading.Thread | None = None

    @property
    def sent(self) -> int:
        """Packets so far."""
        return self._publisher.sent

    @property
    def late(self) -> int:
        """Frames and voices so far that left a millisecond after they were due: the load generator was busy."""
        return self._publisher.late

    def go_on(self, video_after: float = 0.0, audio_after: float = 0.0) -> None:
        """Send: the next frame and the next voice so many seconds from now."""
        self._thread = threading.Thread(target=self._publisher.run, args=(video_after, audio_after))
        self._thread.start()

    async def pause(self) -> None:
        """Send nothing. Idempotent."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._publisher.stop()
            await asyncio.to_thread(thread.join)


@asynccontextmanager
async def publishing(connection: Connection, types: dict[str, int]) -> AsyncIterator[Publishing]:
    """What `connection` may publish while this lasts."""
    publisher = load.Publisher(
        connection.socket.fileno(),
        load.session_pointer(connection.outbound),
        video_ssrc=SSRCS["video"],
        audio_ssrc=SSRCS["audio"],
        video_type=types["video"],
        audio_type=types["audio"],
    )
    sending = Publishing(publisher)
    try:
        yield sending
    finally:
        await sending.pause()


def moments() -> random.Random:
    """When publishers begin, the same in each run: by chance, as different people's cameras are not in step."""
    return random.Random(1)  # noqa: S311 - no secrets


@asynccontextmanager
async def everything_sent(sending: Sequence[Publishing], chance: random.Random) -> AsyncIterator[None]:
    """All of them publish while this lasts, each from a moment of its own."""
    for one in sending:
        one.go_on(chance.random() * FRAME_SECONDS, chance.random() * VOICE_SECONDS)
    try:
        yield
    finally:
        for one in sending:
            await one.pause()


def spread(subscribers: int, measured: int) -> list[int]:
    """The places of so many of them in the order of joining, evenly, among them the first and the last."""
    measured = min(subscribers, measured)
    return sorted({round(place * (subscribers - 1) / max(1, measured - 1)) for place in range(measured)})


async def count(
    process: Process,
    connections: list[Connection],
    seconds: float,
    sending: Sequence[Publishing],
    chance: random.Random,
    *,
    publishers: int = 1,
    whole: bool = False,
    measured: Sequence[int] = (),
) -> report.Sample:
    """Count what these subscribers receive of `sending`, who publish meanwhile, while the server's CPU time is read.

    What is lost of it is known when nobody sends any more and all that was under way has come. Each subscriber receives
    so many of the `publishers`. `measured`: the places of those whose latency is read; MEASURED, evenly spread, if none
    are named.
    """
    sockets = [connection.socket for connection in connections]
    sessions = {
        place: load.session_pointer(connections[place].inbound)
        for place in measured or spread(len(connections), MEASURED)
    }
    receivers = load.Receivers([each.fileno() for each in sockets], sessions, whole)
    yardsticks = {core: Yardstick() for core in (SERVER_CORE, LOAD_CORE)}
    threads = [threading.Thread(target=receivers.run)]
    threads += [threading.Thread(target=_look, args=each) for each in yardsticks.items()]
    for thread in threads:
        thread.start()
    try:
        await asyncio.to_thread(receivers.begun.wait)
        await _quiet(receivers)
        drops_before = await dropped(process, sockets)
        had, gone = sum(receivers.counts()), sum(one.sent for one in sending)
        async with everything_sent(sending, chance):
            await asyncio.sleep(SETTLE)
            receivers.take_latencies()
            begins = time.time()
            before, cpu_before = receivers.counts(), process.cpu_seconds()
            sent, late = sum(one.sent for one in sending), sum(one.late for one in sending)
            await asyncio.sleep(seconds)
            after, cpu_after = receivers.counts(), process.cpu_seconds()
            sent, late = sum(one.sent for one in sending) - sent, sum(one.late for one in sending) - late
            latencies = receivers.take_latencies()
            ends = time.time()
        await _quiet(receivers)
        had, gone = sum(receivers.counts()) - had, sum(one.sent for one in sending) - gone
        drops = await dropped(process, sockets)
    finally:
        receivers.stop()
        for yardstick in yardsticks.values():
            yardstick.stop()
        for thread in threads:
            await asyncio.to_thread(thread.join)
    steady = steadiness([one.take() for one in yardsticks.values()], begins, ends)
    return report.Sample(
        [more - fewer for fewer, more in zip(before, after, strict=True)],
        seconds,
        cpu_after - cpu_before,
        [sorted(latency for _, latency in each) for each in latencies.values()],
        publishers,
        sent / len(sending),
        round(gone / len(sending) * publishers * len(connections)) - had,
        dict(drops - drops_before),
        late / len(sending),
        sorted(latency for each in latencies.values() for at, latency in each if at in steady),
        steady.share,
    )


async def _quiet(receivers: load.Receivers) -> None:
    """Until nothing comes any more."""
    before = -1
    while (now := sum(receivers.counts())) != before:
        before = now
        await asyncio.sleep(QUIET)


def _look(core: int, yardstick: Yardstick) -> None:
    os.sched_setaffinity(threading.get_native_id(), {core})
    yardstick.run()


async def measure_floor(subscribers: int, plan: Plan) -> report.Floor:
    """What the same packets to as many receivers would cost at least, on the server's core."""
    sendto, gso = [
        await asyncio.to_thread(
            floor.measure, subscribers, plan.floor_seconds, segmented=segmented, server_core=SERVER_CORE,
            whole=plan.whole, address=plan.address, inside=plan.inside,
        )
        for segmented in (False, True)
    ]  # fmt: skip
    return report.Floor(sendto, gso)


async def gather_some(subscribe: Subscribe, number: int, together: int) -> list[Connection]:
    """So many come, at most `together` at the same time."""
    connections: list[Connection] = []
    while len(connections) < number:
        more = min(together, number - len(connections))
        connections += await asyncio.gather(*(subscribe() for _ in range(more)))
    return connections


async def points(
    process: Process, subscribe: Subscribe, plan: Plan, sending: Sequence[Publishing]
) -> list[report.Point]:
    """Step by step more subscribers of what is published while it is counted.

    The floor is measured before each sample: the machine is not the same a minute later.
    """
    connections = [await subscribe()]
    chance = moments()
    # Else what is stored of publishers would count as subscribers'.
    async with everything_sent(sending, chance):
        await asyncio.sleep(FILLING)
    alone = process.resident_kib()
    measured = []
    for subscribers in sorted(plan.subscribers):
        print(f"  joining up to {subscribers} subscribers", flush=True)
        connections += await gather_some(subscribe, subscribers - len(connections), plan.joining)
        if subscribers == max(plan.subscribers):
            await asyncio.sleep(plan.settle)
        samples, floors = [], []
        for _ in range(plan.rounds):
            if plan.floor_seconds:
                floors.append(await measure_floor(subscribers, plan))
            samples.append(
                await count(
                    process, connections, plan.seconds, sending, chance,
                    publishers=plan.publishers, whole=plan.whole,
                )
            )  # fmt: skip
        kib = (process.resident_kib() - alone) / max(1, subscribers - 1)
        measured.append(report.Point.of(subscribers, samples, kib, floors))
    return measured


async def subscriber(
    server: Server, meeting: str, cookie: str, certificate: RTCCertificate
) -> tuple[Peer, Connection]:
    """Join and receive everything there is."""
    peer = await join(server.url, cookie, meeting)
    transport, connection = await peer.connect("recv", certificate)
    for producer in peer.producers:
        await peer.consume(transport, producer)
    return peer, connection


@asynccontextmanager
async def on_air(peer: Peer, certificate: RTCCertificate) -> AsyncIterator[Publishing]:
    """The peer has a camera and a microphone to send."""
    transport, connection = await peer.connect("send", certificate)
    types = {kind: await produce(peer, transport, kind, ssrc) for kind, ssrc in SSRCS.items()}
    async with publishing(connection, types) as sending:
        yield sending


async def measure_huitang(server: Server, plan: Plan) -> list[report.Point]:
    """The publishers and more and more subscribers in one room of a running server."""
    certificate = RTCCertificate.generateCertificate()
    meeting, cookie = await open_meeting(server)
    peers: list[Peer] = []

    async def subscribe() -> Connection:
        peer, connection = await subscriber(server, meeting, cookie, certificate)
        peers.append(peer)
        return connection

    try:
        async with AsyncExitStack() as air:
            sending = []
            for _ in range(plan.publishers):
                peers.append(await join(server.url, cookie, meeting))
                sending.append(await air.enter_async_context(on_air(peers[-1], certificate)))
            return await points(server, subscribe, plan, sending)
    finally:
        await asyncio.gather(*(peer.close() for peer in peers))
