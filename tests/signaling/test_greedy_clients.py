"""Clients that ask for too much or take too little: refused, cut, and nobody else held up."""

import asyncio
import json
import random

import pytest
from structlog.testing import capture_logs

from signaling.settings import SignalingSettings
from tests.patience import PATIENCE_SECONDS
from tests.signaling.echo import SPACE, Stand, is_alive
from tests.signaling.raw import RawClient, raw_client, until


async def test_a_flood_is_refused_and_a_pause_heals_it(client: RawClient, stand: Stand) -> None:
    answers = [await client.call(SPACE, "say", {"text": "x"}) for _ in range(100)]
    refused = [answer for answer in answers if not answer["ok"]]
    assert {answer["error"]["code"] for answer in refused} == {"rate_limited"}
    assert 0 < refused[0]["error"]["details"]["retryAfter"] <= 0.2
    stand.now += 1.0
    assert await is_alive(client)


async def test_what_everybody_hears_of_is_dearer(client: RawClient, stand: Stand) -> None:
    answers = [await client.call(SPACE, "shout") for _ in range(10)]
    assert [answer["ok"] for answer in answers] == [True] * 7 + [False] * 3, "a connection has paid 20 before"
    assert answers[-1]["error"]["code"] == "rate_limited"
    assert stand.counters.events[SPACE, "shout"] == 7


async def test_who_floods_on_while_refused_is_cut(client: RawClient, stand: Stand) -> None:
    async def flood() -> None:
        for _ in range(200):
            await client.call(SPACE, "say", {"text": "x"})

    with capture_logs() as logs, pytest.raises(ConnectionError):
        await flood()
    assert stand.counters.dropped["flood"] == 1
    assert [entry["reason"] for entry in logs if entry["event"] == "connection_cut"] == ["flood"]
    assert stand.echo.gone == ["known"]


async def test_opening_the_namespace_over_and_over_is_bounded_too(stand: Stand) -> None:
    async with raw_client(stand.url) as client:
        for _ in range(40):
            await client.send('0/echo,{"token":"wrong"}')
        refused = [await client.receive() for _ in range(4)]
        assert all(packet.startswith("4/echo,") for packet in refused)
        await until(lambda: stand.counters.dropped["flood"] == 36)
        stand.now += 10
        assert (await client.connect(SPACE, {"token": "known"})).startswith("0/echo,")
        assert stand.counters.refusals["unauthenticated"] < 10


@pytest.mark.parametrize("settings", [SignalingSettings(ping_timeout=10 * PATIENCE_SECONDS)])
async def test_a_client_that_does_not_read_is_cut_and_others_are_not_held_up(
    stand: Stand, client: RawClient, settings: SignalingSettings
) -> None:
    """The slow one's system takes some megabytes, then its queue fills, then it is cut; no `post` ever waits."""
    assert settings.ping_timeout > PATIENCE_SECONDS
    async with raw_client(stand.url) as slow:
        await slow.connect(SPACE, {"token": "known"})
        slow.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        slow_sid = stand.echo.sids()[-1]
        with capture_logs():
            async with asyncio.timeout(PATIENCE_SECONDS):
                while slow_sid in stand.echo.sids():
                    stand.server.post(SPACE, [slow_sid], "news", {"text": "x" * 50_000})
                    await asyncio.sleep(0)
        assert stand.counters.dropped["slow_client"] >= 1
        assert await is_alive(client)


@pytest.mark.parametrize("compress", [0, 15])
async def test_what_is_posted_arrives_in_order_whether_it_was_written_in_place_or_had_to_wait(
    stand: Stand, compress: int
) -> None:
    """Short and long ones, one at a time and many at once, to one who reads late, with and without compression."""
    dice = random.Random(3)  # noqa: S311 - sizes, not secrets
    async with raw_client(stand.url, compress=compress) as client:
        await client.connect(SPACE, {"token": "known"})
        sid = stand.echo.sids()[-1]
        client.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        for number in range(400):
            text = "x" * dice.choice((10, 10, 10, 5_000, 40_000))
            stand.server.post(SPACE, [sid], "news", {"number": number, "text": text})
            if dice.random() < 0.3:
                await asyncio.sleep(0)
        client.socket._response.connection.transport.resume_reading()  # type: ignore[union-attr]
        got = [json.loads((await client.receive()).partition(",")[2])[1]["number"] for _ in range(400)]
    assert got == list(range(400))


@pytest.mark.parametrize("settings", [SignalingSettings(anonymous_seconds=1)])
async def test_who_never_says_who_he_is_is_not_kept(stand: Stand, settings: SignalingSettings) -> None:
    assert settings.anonymous_seconds < PATIENCE_SECONDS
    async with raw_client(stand.url) as known, raw_client(stand.url) as unknown:
        await known.connect(SPACE, {"token": "known"})
        await unknown.connect(SPACE, {"token": "wrong"})
        with capture_logs(), pytest.raises(ConnectionError):
            await unknown.receive()
        assert await is_alive(known)
    assert stand.counters.dropped["anonymous"] == 1


@pytest.mark.parametrize("settings", [SignalingSettings(ping_timeout=0.3)])
async def test_a_client_that_reads_nothing_for_the_patience_is_cut_however_little_waits_for_it(
    stand: Stand, settings: SignalingSettings
) -> None:
    async with raw_client(stand.url) as slow:
        await slow.connect(SPACE, {"token": "known"})
        slow.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        [slow_sid] = stand.echo.sids()
        assert settings.max_unsent_messages > 200
        with capture_logs():
            for _ in range(200):
                stand.server.post(SPACE, [slow_sid], "news", {"text": "x" * 100_000})
            await until(lambda: not stand.echo.sids())
    assert stand.counters.dropped["slow_client"] == 1
