"""A meeting as its participants live it: they see and hear each other, speak and write, and it ends."""

from tests.signaling.conftest import Enter
from tests.signaling.participant import Payload, frames
from tests.signaling.raw import until
from tests.signaling.stack import Branch, Stack


async def test_two_people_see_and_hear_each_other(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        answer = await host.join(meeting)
        assert (answer["role"], answer["state"], answer["peers"]) == ("host", "admitted", [])
        assert (answer["meeting"]["title"], answer["recording"], answer["resumed"]) == (
            "主题党日",
            None,
            False,
        )
        microphone = await host.publish("microphone")
        camera = await host.publish("camera")

        [peer] = (await member.join(meeting))["peers"]
        assert (peer["peerId"], peer["displayName"], peer["role"]) == (answer["peerId"], "陈书记", "host")
        assert {(p["producerId"], p["kind"], p["source"], p["paused"]) for p in peer["producers"]} == {
            (microphone.id, "audio", "microphone", False),
            (camera.id, "video", "camera", False),
        }
        assert (await host.heard("peerJoined"))["displayName"] == "李梅"
        assert len(await frames(await member.consume(microphone.id), 10)) == 10
        pictures = await frames(await member.consume(camera.id), 10)
        assert {(picture.width, picture.height) for picture in pictures} == {(96, 64)}

        own = await member.publish("camera")
        added = await host.heard("producerAdded")
        assert (added["producerId"], added["peerId"]) == (own.id, member.answer["peerId"])
        assert len(await frames(await host.consume(own.id), 5)) == 5


async def test_a_pause_stops_the_pictures_and_tells_both_sides_of_it(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        camera = await host.publish("camera")
        await member.join(meeting)
        consumer = await member.consume(camera.id)
        await frames(consumer, 3)

        await host.call("pauseProducer", {"producerId": camera.id})
        paused = await member.heard("producerPaused")
        assert (paused["peerId"], paused["source"], paused["paused"]) == (
            host.answer["peerId"],
            "camera",
            True,
        )
        assert await member.heard("consumerPaused") == {
            "consumerId": consumer.id,
            "reason": "producerPaused",
        }
        await host.call("resumeProducer", {"producerId": camera.id})
        assert (await member.heard("producerResumed"))["paused"] is False
        await member.heard("consumerResumed")
        await frames(consumer, 10)
        assert not host.has_heard("producerPaused")  # whoever did it knows

        await host.call("closeProducer", {"producerId": camera.id})
        assert (await member.heard("producerClosed"))["producerId"] == camera.id
        assert await member.heard("consumerClosed") == {
            "consumerId": consumer.id,
            "reason": "producerClosed",
        }
        assert await member.refused("resumeConsumer", {"consumerId": consumer.id}) == "consumer_not_found"


async def test_what_is_said_and_hands_reach_everybody_and_those_who_come_later(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as member,
        enter(branch.members[1]) as late,
    ):
        await host.join(meeting)
        await member.join(meeting)
        await member.call("chat", {"text": " 同志们好\r\n "})
        for somebody in (host, member):
            line = await somebody.heard("chat")
            assert (line["peerId"], line["displayName"], line["text"]) == (
                member.answer["peerId"],
                "李梅",
                "同志们好",
            )
            assert line["at"].endswith("Z")
        await member.call("raiseHand", {"raised": True})
        for somebody in (host, member):
            hand = await somebody.heard("handRaised")
            assert (hand["peerId"], hand["raised"]) == (member.answer["peerId"], True)

        answer = await late.join(meeting)
        assert [line["text"] for line in answer["chat"]] == ["同志们好"]
        assert [(p["displayName"], p["handRaised"]) for p in answer["peers"]] == [
            ("陈书记", False),
            ("李梅", True),
        ]


def max_level(heard: Payload) -> int:
    """How loud the loudest is; the first report may have heard but the end of silence."""
    return max((level["dBov"] for level in heard["levels"]), default=-127)


async def test_who_speaks_and_how_loud_and_ones_own_network_are_told(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        await host.publish("microphone")
        speaker = host.answer["peerId"]
        for somebody in (host, member):
            assert await somebody.heard("activeSpeaker") == {"peerId": speaker}
            loud = await somebody.heard("audioLevels", lambda heard: max_level(heard) > -40)
            assert [level["peerId"] for level in loud["levels"]] == [speaker]
            assert max_level(loud) <= 0
        quality = await host.heard("networkQuality")
        assert (quality["peerId"], quality["up"] in range(6), quality["down"]) == (speaker, True, 5)
        await host.call("leave")
        await member.heard("activeSpeaker", lambda heard: heard["peerId"] is None)


async def test_leaving_is_told_at_once_and_one_may_come_again(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        camera = await host.publish("camera")
        await member.join(meeting)
        consumer = await member.consume(camera.id)
        first = host.answer["peerId"]
        await host.call("leave")
        assert await member.heard("peerLeft") == {"peerId": first, "reason": "left"}
        assert (await member.heard("consumerClosed"))["consumerId"] == consumer.id
        assert not member.has_heard("producerClosed")  # the one word says it all
        assert await host.refused("pauseProducer", {"producerId": camera.id}) == "not_joined"
        assert (await host.join(meeting))["peerId"] != first


async def test_the_hosts_end_ends_it_for_everybody_and_closes_all_media(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await host.publish("microphone")
        await member.join(meeting)
        assert await member.refused("endMeeting") == "forbidden"
        await host.call("endMeeting")
        for somebody in (host, member):
            assert await somebody.heard("meetingEnded") == {}
            assert await somebody.refused("join", {"meetingId": meeting}) == "meeting_ended"
        figures = stack.engine.statistics()
        assert [figures[name] for name in ("routers", "transports", "producers")] == [0, 0, 0]
        assert sum(stack.signaling.statistics().sessions.values()) == 0


async def test_two_devices_of_one_person_are_two_peers(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as telephone, enter(branch.secretary) as computer:
        await telephone.join(meeting)
        [peer] = (await computer.join(meeting))["peers"]
        assert peer["peerId"] == telephone.answer["peerId"] != computer.answer["peerId"]
        microphone = await telephone.publish("microphone", paused=True)
        added = await computer.heard("producerAdded")
        assert (added["producerId"], added["paused"]) == (microphone.id, True)


async def test_who_closes_a_transport_closes_what_is_on_it(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        camera = await host.publish("camera")
        await frames(await member.consume(camera.id), 1)
        await host.call("closeTransport", {"transportId": host.transports["send"].id})
        assert (await member.heard("producerClosed"))["producerId"] == camera.id
        await member.transports["recv"].close()  # by DTLS, without a word to signaling
        await until(lambda: stack.engine.statistics()["transports"] == 0)


async def test_the_counters_tell_of_events_refusals_connections_and_sessions(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.refused("chat", {"text": "too early"})
        await host.join(meeting)
        figures = stack.signaling.statistics()
        assert figures.events == {("/rooms", "chat"): 1, ("/rooms", "join"): 1}
        assert figures.refusals == {"not_joined": 1}
        assert figures.connections == {"/rooms": 1, "/stations": 0, "/connection-test": 0}
        assert figures.sessions == {"admitted": 1, "devices": 0, "waiting": 0, "reconnecting": 0}
