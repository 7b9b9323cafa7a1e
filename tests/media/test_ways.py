"""Everybody gets through: by TCP where UDP is stopped, by either family, and from one network into another."""

from collections.abc import AsyncIterator

import pytest

from media import MediaEngine
from media.events import TransportState, TransportStateChanged
from tests.media.conftest import Join
from tests.media.peers import Listener, Picture, Tone
from tests.media.ways import Way


@pytest.fixture
async def ways(engine: MediaEngine) -> AsyncIterator[list[Way]]:
    both = [await Way(engine).open(), await Way(engine).open()]
    yield both
    for way in both:
        way.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_two_people_see_and_hear_each_other_by_tcp(
    join: Join, ways: list[Way], engine: MediaEngine, host: str
) -> None:
    voice, picture = Tone(), Picture()
    for way in ways:
        await way.by_tcp(host)
    speaker = await join(voice, picture, candidates=ways[0].candidates)
    viewer = await join(candidates=ways[1].candidates)
    _, heard = await viewer.subscribe(await speaker.publish(voice))
    _, seen = await viewer.subscribe(await speaker.publish(picture))
    await seen.reach(5)
    await heard.hear(0.05)
    assert {peer.transports[0].statistics()["protocol"] for peer in (speaker, viewer)} == {"tcp"}
    assert engine.statistics()["tcp_connections"] == 2
    counted = engine.statistics()
    assert counted["tcp"]["accepted"] == 2
    assert counted["drops"]["tcp_full"] == 0


async def test_media_by_ipv6(join: Join, ways: list[Way]) -> None:
    voice = Tone()
    for way in ways:
        await way.by_udp("::1")
    speaker = await join(voice, candidates=ways[0].candidates)
    viewer = await join(candidates=ways[1].candidates)
    _, heard = await viewer.subscribe(await speaker.publish(voice))
    await heard.hear(0.05)
    assert viewer.transports[0].statistics()["protocol"] == "udp"


@pytest.mark.parametrize("outwards", ["udp", "tcp"])
@pytest.mark.usefixtures("often")
async def test_a_phone_that_changes_its_network_keeps_its_session(
    join: Join, ways: list[Way], engine: MediaEngine, listener: Listener, outwards: str
) -> None:
    voice, tone = Tone(), Tone(660)
    for way in ways:
        await way.by_udp()
    each = iter(ways)  # one a transport
    phone = await join(voice, candidates=lambda ours: next(each).candidates(ours))
    other = await join(tone)
    _, heard_by_other = await other.subscribe(await phone.publish(voice))
    _, heard_by_phone = await phone.subscribe(await other.publish(tone))
    await heard_by_other.hear(0.05)
    await heard_by_phone.hear(0.05)
    handshakes = engine.statistics()["counters"]["dtls_connected"]
    for way in ways:
        await (way.by_udp() if outwards == "udp" else way.by_tcp())
    while min(way.outsides[-1].received for way in ways) < 5:
        await heard_by_phone.reach(1)
    await heard_by_other.reach(20)
    before = [way.outsides[0].received for way in ways]
    await heard_by_phone.reach(25)
    assert [way.outsides[0].received for way in ways] == before
    assert {transport.statistics()["protocol"] for transport in phone.transports} == {outwards}
    assert engine.statistics()["counters"]["dtls_connected"] == handshakes
    assert not [e for e in listener.of(TransportStateChanged) if e.state is TransportState.DISCONNECTED]
