"""What is told to many: encoded once, written to each once with all that came meanwhile, and in order."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from socketio import packet

from signaling.announcer import SECONDS_A_LINE
from signaling.settings import SignalingSettings
from tests.signaling.echo import SPACE, Stand
from tests.signaling.raw import RawClient, raw_client, until

PEOPLE = 5


@pytest.fixture
def settings() -> SignalingSettings:
    return SignalingSettings()


@pytest.fixture
async def people(stand: Stand) -> AsyncIterator[list[RawClient]]:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(stand.url)) for _ in range(PEOPLE)]
        for client in clients:
            await client.connect(SPACE, {"token": "known"})
        yield clients


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch, people: list[RawClient]) -> Counter[str]:
    """How often the libraries below us encoded and the event loop's transports wrote, from now on."""
    assert people
    counts: Counter[str] = Counter()
    encode, transport = packet.Packet.encode, asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    write = transport.write

    def counted_encode(self: packet.Packet) -> Any:
        counts["encoded"] += 1
        return encode(self)  # type: ignore[no-untyped-call]

    def counted_write(self: Any, data: bytes) -> None:
        counts["written"] += 1
        write(self, data)

    monkeypatch.setattr(packet.Packet, "encode", counted_encode)
    monkeypatch.setattr(transport, "write", counted_write)
    return counts


async def heard(client: RawClient, count: int) -> list[int]:
    """The numbers of the next so many pieces of news."""
    return [json.loads((await client.receive()).partition(",")[2])[1]["number"] for _ in range(count)]


async def test_what_comes_together_is_encoded_once_and_goes_to_each_in_one_write(
    stand: Stand, people: list[RawClient], counts: Counter[str]
) -> None:
    for number in range(10):
        stand.server.post(SPACE, stand.echo.sids(), "news", {"number": number})
    for client in people:
        assert await heard(client, 10) == list(range(10))
    assert counts == {"encoded": 10, "written": PEOPLE}


async def test_a_message_for_one_takes_along_what_is_held_for_him(
    stand: Stand, people: list[RawClient], counts: Counter[str]
) -> None:
    sids = stand.echo.sids()
    stand.server.post(SPACE, sids, "news", {"number": 1})
    stand.server.post(SPACE, sids[:1], "news", {"number": 2})
    assert counts["written"] == 1, "at once"
    stand.server.post(SPACE, sids, "news", {"number": 3})
    assert await heard(people[0], 3) == [1, 2, 3]
    for client in people[1:]:
        assert await heard(client, 2) == [1, 3]
    assert counts["written"] == 1 + PEOPLE


async def test_who_has_told_many_waits_in_proportion_before_telling_again(
    stand: Stand, people: list[RawClient]
) -> None:
    loop = asyncio.get_running_loop()
    stand.server.post(SPACE, stand.echo.sids(), "news", {"number": 1})
    began = loop.time()
    assert await heard(people[0], 1) == [1]
    stand.server.post(SPACE, stand.echo.sids(), "news", {"number": 2})
    assert await heard(people[0], 1) == [2]
    # The loop may call a timer as early as its clock is coarse.
    assert loop.time() - began >= PEOPLE * SECONDS_A_LINE - 2 * loop._clock_resolution  # type: ignore[attr-defined]


async def test_what_is_held_for_one_who_is_sent_away_comes_before_the_end(
    stand: Stand, people: list[RawClient]
) -> None:
    sids = stand.echo.sids()
    stand.server._announcer._paid_at = asyncio.get_running_loop().time() + 0.5
    stand.server.post(SPACE, sids, "news", {"number": 1})
    await stand.server.close_connection(SPACE, sids[0])
    assert await heard(people[0], 1) == [1]
    assert await people[0].receive() == f"1{SPACE},"
    assert await heard(people[1], 1) == [1]


async def test_one_who_is_gone_is_skipped(stand: Stand, people: list[RawClient]) -> None:
    sids = stand.echo.sids()
    stand.server.post(SPACE, sids, "news", {"number": 1})
    await people[0].socket.close()
    await until(lambda: len(stand.echo.sids()) < PEOPLE)
    stand.server.post(SPACE, sids, "news", {"number": 2})
    assert await heard(people[1], 2) == [1, 2]


@pytest.mark.parametrize("length", [1, 60, 125, 126, 127, 65_535, 65_536, 200_000])
async def test_frames_of_every_length_are_frames(stand: Stand, people: list[RawClient], length: int) -> None:
    """The head of a frame says its length in one of three ways (RFC 6455 section 5.2)."""
    envelope = len('42/echo,["news",{"number":1,"text":""}]')
    text = "x" * max(0, length - envelope)
    for number in range(3):
        stand.server.post(SPACE, stand.echo.sids()[:1], "news", {"number": number, "text": text})
    assert await heard(people[0], 3) == [0, 1, 2]
