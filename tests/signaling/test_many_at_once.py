"""A branch of thirty comes into one room in the same moment, each with a microphone."""

import asyncio
from contextlib import AsyncExitStack

from database import Database
from tests.media.samples import microphone
from tests.signaling.conftest import Enter
from tests.signaling.participant import Participant
from tests.signaling.raw import until
from tests.signaling.stack import Branch, Stack
from tests.statements import statements

PEOPLE = 30
BOOKKEEPING = {"PRAGMA", "BEGIN"}


async def come(somebody: Participant, meeting: str, ssrc: int) -> None:
    await somebody.join(meeting)
    transport = await somebody.call("createTransport", {"direction": "send"})
    microphones = {"kind": "audio", "source": "microphone", "rtpParameters": microphone(ssrc)}
    await somebody.call("produce", {"transportId": transport["id"], **microphones})


def heard_of(somebody: Participant) -> tuple[list[str], list[str]]:
    """The peers and the producers that somebody was told of, by the answer to the join or afterwards."""
    known = somebody.answer["peers"]
    peers = [peer["peerId"] for peer in known]
    producers = [producer["producerId"] for peer in known for producer in peer["producers"]]
    for event, payload in somebody.events:
        if event == "peerJoined":
            peers.append(payload["peerId"])
        elif event == "producerAdded":
            producers.append(payload["producerId"])
    return peers, producers


async def test_nobody_is_refused_and_each_hears_of_each_other_once(
    stack: Stack, branch: Branch, enter: Enter, sqlite_database: Database
) -> None:
    meeting = await branch.meeting()
    tokens = []
    async with stack.records.at_once():
        for _ in range(PEOPLE):
            member = await stack.records.member(branch.organization)
            tokens.append(await stack.records.browser(await stack.records.account(member=member)))
    async with AsyncExitStack() as doors:
        host, *others = [
            await doors.enter_async_context(enter(token)) for token in (branch.secretary, *tokens)
        ]
        await host.join(meeting)
        with statements(sqlite_database) as asked:
            await asyncio.gather(*(come(one, meeting, 1_000 + n) for n, one in enumerate(others)))
        # Two for each, who it is and whether he may come, however many are there; presence is written in bunches.
        assert sum(one.split()[0] not in BOOKKEEPING for one in asked) < 3 * PEOPLE
        await until(
            lambda: all(len(heard_of(one)[1]) >= PEOPLE - (one is not host) for one in (host, *others))
        )
        for somebody in (host, *others):
            peers, producers = heard_of(somebody)
            everybody_else = {one.answer["peerId"] for one in (host, *others) if one is not somebody}
            assert sorted(peers) == sorted(everybody_else)
            assert len(producers) == len(set(producers)) == PEOPLE - (somebody is not host)
            assert len(somebody.events) <= 2 * PEOPLE  # and nothing is told over and over again
