"""A village's reading room: twelve people at twelve PCs, and one line of 2 Mbit/s for all of them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiortc.rtcdtlstransport import RTCCertificate

from media import Router
from tests.shaped.conftest import Arrive, long
from tests.shaped.line import DOWN, Line
from tests.shaped.members import Member
from tests.shaped.people import SIMULCAST, SMALL, Person

pytestmark = pytest.mark.shaped

log = logging.getLogger(__name__)

SitDown = Callable[[str, list[Person]], Awaitable[Member]]

PEOPLE = 12
LINE_BPS = 2e6
QUEUE_BYTES = 60_000  # a quarter of a second
SETTLING_SECONDS = 14  # until everybody has found a share, and the copies of a clean line are gone
TURN_SECONDS = 1.0
VOICE_PACKETS = 25  # half of what a second of speech has
PRIORITY = 200
STILL = 1.0  # seconds without a new picture
MOVES = 2  # pictures a second; the lowest temporal layer has five


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
async def sit_down(router: Router) -> AsyncIterator[SitDown]:
    """`await sit_down(line.members, people)`: somebody who hears and sees these."""
    certificate = RTCCertificate.generateCertificate()
    members: list[Member] = []

    async def one(host: str, people: list[Person]) -> Member:
        members.append(await Member.sit_down(router, host, people, certificate))
        return members[-1]

    yield one
    for member in members:
        await member.leave()


@long
async def test_everybody_is_heard_by_everybody(line: Line, arrive: Arrive, sit_down: SitDown) -> None:
    """All cameras are on, and all want to see all; one after the other speaks."""
    line.shape(LINE_BPS, QUEUE_BYTES)
    lecturer = await arrive(line.server, SIMULCAST)
    people = [await arrive(line.members, SMALL) for _ in range(PEOPLE)]
    for person in people:
        person.speaking = False
    members = []
    for me in people:
        others = [person for person in people if person is not me]
        members.append(await sit_down(line.members, [lecturer, *others]))
        members[-1].pictures[0].set_priority(PRIORITY)
    await asyncio.sleep(SETTLING_SECONDS)
    began, before = now_us(), line.counts()[DOWN]["dropped"]
    lecturer.speaking = False
    for speaker in [lecturer, *people]:
        speaker.speaking = True
        await asyncio.sleep(TURN_SECONDS)
        speaker.speaking = False
    ended = now_us()
    await asyncio.sleep(TURN_SECONDS)
    dropped = line.counts()[DOWN]["dropped"] - before
    worst = max(one.missed(began, ended) for one in members)
    rates = sorted(round(one.eyes[0].rate(began, ended), 1) for one in members)
    stills = sorted(round(one.eyes[0].still(began, ended), 1) for one in members)
    log.info(
        "%.2f %% missed at worst; %d packets dropped; pictures a second: %s; still for: %s",
        100 * worst, dropped, rates, stills,
    )  # fmt: skip
    assert all(len(ear.spoken(began, ended)) > VOICE_PACKETS for one in members for ear in one.ears)
    assert worst < 0.02
    assert dropped < 100
    assert rates[0] > MOVES, "everybody sees the lecturer move"
    assert stills[-1] < STILL
