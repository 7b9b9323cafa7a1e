"""What recordings cost, beside what meetings get meanwhile: `python -m bench.recordings [capture] [composing] ...`.

A real server, nobody's core: composing takes all cores that are idle, as it does in an installation. Without
arguments everything is measured, in about four minutes on an idle machine.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientSession
from aiortc.rtcdtlstransport import RTCCertificate

from bench.cameras import LARGE, SIMULCAST, Camera, Participant, film
from bench.measuring import Publishing, count, moments, on_air, subscriber
from bench.peer import Connection, join
from bench.report import Sample
from bench.scenes import Scene
from bench.server import Server, open_meeting, running, secretary, sign_in
from bench.watching import Film, Watched, Watching, watch

REPORTS = ("capture", "composing", "meeting", "viewers")
CAPTURED = 10  # people, camera and microphone each
COMPOSED = 9
SUBSCRIBERS = 30
VIEWERS = 200
SETTLE = 3.0  # seconds until everybody sends at the pace
COMPOSING_PATIENCE = 600.0
# What there is to decode decides what composing costs.
CAMERAS = {"in simulcast and temporal layers": SIMULCAST, "in one layer": LARGE}
GOALS = {
    "capture": "below 3 % of a core",
    "composing": "an hour within 40 min on two idle cores",
    "meeting": "no packet dropped",
    "viewers": "below 20 % of a core",
}


@dataclass(frozen=True)
class Composed:
    """A meeting that has become a film."""

    people: int
    sending: str
    scene: Scene
    meeting: str
    cookie: str
    film_seconds: float
    seconds: float  # from the meeting's end to the finished film
    cpu_seconds: float

    def __str__(self) -> str:
        an_hour = 60 / self.film_seconds
        return (
            f"composing {self.people} people, 1280x720 {self.sending}, {self.scene}, in all sizes: "
            f"{self.seconds:.0f} s for a film of {self.film_seconds:.0f} s, {self.cpu_seconds:.0f} s of processor: "
            f"an hour in {an_hour * self.seconds:.0f} min, {an_hour * self.cpu_seconds:.0f} min of processor "
            f"on {os.cpu_count()} cores"
        )


@asynccontextmanager
async def meeting_of(
    server: Server, people: int, *, record: bool, camera: Camera = LARGE
) -> AsyncIterator[tuple[str, str]]:
    """A lecture in which so many show and speak; answers its id and the host's cookie."""
    for picture in camera:
        await asyncio.to_thread(film, picture)  # encoded before anybody waits for an answer
    certificate = RTCCertificate.generateCertificate()
    meeting, cookie = await open_meeting(server, record=record)
    async with contextlib.AsyncExitStack() as leaving:
        for _ in range(people):
            participant = await Participant.join(server, meeting, cookie, certificate, camera)
            leaving.push_async_callback(participant.close)
        await asyncio.sleep(SETTLE)
        yield meeting, cookie


async def measure_capture(server: Server, people: int, seconds: float) -> str:
    """Processor time of the same meeting with and without a recording; nobody subscribes."""
    shares = {}
    for record in (False, True):
        async with meeting_of(server, people, record=record):
            before, began = server.cpu_seconds(), time.perf_counter()
            await asyncio.sleep(seconds)
            shares[record] = (server.cpu_seconds() - before) / (time.perf_counter() - began)
    return (
        f"capture of {people} people, 1280x720: {shares[True] - shares[False]:.2%} of a core "
        f"({shares[True]:.2%} with a recording, {shares[False]:.2%} without)"
    )


async def compose(server: Server, people: int, seconds: float, sending: str, scene: Scene) -> Composed:
    """Hold a meeting of so many seconds, end it, and wait for the film."""
    camera = tuple(replace(picture, scene=scene) for picture in CAMERAS[sending])
    async with meeting_of(server, people, record=True, camera=camera) as (meeting, cookie):
        await asyncio.sleep(seconds)
    async with _signed_in(server, cookie) as http:
        before, began = server.ended_children_cpu_seconds(), time.perf_counter()
        await _end(http, meeting)
        made = await _ready(http, meeting)
        return Composed(
            people,
            sending,
            scene,
            meeting,
            cookie,
            made["durationSeconds"],
            time.perf_counter() - began,
            server.ended_children_cpu_seconds() - before,
        )


async def measure_meeting(server: Server, people: int, seconds: float) -> str:
    """What subscribers of one meeting get while another becomes a film, beside what they get otherwise."""
    async with subscribed(server) as (connections, sending):
        quiet = await count(server, connections, seconds, [sending], moments())
        async with meeting_of(server, people, record=True) as (meeting, cookie):
            await asyncio.sleep(4 * seconds)  # enough for the composition to last
        async with _signed_in(server, cookie) as http:
            await _end(http, meeting)
            await asyncio.sleep(SETTLE)  # it has begun
            busy = await count(server, connections, seconds, [sending], moments())
            composing = not await _is_ready(http, meeting)
    return f"a meeting of {SUBSCRIBERS} while another is composed: {_got(busy)}; before: {_got(quiet)}" + (
        "" if composing else " (the composition ended too soon: ask for more --seconds)"
    )


@asynccontextmanager
async def subscribed(server: Server) -> AsyncIterator[tuple[list[Connection], Publishing]]:
    """Those who receive one camera and microphone, and who publishes them."""
    certificate = RTCCertificate.generateCertificate()
    meeting, cookie = await open_meeting(server)
    async with contextlib.AsyncExitStack() as leaving:
        host = await join(server.url, cookie, meeting)
        leaving.push_async_callback(host.close)
        sending = await leaving.enter_async_context(on_air(host, certificate))
        connections = []
        for _ in range(SUBSCRIBERS):
            peer, connection = await subscriber(server, meeting, cookie, certificate)
            leaving.push_async_callback(peer.close)
            connections.append(connection)
        yield connections, sending


@dataclass(frozen=True)
class Served:
    """What was watched, and what it took of the server's processor."""

    watched: Watched
    cpu_seconds: float

    @classmethod
    async def measure(cls, server: Server, wanted: Watching) -> "Served":
        """Watch from the first piece to the last."""
        before = server.cpu_seconds()
        watched = await asyncio.to_thread(watch, wanted)
        return cls(watched, server.cpu_seconds() - before)

    @property
    def a_piece(self) -> float:
        """Seconds of processor."""
        return self.cpu_seconds / self.watched.requests

    def __str__(self) -> str:
        seen = self.watched
        return (
            f"{self.cpu_seconds / seen.seconds:.1%} of a core for {seen.bytes / seen.seconds / 1e6:.0f} MB/s, "
            f"{seen.late} of {seen.requests} pieces later than they are played, {seen.failed} refused"
        )


async def measure_viewers(server: Server, composed: Composed, seconds: float) -> str:
    """Many who watch one film at its highest rate, each with a session of his own: the branch's members in turn.

    First all of them come, then the same go on: what the second time does not cost is what their first visits do.
    """
    branch = secretary(server)["organizationId"]
    members = itertools.cycle(
        [login for login in server.logins if login["memberId"] and login["organizationId"] == branch]
    )
    cookies = tuple([await sign_in(server, member) for member in itertools.islice(members, VIEWERS)])
    async with _signed_in(server, composed.cookie) as http:
        made = await _ready(http, composed.meeting)
    address = f"{server.url}/api/recordings/{made['id']}/media"
    wanted = Watching(Film(address, made["sizeBytes"]), cookies, seconds)
    coming = await Served.measure(server, wanted)
    staying = await Served.measure(server, wanted)
    visits = coming.cpu_seconds - staying.a_piece * coming.watched.requests
    return (
        f"{VIEWERS} viewers of one film, while all of them come: {coming}; afterwards: {staying}; "
        f"{1000 * visits / VIEWERS:.2f} ms of processor a first visit, {1000 * staying.a_piece:.2f} ms a piece"
    )


def _got(sample: Sample) -> str:
    return f"lost {sample.loss:.4%}, latency p95 {sample.latency(0.95):.2f} ms"


def _signed_in(server: Server, cookie: str) -> ClientSession:
    return ClientSession(server.url, headers={"Origin": server.url, "Cookie": cookie})


async def _end(http: ClientSession, meeting: str) -> None:
    async with http.post(f"/api/meetings/{meeting}/end") as answer:
        answer.raise_for_status()


async def _is_ready(http: ClientSession, meeting: str) -> dict[str, Any] | None:
    async with http.get("/api/recordings", params={"meetingId": meeting}) as answer:
        answer.raise_for_status()
        found = (await answer.json())["items"]
    if found and found[0]["state"] in {"failed", "damaged"}:
        raise RuntimeError(f"the recording is {found[0]['state']}: {found[0]['failure']}")
    return found[0] if found and found[0]["state"] == "ready" else None


async def _ready(http: ClientSession, meeting: str) -> dict[str, Any]:
    async with asyncio.timeout(COMPOSING_PATIENCE):
        while True:
            made = await _is_ready(http, meeting)
            if made is not None:
                return made
            await asyncio.sleep(0.5)


async def measure(wanted: list[str], people: int | None, seconds: float, scene: Scene) -> None:
    """One report after the other, on one server."""
    async with running(None) as server:
        if "capture" in wanted:
            _show("capture", await measure_capture(server, people or CAPTURED, seconds))
        if "composing" in wanted or "viewers" in wanted:
            for sending in CAMERAS if "composing" in wanted else list(CAMERAS)[-1:]:
                composed = await compose(server, people or COMPOSED, 3 * seconds, sending, scene)
                _show("composing", str(composed))
            if "viewers" in wanted:
                _show("viewers", await measure_viewers(server, composed, seconds))
        if "meeting" in wanted:
            _show("meeting", await measure_meeting(server, people or COMPOSED, seconds))


def _show(name: str, result: str) -> None:
    print(f"{result} [goal: {GOALS[name]}]", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.recordings", description=__doc__)
    parser.add_argument("reports", nargs="*", metavar="report", help=f"of {', '.join(REPORTS)}; default all")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of one measurement (default 10)")
    parser.add_argument(
        "--people", type=int, metavar="N", help="on camera (default: ten where captured, nine where composed)"
    )
    parser.add_argument(
        "--scene", type=Scene, choices=list(Scene), default=Scene.PORTRAIT, metavar="S",
        help="what the cameras of a film see: portrait (default), or stripes, in which every point moves",
    )  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.reports) - set(REPORTS):
        parser.error(f"no such report: {', '.join(sorted(unknown))}")
    asyncio.run(measure(options.reports or list(REPORTS), options.people, options.seconds, options.scene))


if __name__ == "__main__":
    main()
