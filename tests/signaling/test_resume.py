"""A lost connection is not leaving: media flow on, and the participant comes back as the same one."""

import asyncio
from typing import Any

import pytest

from rooms.live.commands import Role
from rooms.live.service import Entered
from signaling.rooms.session import MAX_SPENT_TOKENS, Session
from tests.signaling.conftest import Enter
from tests.signaling.participant import Participant, Payload, frames
from tests.signaling.stack import GRACE, Branch, Stack


async def test_media_flow_while_both_websockets_are_cut_and_both_come_back_as_the_same(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        camera = await host.publish("camera")
        await member.join(meeting)
        consumer = await member.consume(camera.id)
        await frames(consumer, 5)

        await host.cut()
        assert await member.heard("peerReconnecting") == {"peerId": host.answer["peerId"]}
        await member.cut()
        assert len(await frames(consumer, 20)) == 20  # nobody has a WebSocket now

        before = member.answer
        await member.reconnect(cookie=branch.members[0])
        answer = await member.join(meeting, resumeToken=before["resumeToken"])
        assert (answer["resumed"], answer["peerId"]) == (True, before["peerId"])
        assert answer["resumeToken"] != before["resumeToken"]
        assert answer["transports"] == [{"transportId": member.transports["recv"].id, "direction": "recv"}]
        assert answer["consumers"] == [
            {
                "consumerId": consumer.id,
                "producerId": camera.id,
                "paused": False,
                "producerPaused": False,
                "starved": False,
            }
        ]
        assert [(p["state"], [q["producerId"] for q in p["producers"]]) for p in answer["peers"]] == [
            ("reconnecting", [camera.id])
        ]

        await host.reconnect(cookie=branch.secretary)
        answer = await host.join(meeting, resumeToken=host.answer["resumeToken"])
        assert [producer["producerId"] for producer in answer["producers"]] == [camera.id]
        assert await member.heard("peerReconnected") == {"peerId": answer["peerId"]}
        await host.call("pauseProducer", {"producerId": camera.id})
        assert (await member.heard("consumerPaused"))["consumerId"] == consumer.id
        assert not member.has_heard("peerLeft")


async def test_what_was_missed_is_in_the_answer_of_the_return(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        camera = await host.publish("camera")
        await member.join(meeting)
        await member.consume(camera.id)
        await member.cut()
        await host.heard("peerReconnecting")
        await host.call("closeProducer", {"producerId": camera.id})
        microphone = await host.publish("microphone")
        await host.call("chat", {"text": "现在开始"})
        await member.reconnect(cookie=branch.members[0])
        answer = await member.join(meeting, resumeToken=member.answer["resumeToken"])
        assert [[q["producerId"] for q in p["producers"]] for p in answer["peers"]] == [[microphone.id]]
        assert answer["consumers"] == []
        assert [line["text"] for line in answer["chat"]] == ["现在开始"]
        assert len(await frames(await member.consume(microphone.id), 5)) == 5


async def test_who_does_not_come_back_in_time_is_gone_with_his_media(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await member.join(meeting)
        microphone = await member.publish("microphone")
        consumer = await host.consume(microphone.id)
        await member.cut()
        await host.heard("peerReconnecting")
        await stack.pass_time(GRACE - 1)
        assert not host.has_heard("peerLeft")
        await stack.pass_time(2)
        assert await host.heard("peerLeft") == {"peerId": member.answer["peerId"], "reason": "lost"}
        assert (await host.heard("consumerClosed"))["consumerId"] == consumer.id

        await member.reconnect(cookie=branch.members[0])
        answer = await member.join(meeting, resumeToken=member.answer["resumeToken"])
        assert answer["resumed"] is False
        assert answer["transports"] == answer["producers"] == []


async def test_a_second_connection_with_the_token_takes_over_and_the_first_is_disconnected(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as first,
        enter(branch.members[0]) as second,
    ):
        await host.join(meeting)
        await first.join(meeting)
        microphone = await first.publish("microphone")
        answer = await second.join(meeting, resumeToken=first.answer["resumeToken"])
        assert (answer["resumed"], answer["peerId"]) == (True, first.answer["peerId"])
        assert [producer["producerId"] for producer in answer["producers"]] == [microphone.id]
        assert await first.heard("removed") == {"reason": "taken_over"}
        await first.disconnected()
        await second.call("pauseProducer", {"producerId": microphone.id})
        await host.heard("producerPaused")
        assert not host.has_heard("peerLeft")
        assert not host.has_heard("peerReconnecting")


async def test_a_return_whose_answer_was_lost_is_made_good_by_the_next(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as member,
        enter(branch.members[0]) as unlucky,
    ):
        await host.join(meeting)
        await member.join(meeting)
        microphone = await member.publish("microphone")
        token = member.answer["resumeToken"]
        await member.cut()
        await host.heard("peerReconnecting")
        await unlucky.join(meeting, resumeToken=token)  # let in; the answer never arrives
        await member.reconnect(cookie=branch.members[0])
        answer = await member.join(meeting, resumeToken=token)
        assert (answer["resumed"], answer["producers"][0]["producerId"]) == (True, microphone.id)
        await unlucky.heard("removed")

        await member.call("chat", {"text": "the answer has arrived"})
        spent = unlucky.answer["resumeToken"]
        assert (await enter_again(unlucky, branch, meeting, spent))["resumed"] is False


@pytest.mark.parametrize("lost", [2, MAX_SPENT_TOKENS, 3 * MAX_SPENT_TOKENS])
def test_who_misses_several_answers_in_a_row_is_known_by_the_last_that_he_had(lost: int) -> None:
    session = a_session("had")
    session.confirmed = True
    for number in range(lost):
        session.renew(f"missed {number}")
        assert session.returns_with("had")
    assert session.returns_with(f"missed {lost - 2}"), "he may have had that one, and lost the line at once"
    assert not session.returns_with("anything else")
    assert len(session.spent_tokens) <= MAX_SPENT_TOKENS


def test_tokens_are_worth_nothing_once_a_later_one_is_known_to_have_arrived() -> None:
    session = a_session("first")
    session.renew("second")
    session.sid, session.confirmed = "connection", True
    assert not session.returns_with("first")
    session.sid = None
    session.renew("third")
    assert session.returns_with("second")
    assert not session.returns_with("first")


async def test_two_returns_whose_answers_were_lost_are_made_good_by_the_next(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        first = await member.join(meeting)
        await member.call("chat", {"text": "the answer has arrived"})
        for _ in range(3):
            await member.cut()
            await host.heard("peerReconnecting")
            await member.reconnect(cookie=branch.members[0])
            answer = await member.join(meeting, resumeToken=first["resumeToken"])
            assert (answer["resumed"], answer["peerId"]) == (True, first["peerId"])


async def test_who_loses_the_line_while_he_is_being_let_in_again_comes_back_as_the_same(
    branch: Branch, enter: Enter, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = await branch.meeting()
    let_in = stack.rooms.enter
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        first = await member.join(meeting)
        await member.call("chat", {"text": "the answer has arrived"})
        await member.cut()
        await host.heard("peerReconnecting")
        await member.reconnect(cookie=branch.members[0])

        async def let_in_too_late(*asked: Any) -> Entered:
            entered = await let_in(*asked)
            engine = stack.signaling._server.eio
            await engine.sockets[member.engine_sid].close(
                wait=False, abort=True
            )  # as one that answers no ping
            return entered

        with monkeypatch.context() as slow:
            slow.setattr(stack.rooms, "enter", let_in_too_late)
            joining = asyncio.ensure_future(member.join(meeting, resumeToken=first["resumeToken"]))
            await host.heard("peerReconnected")
            await host.heard("peerReconnecting")
        joining.cancel()
        await member.reconnect(cookie=branch.members[0])
        answer = await member.join(meeting, resumeToken=first["resumeToken"])
        assert (answer["resumed"], answer["peerId"]) == (True, first["peerId"])


def a_session(token: str) -> Session:
    return Session("peer", "room", "person", None, "甲", Role.PARTICIPANT, True, token, 1, None, {})


async def enter_again(somebody: Participant, branch: Branch, meeting: str, token: str) -> Payload:
    await somebody.disconnected()
    await somebody.reconnect(cookie=branch.members[0])
    return await somebody.join(meeting, resumeToken=token)


async def test_somebody_elses_token_is_worth_nothing(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host, enter(branch.members[0]) as thief:
        await host.join(meeting)
        answer = await thief.join(meeting, resumeToken=host.answer["resumeToken"])
        assert (answer["resumed"], answer["role"]) == (False, "participant")
        assert answer["peerId"] != host.answer["peerId"]
        assert host.connected
