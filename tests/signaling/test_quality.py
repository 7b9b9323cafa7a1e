"""How people do: the rules, and who is told of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest

from database import Database
from media.events import ConsumerLayersChanged, TransportQuality
from media.quality import Trouble
from media.transport import PATH_SECONDS
from rooms.live.events import Source
from signaling import SignalingSettings
from signaling.rooms.condition import GRAVITY, Condition, condition
from signaling.rooms.hall import Hall
from tests.signaling.conftest import Enter
from tests.signaling.participant import Participant, Payload, Tone, frames
from tests.signaling.stack import Branch, Stack, running

QUIET: dict[str, Any] = {
    "up": (),
    "down": (),
    "network": (),
    "silent": (),
    "starved": False,
    "reconnecting": False,
}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, (5, 5, ())),
        ({"up": (4, 2), "down": (3,)}, (2, 3, ())),
        ({"network": {Trouble.DELAY, Trouble.LOSS_UP}}, (5, 5, ("lossUp", "delay"))),
        ({"silent": [Source.MICROPHONE]}, (5, 5, ("microphoneSilent",))),
        ({"silent": [Source.CAMERA, Source.MICROPHONE]}, (5, 5, ("microphoneSilent", "cameraSilent"))),
        ({"silent": [Source.SCREEN, Source.SCREEN_AUDIO]}, (5, 5, ())),
        ({"network": {Trouble.NO_PATH}, "silent": [Source.MICROPHONE], "up": (0,)}, (0, 5, ("noPath",))),
        (
            {"starved": True, "network": {Trouble.BANDWIDTH_DOWN}},
            (5, 5, ("pictureStarved", "bandwidthDown")),
        ),
        ({"reconnecting": True, "starved": True}, (5, 5, ("reconnecting", "pictureStarved"))),
    ],
)
def test_the_condition_names_what_is_wrong_worst_first(
    seen: dict[str, Any], expected: tuple[int, int, tuple[str, ...]]
) -> None:
    assert condition(**QUIET | seen) == Condition(*expected)


def test_every_trouble_of_the_network_has_its_place() -> None:
    assert {trouble.value for trouble in Trouble} <= set(GRAVITY)
    assert len(set(GRAVITY)) == len(GRAVITY)


def test_the_graver_trouble_comes_first_then_the_lower_grade() -> None:
    ordered = [Condition(5, 5, ("reconnecting",)), Condition(1, 5, ("delay",)), Condition(4, 5, ("delay",))]
    assert ordered[0].gravity < ordered[1].gravity < ordered[2].gravity


@pytest.fixture
async def stack(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Stack]:
    """Looks ten times a second."""
    settings = SignalingSettings(quality_seconds=0.1)
    async with running(sqlite_database, tmp_path / "recordings", settings) as stack:
        yield stack


def hall_of(stack: Stack) -> Hall:
    """The only one there is."""
    [hall] = stack.signaling._halls.all()
    return hall


def names(person: Participant, *troubles: str, but: str = "") -> Any:
    """A test of `roomQuality`: that this person has these troubles and not that one; a busy machine may add others."""

    def test(payload: Payload) -> bool:
        rows = [row["troubles"] for row in payload["peers"] if row["peerId"] == person.answer["peerId"]]
        found = {trouble for row in rows for trouble in row}
        return found >= set(troubles) and but not in found

    return test


class Unplugged(Tone):
    """A microphone that gives nothing."""

    async def recv(self) -> av.AudioFrame:
        """Never."""
        await asyncio.Event().wait()
        raise AssertionError


async def test_hosts_hear_who_has_trouble_and_nobody_else_does(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as member,
        enter(branch.members[1]) as other,
    ):
        for somebody in (host, member, other):
            await somebody.join(meeting)
        token = member.answer["resumeToken"]
        await member.cut()
        lost = await host.heard("roomQuality", names(member, "reconnecting"))
        assert lost["omitted"] == 0
        await host.call("chat", {"text": "after that"})
        await other.heard("chat")
        assert not other.has_heard("roomQuality")

        await host.call("moderate", {"action": "makeHost", "peerId": other.answer["peerId"]})
        await other.heard("roomQuality", names(member, "reconnecting"))

        await member.reconnect(cookie=branch.members[0])
        await member.join(meeting, resumeToken=token)
        await host.heard("roomQuality", names(member, but="reconnecting"))
        assert not member.has_heard("roomQuality")


async def test_a_microphone_that_is_on_and_sends_nothing_is_noticed(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        member.tracks.append(track := Unplugged())
        transport = await member.transport("send")
        microphone = await transport.produce(track=track, stopTracks=False, appData={"source": "microphone"})
        await host.heard("roomQuality", names(member, "microphoneSilent"))
        await member.heard("networkQuality", lambda told: "microphoneSilent" in told["troubles"])
        await member.call("pauseProducer", {"producerId": microphone.id})
        await host.heard("roomQuality", names(member, but="microphoneSilent"))


async def test_a_network_that_cannot_bear_the_pictures_is_told_to_its_owner_and_the_hosts(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        camera = await host.publish("camera")
        await member.join(meeting)
        await frames(consumer := await member.consume(camera.id), 3)
        first = await member.heard("networkQuality")
        assert first == {"peerId": member.answer["peerId"], "up": 5, "down": first["down"], "troubles": []}

        emit = hall_of(
            stack
        ).router._context.emit  # what the plane would say of a worse network than loopback
        transport = member.transports["recv"].id
        emit(TransportQuality(transport, 2, frozenset({Trouble.LOSS_DOWN}), rtt_ms=90.0, loss=0.2))
        emit(ConsumerLayersChanged(consumer.id, None, None))
        own = await member.heard("networkQuality", lambda told: "pictureStarved" in told["troubles"])
        assert own["troubles"][:2] == ["lossDown", "pictureStarved"]
        assert own["down"] <= 2
        await host.heard("roomQuality", names(member, "lossDown", "pictureStarved"))

        await member.call("pauseConsumer", {"consumerId": consumer.id})
        await host.heard("roomQuality", names(member, "lossDown", but="pictureStarved"))
        await member.call("closeTransport", {"transportId": transport})
        await host.heard("roomQuality", names(member, but="lossDown"))

        # Who makes one transport after the other, because none has a path, has none in between either.
        given_up, last = [
            (await member.call("createTransport", {"direction": "recv"}))["id"] for _ in range(2)
        ]
        emit(TransportQuality(given_up, 0, frozenset({Trouble.NO_PATH}), rtt_ms=None, loss=1.0))
        await host.heard("roomQuality", names(member, "noPath"))
        await member.call("closeTransport", {"transportId": given_up})
        session = hall_of(stack).session(member.answer["peerId"])
        assert session is not None
        assert (session.condition().down, session.condition().troubles[0]) == (0, "noPath")
        emit(TransportQuality(last, 5, frozenset(), rtt_ms=20.0, loss=0.0))
        await host.heard("roomQuality", names(member, but="noPath"))


async def test_who_needs_no_path_any_more_does_not_lack_one(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    """The others' pictures and voices went while he looked for a way to them."""
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        given_up, _ = [(await member.call("createTransport", {"direction": "recv"}))["id"] for _ in range(2)]
        router = hall_of(stack).router
        router._context.emit(
            TransportQuality(given_up, 0, frozenset({Trouble.NO_PATH}), rtt_ms=None, loss=1.0)
        )
        await member.call("closeTransport", {"transportId": given_up})
        await host.heard("roomQuality", names(member, "noPath"))
        for _ in range(PATH_SECONDS + 1):
            router.tick(time.monotonic())
        await host.heard("roomQuality", names(member, but="noPath"))


@pytest.mark.parametrize("sends", [True, False])
async def test_a_path_for_sending_is_missed_by_who_sends(
    branch: Branch, enter: Enter, stack: Stack, sends: bool
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        camera = await host.publish("camera")
        transport = host.transports["send"].id
        if not sends:
            await host.call("closeProducer", {"producerId": camera.id})
        hall_of(stack).router._context.emit(
            TransportQuality(transport, 0, frozenset({Trouble.NO_PATH}), rtt_ms=None, loss=1.0)
        )
        await host.heard("networkQuality", lambda told: told["troubles"] == ["noPath"])
        await host.call("closeTransport", {"transportId": transport})
        session = hall_of(stack).session(host.answer["peerId"])
        assert session is not None
        assert (session.condition().troubles == (Trouble.NO_PATH,)) is sends
