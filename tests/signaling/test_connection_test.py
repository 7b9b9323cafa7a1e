"""The connection test: one's own media and nobody else's, few at once, and not for long."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from database import Database
from signaling import SignalingSettings
from signaling.connection_test.namespace import source_of
from signaling.settings import IceServer
from tests.media.samples import camera, everything
from tests.signaling.participant import Participant, participant
from tests.signaling.stack import Branch, Stack, running

PICTURE = camera()


def somebody(stack: Stack, cookie: str | None = None) -> AbstractAsyncContextManager[Participant]:
    """Somebody at the page, signed in or not."""
    return participant(stack.url, namespace="/connection-test", cookie=cookie)


@pytest.fixture
def settings() -> SignalingSettings:
    return SignalingSettings(max_tests=3, max_tests_of_source=2, test_seconds=60)


@pytest.fixture
async def stack(
    sqlite_database: Database, tmp_path: Path, settings: SignalingSettings
) -> AsyncIterator[Stack]:
    async with running(sqlite_database, tmp_path / "recordings", settings) as stack:
        yield stack


async def send(person: Participant) -> str:
    transport = await person.call("createTransport", {"direction": "send", "protocol": "udp"})
    produced = {"transportId": transport["id"], "kind": "video", "rtpParameters": PICTURE}
    return str((await person.call("produce", produced))["id"])


async def test_a_stranger_is_told_what_there_is_and_gets_his_own_track_back(stack: Stack) -> None:
    async with somebody(stack) as person:
        begun = await person.call("begin")
        assert begun["protocols"] == ["udp", "tcp"]
        assert begun["mediaPort"] == stack.engine.port
        assert (begun["relay"], begun["iceServers"]) == ("none", [])
        producer = await send(person)
        back = await person.call("createTransport", {"direction": "recv", "protocol": "tcp"})
        assert {candidate["protocol"] for candidate in back["iceCandidates"]} == {"tcp"}
        wanted = {"transportId": back["id"], "producerId": producer, "rtpCapabilities": everything()}
        consumed = await person.call("consume", wanted)
        assert consumed["producerId"] == producer
        await person.call("resumeConsumer", {"consumerId": consumed["id"]})
        await person.call("closeTransport", {"transportId": back["id"]})


async def test_nobody_reaches_anothers_media(stack: Stack) -> None:
    async with somebody(stack) as one, somebody(stack) as other:
        await one.call("begin")
        await other.call("begin")
        producer = await send(one)
        transport = (await other.call("createTransport", {"direction": "recv"}))["id"]
        wanted = {"transportId": transport, "producerId": producer, "rtpCapabilities": everything()}
        assert await other.refused("consume", wanted) == "producer_not_found"
        assert await one.refused("closeTransport", {"transportId": transport}) == "transport_not_found"


async def test_tests_are_bounded_and_end_with_their_connection(stack: Stack) -> None:
    async with somebody(stack) as one, somebody(stack) as another:
        await one.call("begin")
        await another.call("begin")
        assert await one.refused("begin") == "test_begun"
        async with somebody(stack) as third:
            assert await third.refused("begin") == "too_many_tests"
            await another.call("end")
            await third.call("begin")
        async with somebody(stack) as fourth:  # the third has gone, and its place is free
            await fourth.call("begin")


class TestAllowance:
    @pytest.fixture
    def settings(self) -> SignalingSettings:
        return SignalingSettings(test_burst=2, tests_per_minute=1)

    async def test_tests_one_after_the_other_are_bounded_too(self, stack: Stack) -> None:
        async with somebody(stack) as person:
            for _ in range(2):
                await person.call("begin")
                await person.call("end")
        async with somebody(stack) as again:  # another connection, the same address
            assert await again.refused("begin") == "too_many_tests"
        assert stack.signaling.statistics().refusals["too_many_tests"] == 1


async def test_what_one_test_may_open_is_bounded(stack: Stack) -> None:
    sending = {"direction": "send"}
    async with somebody(stack) as person:
        assert await person.refused("createTransport", sending) == "test_not_begun"
        await person.call("begin")
        for _ in range(10):
            await person.call("createTransport", sending)
        assert await person.refused("createTransport", sending) == "too_many_transports"


class TestTime:
    @pytest.fixture
    def settings(self) -> SignalingSettings:
        return SignalingSettings(test_seconds=0.2)

    async def test_a_test_ends_by_itself_and_says_so(self, stack: Stack) -> None:
        async with somebody(stack) as person:
            await person.call("begin")
            await person.heard("testOver")
            assert await person.refused("createTransport", {"direction": "send"}) == "test_not_begun"
            assert stack.engine.statistics()["routers"] == 0


class TestRelay:
    @pytest.fixture
    def settings(self) -> SignalingSettings:
        return SignalingSettings(ice_servers=(IceServer(("turn:turn.example.org",), secret="s"),))

    async def test_relay_credentials_are_for_those_we_know(self, stack: Stack) -> None:
        branch = await Branch.found(stack)
        async with somebody(stack) as stranger:
            begun = await stranger.call("begin")
            assert (begun["relay"], begun["iceServers"]) == ("signedInOnly", [])
        async with somebody(stack, branch.secretary) as member:
            begun = await member.call("begin")
            assert begun["relay"] == "available"
            assert begun["iceServers"][0]["username"].endswith(":connection-test")


@pytest.mark.parametrize(
    ("remote", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_line_is_one_source(remote: str | None, source: str) -> None:
    assert source_of(remote) == source
