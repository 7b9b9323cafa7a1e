"""What hosts do: the lobby, muting, removing, the lock. Rooms decide; media and messages follow."""

from tests.signaling.conftest import Enter
from tests.signaling.participant import Payload, frames
from tests.signaling.stack import Branch, Stack


async def test_who_waits_in_the_lobby_gets_no_media_until_a_host_lets_him_in(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting(lobby=True)
    async with enter(branch.secretary) as host, enter(branch.members[0]) as guest:
        await host.join(meeting)
        camera = await host.publish("camera")
        answer = await guest.join(meeting)
        assert (answer["state"], answer["peers"], answer["chat"]) == ("lobby", [], [])
        assert answer["routerRtpCapabilities"]["codecs"]
        early: dict[str, Payload] = {
            "createTransport": {"direction": "recv"},
            "consume": {"transportId": "t", "producerId": camera.id, "rtpCapabilities": {}},
            "chat": {"text": "let me in"},
            "raiseHand": {"raised": True},
            "moderate": {"action": "lock"},
        }
        for event, payload in early.items():
            assert await guest.refused(event, payload) == "not_admitted"
        await host.call("chat", {"text": "among us"})

        waiting = {"peerId": answer["peerId"], "displayName": "李梅"}
        assert await host.heard("lobby") == {**waiting, "waiting": True}
        await host.call("moderate", {"action": "admit", "peerId": answer["peerId"]})
        assert await host.heard("lobby") == {**waiting, "waiting": False}
        admitted = guest.answer = await guest.heard("admitted")
        assert (admitted["state"], admitted["peerId"]) == ("admitted", answer["peerId"])
        assert admitted["resumeToken"] == answer["resumeToken"]
        assert [p["producers"][0]["producerId"] for p in admitted["peers"]] == [camera.id]
        assert not guest.has_heard("chat")
        assert not guest.has_heard("producerAdded")
        assert len(await frames(await guest.consume(camera.id), 3)) == 3
        assert stack.signaling.statistics().sessions["waiting"] == 0


async def test_who_is_rejected_is_told_and_nobody_inside_ever_knew_of_him(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting(lobby=True)
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as inside,
        enter(branch.members[1]) as guest,
    ):
        await host.join(meeting)
        await inside.join(meeting)
        await host.call("moderate", {"action": "admit", "peerId": inside.answer["peerId"]})
        await inside.heard("admitted")
        await guest.join(meeting)
        await host.heard("lobby", lambda lobby: lobby["peerId"] == guest.answer["peerId"])
        await host.call("moderate", {"action": "reject", "peerId": guest.answer["peerId"]})
        assert await guest.heard("rejected") == {}
        await host.heard("lobby", lambda lobby: not lobby["waiting"])
        assert await guest.refused("createTransport", {"direction": "recv"}) == "not_joined"
        await host.call("chat", {"text": "x"})
        await inside.heard("chat")
        assert not {name for name, _ in inside.events} & {"lobby", "peerLeft"}


async def test_a_removed_person_loses_all_media_at_once_and_the_old_token_is_dead(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        camera = await host.publish("camera")
        await member.join(meeting)
        microphone = await member.publish("microphone")
        await member.consume(camera.id)
        await host.consume(microphone.id)
        assert stack.engine.statistics()["transports"] == 4

        await host.call("moderate", {"action": "remove", "peerId": member.answer["peerId"]})
        assert stack.engine.statistics()["transports"] == 2  # before anybody could say anything
        assert await member.heard("removed") == {"reason": "removed"}
        assert await host.heard("peerLeft") == {"peerId": member.answer["peerId"], "reason": "removed"}
        await host.heard("consumerClosed")
        old = {"meetingId": meeting, "resumeToken": member.answer["resumeToken"]}
        assert await member.refused("join", old) == "removed"
        assert await member.refused("join", {"meetingId": meeting}) == "removed"
        await member.cut()
        await member.reconnect(cookie=branch.members[0])
        assert await member.refused("join", old) == "removed"

        await host.call("moderate", {"action": "admit", "peerId": member.answer["peerId"]})
        assert (await member.join(meeting, resumeToken=old["resumeToken"]))["resumed"] is False


async def test_who_is_removed_while_he_waits_stands_in_no_hosts_list_any_more(
    branch: Branch, enter: Enter
) -> None:
    """A name left there would be let in sooner or later, and that is how a host takes a removal back."""
    meeting = await branch.meeting(lobby=True)
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as member,
        enter(branch.members[0]) as waiting,
    ):
        await host.join(meeting)
        for device in (member, waiting):
            await device.join(meeting)
            await host.heard("lobby")
        await host.call("moderate", {"action": "admit", "peerId": member.answer["peerId"]})
        await host.heard("lobby", lambda lobby: not lobby["waiting"])
        await host.call("moderate", {"action": "remove", "peerId": member.answer["peerId"]})
        assert await waiting.heard("removed") == {"reason": "removed"}
        gone = {"peerId": waiting.answer["peerId"], "displayName": "李梅", "waiting": False}
        assert await host.heard("lobby") == gone
        assert await host.heard("peerLeft") == {"peerId": member.answer["peerId"], "reason": "removed"}
        assert not host.has_heard("peerLeft")


async def test_a_mute_is_carried_out_by_the_server_and_is_no_lock(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        microphone, camera = await member.publish("microphone"), await member.publish("camera")
        consumer = await host.consume(microphone.id)
        await frames(consumer, 3)
        member_id = {"peerId": member.answer["peerId"]}
        assert await member.refused("moderate", {"action": "mute", **member_id}) == "forbidden"

        await host.call("moderate", {"action": "mute", **member_id})
        for somebody in (host, member):
            paused = await somebody.heard("producerPaused")
            assert (paused["producerId"], paused["source"]) == (microphone.id, "microphone")
        assert (await host.heard("consumerPaused"))["consumerId"] == consumer.id
        await host.call("moderate", {"action": "stopVideo", **member_id})
        assert (await member.heard("producerPaused"))["producerId"] == camera.id

        await member.call("resumeProducer", {"producerId": microphone.id})
        await host.heard("consumerResumed")
        await frames(consumer, 10)
        await host.call("moderate", {"action": "muteAll"})
        assert (await member.heard("producerPaused"))["producerId"] == microphone.id


async def test_a_new_host_learns_who_waits_and_may_act(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting(lobby=True)
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as deputy,
        enter(branch.members[1]) as guest,
    ):
        await host.join(meeting)
        await deputy.join(meeting)
        await host.call("moderate", {"action": "admit", "peerId": deputy.answer["peerId"]})
        await deputy.heard("admitted")
        await guest.join(meeting)
        await host.call("moderate", {"action": "makeHost", "peerId": deputy.answer["peerId"]})
        assert await deputy.heard("roleChanged") == {"peerId": deputy.answer["peerId"], "role": "host"}
        assert (await deputy.heard("lobby"))["peerId"] == guest.answer["peerId"]
        await deputy.call("moderate", {"action": "admit", "peerId": guest.answer["peerId"]})
        await guest.heard("admitted")


async def test_a_locked_room_lets_nobody_new_in(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await host.call("moderate", {"action": "lock"})
        assert await host.heard("roomLocked") == {"locked": True}
        assert await member.refused("join", {"meetingId": meeting}) == "room_locked"
        await host.call("moderate", {"action": "unlock"})
        await member.join(meeting)
