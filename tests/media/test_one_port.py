"""Two plane threads on one port: rooms on both, and people who come to whichever the kernel gives them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from media import MediaEngine, MediaSettings, Router
from tests.media.peers import Listener, Peer, Sink, Tone
from tests.media.ways import Way

# Half of all addresses are the wrong thread's: never to meet one is as likely as 2 to the -32.
ATTEMPTS_MOST = 32


@pytest.fixture
def settings() -> MediaSettings:
    return MediaSettings(port=0, plane_threads=2, bind_addresses=("127.0.0.1",))


@pytest.fixture
def routers(engine: MediaEngine, listener: Listener) -> list[Router]:
    return [engine.create_router(listener) for _ in range(2)]


Enter = Callable[[Router, str], Awaitable[tuple[Way, Sink]]]


@pytest.fixture
async def enter(engine: MediaEngine) -> AsyncIterator[Enter]:
    peers: list[Peer] = []
    ways: list[Way] = []

    async def enter(router: Router, protocol: str) -> tuple[Way, Sink]:
        """Somebody who speaks by a way of his own, and what another one in the room hears of him."""
        voice, way = Tone(), await Way(engine).open()
        ways.append(way)
        await (way.by_udp() if protocol == "udp" else way.by_tcp())
        speaker = await Peer(router, voice, candidates=way.candidates).join()
        listener = await Peer(router).join()
        peers.extend((speaker, listener))
        _, heard = await listener.subscribe(await speaker.publish(voice))
        await heard.hear(0.05)
        assert speaker.transports[0].statistics()["protocol"] == protocol
        return way, heard

    yield enter
    for peer in peers:
        await peer.leave()
    for way in ways:
        way.close()


def passed_on(engine: MediaEngine, protocol: str) -> int:
    kept = {"udp": "traffic", "tcp": "tcp"}[protocol]
    counted: int = engine.statistics()[kept]["passed_on"]
    return counted


async def test_rooms_on_two_threads_have_one_port(engine: MediaEngine, routers: list[Router]) -> None:
    transports = [router.create_transport("send").parameters() for router in routers]
    assert {each["port"] for one in transports for each in one["iceCandidates"]} == {engine.port}
    assert {one["iceParameters"]["usernameFragment"][0] for one in transports} == {"a", "b"}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_who_comes_to_the_wrong_thread_is_heard(
    engine: MediaEngine, routers: list[Router], enter: Enter, protocol: str
) -> None:
    for router in routers:
        before = passed_on(engine, protocol)
        for _ in range(ATTEMPTS_MOST):
            _, heard = await enter(router, protocol)
            if passed_on(engine, protocol) > before:
                break
        assert passed_on(engine, protocol) > before
        await heard.reach(10)


@pytest.mark.usefixtures("often")
async def test_who_moves_is_heard_on(routers: list[Router], enter: Enter) -> None:
    moving = [await enter(router, "udp") for router in routers]
    for way, _ in moving:
        await way.by_udp()
    for _, heard in moving:
        await heard.reach(30)
