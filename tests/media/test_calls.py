"""Whole calls: pymediasoup peers and the real plane on loopback, without any signaling."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import av
import pytest

import media.connection
from media import MediaEngine, MediaEvent, MediaSettings, Router
from media.errors import WrongMediaState
from media.events import (
    ActiveSpeakerChanged,
    AudioLevels,
    CloseReason,
    ConsumerClosed,
    ConsumerPaused,
    ConsumerResumed,
    TransportQuality,
    TransportState,
    TransportStateChanged,
)
from tests.media.conftest import Join
from tests.media.peers import Listener, Picture, Tone
from tests.patience import PATIENCE_SECONDS

GCM, CM = "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"


async def test_two_people_see_and_hear_a_third(join: Join, listener: Listener) -> None:
    voice, picture = Tone(), Picture()
    speaker = await join(voice, picture)
    microphone, camera = await speaker.publish(voice), await speaker.publish(picture)
    for _ in range(2):
        viewer = await join()
        _, heard = await viewer.subscribe(microphone)
        _, seen = await viewer.subscribe(camera)
        await seen.reach(5)
        await heard.hear(0.05)
    states = [event.state for event in listener.of(TransportStateChanged)]
    assert states.count(TransportState.CONNECTED) == 3


def checks(engine: MediaEngine) -> int:
    """How many were answered, by whomever."""
    counters = engine.statistics()["counters"]
    answered: int = counters["stun_answered"] + counters["stun_consented"]
    return answered


async def test_a_call_goes_on_when_its_handshakes_are_settled(
    join: Join, engine: MediaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media.connection, "SETTLED_AFTER", 0.0)
    voice = Tone()
    speaker, listener = await join(voice), await join()
    _, heard = await listener.subscribe(await speaker.publish(voice))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while engine.statistics()["counters"].get("dtls_settled") != 2:
            await heard.reach(1)
    await heard.reach(20)
    assert speaker.transport("send").statistics()["tlsVersion"] == "FEFD"
    restarted = checks(engine)
    await speaker.restart_ice("send")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while checks(engine) == restarted:
            await heard.reach(1)
    await heard.reach(20)


async def test_late_joiner_gets_a_picture_though_no_key_frame_was_due(join: Join) -> None:
    picture = Picture()
    camera = await (await join(picture)).publish(picture)
    _, early = await (await join()).subscribe(camera)
    await early.reach(20)
    _, late = await (await join()).subscribe(camera)
    await late.reach(1)


@pytest.mark.parametrize("profile", [GCM, CM])
class TestProfiles:
    @pytest.fixture
    def settings(self, profile: str) -> MediaSettings:
        return MediaSettings(port=0, srtp_profiles=(profile,))

    async def test_media_flows_with_either_srtp_profile(self, join: Join, profile: str) -> None:
        voice = Tone()
        speaker, viewer = await join(voice), await join()
        _, heard = await viewer.subscribe(await speaker.publish(voice))
        await heard.hear(0.05)
        for peer, direction in ((speaker, "send"), (viewer, "recv")):
            assert peer.transport(direction).statistics()["srtpCipher"] == profile


async def test_who_is_not_admitted_gets_nothing(join: Join) -> None:
    voice = Tone()
    microphone = await (await join(voice)).publish(voice)
    outsider = await join(admitted=False)
    _, hidden = await outsider.subscribe(microphone)
    _, heard = await (await join()).subscribe(microphone)
    await heard.reach(25)
    assert hidden.frames == 0
    outsider.transport("recv").set_admitted(True)
    await hidden.hear(0.05)


async def test_who_is_not_admitted_is_not_heard(join: Join, engine: MediaEngine) -> None:
    secret, voice = Tone(1_000), Tone()
    outsider, speaker, viewer = await join(secret, admitted=False), await join(voice), await join()
    _, unheard = await viewer.subscribe(await outsider.publish(secret))
    _, heard = await viewer.subscribe(await speaker.publish(voice))
    await heard.reach(25)
    assert unheard.frames == 0
    assert engine.statistics()["drops"]["not_admitted"] > 0
    outsider.transport("send").set_admitted(True)
    await unheard.hear(0.05)


async def test_a_paused_consumer_waits_and_resumes_with_a_picture(join: Join) -> None:
    voice, picture = Tone(), Picture()
    speaker, viewer = await join(voice, picture), await join()
    _, heard = await viewer.subscribe(await speaker.publish(voice))
    consumer, seen = await viewer.subscribe(await speaker.publish(picture), resume=False)
    assert consumer.paused
    await heard.reach(25)
    assert seen.frames == 0
    consumer.resume()
    await seen.reach(3)
    consumer.pause()
    await heard.reach(10)  # what was under way
    before = seen.frames
    await heard.reach(25)
    assert seen.frames == before
    consumer.resume()
    await seen.reach(3)


async def test_a_paused_producer_pauses_its_consumers(join: Join, listener: Listener) -> None:
    voice, picture = Tone(), Picture()
    speaker, viewer = await join(voice, picture), await join()
    _, heard = await viewer.subscribe(await speaker.publish(voice))
    camera = await speaker.publish(picture)
    consumer, seen = await viewer.subscribe(camera)
    await seen.reach(3)
    camera.pause()
    camera.pause()
    assert consumer.producer_paused
    assert listener.of(ConsumerPaused) == [ConsumerPaused(consumer.id)]
    await heard.reach(10)
    before = seen.frames
    await heard.reach(25)
    assert seen.frames == before
    camera.resume()
    assert listener.of(ConsumerResumed) == [ConsumerResumed(consumer.id)]
    await seen.reach(3)


async def test_a_closed_producer_closes_its_consumers(join: Join, listener: Listener, router: Router) -> None:
    voice = Tone()
    speaker, viewer = await join(voice), await join()
    microphone = await speaker.publish(voice)
    consumer, heard = await viewer.subscribe(microphone)
    await heard.reach(3)
    microphone.close()
    microphone.close()
    assert consumer.closed
    assert listener.of(ConsumerClosed) == [ConsumerClosed(consumer.id, CloseReason.PRODUCER_CLOSED)]
    assert router.producers == {}
    with pytest.raises(WrongMediaState, match="media_closed"):
        consumer.resume()
    consumer.close()


async def test_closing_a_transport_takes_everything_with_it(
    join: Join, listener: Listener, engine: MediaEngine
) -> None:
    voice, picture = Tone(), Picture()
    speaker, viewer = await join(voice, picture), await join()
    consumers = [(await viewer.subscribe(await speaker.publish(track)))[0] for track in (voice, picture)]
    speaker.transport("send").close()
    assert {event.consumer_id for event in listener.of(ConsumerClosed)} == {c.id for c in consumers}
    viewer.transport("recv").close()
    counted = engine.statistics()
    assert [counted[name] for name in ("transports", "producers", "consumers")] == [0, 0, 0]


async def test_a_peer_that_says_goodbye_is_closed(join: Join, listener: Listener) -> None:
    voice = Tone()
    speaker = await join(voice)
    await speaker.publish(voice)
    transport = speaker.transport("send")
    await listener.expect(lambda e: e == TransportStateChanged(transport.id, TransportState.CONNECTED))
    await speaker.leave()
    await listener.expect(lambda e: e == TransportStateChanged(transport.id, TransportState.CLOSED))


async def test_media_goes_on_through_an_ice_restart(join: Join) -> None:
    voice = Tone()
    speaker, viewer = await join(voice), await join()
    _, heard = await viewer.subscribe(await speaker.publish(voice))
    await heard.reach(5)
    await viewer.restart_ice("recv")
    await speaker.restart_ice("send")
    await heard.reach(25)


def graded(transport_id: str) -> Callable[[MediaEvent], bool]:
    return lambda event: isinstance(event, TransportQuality) and event.transport_id == transport_id


async def test_a_good_network_is_graded(join: Join, listener: Listener) -> None:
    voice = Tone()
    speaker, viewer = await join(voice), await join()
    await viewer.subscribe(await speaker.publish(voice))
    for transport in (speaker.transport("send"), viewer.transport("recv")):
        grade: Any = await listener.expect(graded(transport.id))
        assert grade.score >= 4


class Cable(Tone):
    """A microphone that can be pulled out."""

    pulled = False

    async def recv(self) -> av.AudioFrame:
        if self.pulled:
            await asyncio.Event().wait()
        return await super().recv()


async def test_a_microphone_that_falls_silent_is_noticed_and_one_that_was_paused_is_not(
    join: Join, engine: MediaEngine
) -> None:
    voice, cable = Tone(), Cable()
    speaker = await join(voice, cable)
    paused, broken = await speaker.publish(voice), await speaker.publish(cable)
    paused.pause()
    _, heard = await (await join()).subscribe(broken)
    await heard.reach(3)
    cable.pulled = True
    async with asyncio.timeout(PATIENCE_SECONDS):
        while [one.silent for one in (paused, broken)] != [False, True]:  # noqa: ASYNC110 - a state, of whose change
            await asyncio.sleep(0.1)  # nobody is told
    assert engine.statistics()["counters"]["plane_producer_silent"] == 1


async def test_who_speaks_is_told(join: Join, listener: Listener) -> None:
    loud, quiet = Tone(), Tone(amplitude=0.0)
    microphone = await (await join(loud)).publish(loud)
    await (await join(quiet)).publish(quiet)
    await listener.expect(lambda event: event == ActiveSpeakerChanged(microphone.id))
    heard: Any = await listener.expect(lambda event: isinstance(event, AudioLevels))
    assert [producer_id for producer_id, _ in heard.levels] == [microphone.id]


async def test_a_tap_gets_the_packets_and_keeps_the_rest_when_the_producer_closes(
    join: Join, router: Router
) -> None:
    voice = Tone()
    speaker, viewer = await join(voice), await join()
    microphone = await speaker.publish(voice)
    _, heard = await viewer.subscribe(microphone)
    await heard.reach(3)
    tap = router.tap(microphone.id, capacity_packets=100)
    assert (tap.codec, tap.clock_rate, tap.channels) == ("audio/opus", 48_000, 2)
    await heard.reach(25)
    microphone.close()
    assert tap.closed
    batch = tap.drain()
    assert len(batch.packets) >= 15
    sequences = [int.from_bytes(packet[2:4]) for _, packet in batch.packets]
    assert [(b - a) % 65_536 for a, b in pairwise(sequences)] == [1] * (len(sequences) - 1)
    assert {packet[1] & 0x7F for _, packet in batch.packets} == {tap.payload_type}
    assert tap.drain().packets == []
    tap.close()


async def test_a_tap_is_drained_on_a_thread_while_its_producer_closes(join: Join, router: Router) -> None:
    voice = Tone()
    microphone = await (await join(voice)).publish(voice)
    tap = router.tap(microphone.id)
    got: list[int] = []

    def drain() -> None:
        while not tap.closed:
            got.append(len(tap.drain().packets))
        got.append(len(tap.drain().packets))

    draining = asyncio.create_task(asyncio.to_thread(drain))
    _, heard = await (await join()).subscribe(microphone)
    await heard.reach(10)
    microphone.close()
    await draining
    assert sum(got) >= 10


async def test_a_closed_router_is_silent(join: Join, router: Router, listener: Listener) -> None:
    voice = Tone()
    speaker, viewer = await join(voice), await join()
    await viewer.subscribe(await speaker.publish(voice))
    router.close()
    assert listener.of(ConsumerClosed) == []
    with pytest.raises(WrongMediaState, match="media_closed"):
        router.create_transport("send")
