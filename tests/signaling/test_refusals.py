"""What is refused, to whom, and that nothing a client sends goes unanswered or hurts the others."""

import asyncio
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel
from socketio.exceptions import ConnectionError as ConnectionRefused

from signaling.namespace import Table
from signaling.rooms.door import Door
from signaling.rooms.floor import Floor
from signaling.rooms.measures import Measures
from signaling.rooms.namespace import rooms_table
from signaling.rooms.stage import Stage
from signaling.stations.desks import Desks
from signaling.stations.namespace import stations_table
from signaling.stations.queue_hall import QueueHall
from tests.signaling.conftest import Enter
from tests.signaling.participant import Participant, Payload, Refused, frames, participant
from tests.signaling.raw import RawClient, raw_client
from tests.signaling.stack import Branch, Stack

TABLES: dict[str, Table[Any]] = {
    "/rooms": rooms_table(*(object.__new__(part) for part in (Door, Stage, Floor, Measures))),  # type: ignore[arg-type]
    "/stations": stations_table(*(object.__new__(part) for part in (QueueHall, Desks))),  # type: ignore[arg-type]
}


def test_the_table_of_rooms_holds_every_event_of_the_protocol() -> None:
    assert set(TABLES["/rooms"]) == {
        "join", "leave", "createTransport", "connectTransport", "restartIce", "closeTransport", "produce",
        "pauseProducer", "resumeProducer", "closeProducer", "consume", "resumeConsumer", "pauseConsumer",
        "closeConsumer", "requestKeyFrame", "setPreferredLayers", "setPriority", "chat", "raiseHand", "moderate",
        "endMeeting", "recordPicture", "getStats", "markAgenda",
    }  # fmt: skip


async def test_strangers_do_not_get_in(stack: Stack) -> None:
    for namespace in ("/rooms", "/stations"):
        for auth in (None, {"token": "forged"}):
            somebody = Participant(stack.url, namespace)
            with pytest.raises(ConnectionRefused):
                await somebody.connect(auth=auth)
            await somebody.close()


async def test_a_room_token_opens_its_room_and_no_other(branch: Branch, stack: Stack) -> None:
    meeting, other = await branch.meeting(), await branch.meeting()
    host = await stack.actor(branch.secretary)
    token = (await stack.meetings.room_pass(host, meeting)).token
    async with participant(stack.url, auth={"token": token}) as somebody:
        assert await somebody.refused("join", {"meetingId": other}) == "token_of_another_room"
        assert (await somebody.join(meeting))["role"] == "host"
    stack.clock.advance(7 * 24 * 3600)
    late = Participant(stack.url)
    with pytest.raises(ConnectionRefused):
        await late.connect(auth={"token": token})
    await late.close()


async def test_a_branch_that_is_not_ones_own_is_not_even_there(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting()
    records = stack.records
    stranger = await records.browser(
        await records.account(member=await records.member(await records.organization(), "外人"))
    )
    async with enter(stranger) as somebody:
        assert await somebody.refused("join", {"meetingId": meeting}) == "meeting_not_found"
        assert await somebody.refused("join", {"meetingId": "nothing"}) == "meeting_not_found"


async def test_members_come_when_the_host_has_come(branch: Branch, enter: Enter) -> None:
    meeting = await branch.meeting()
    async with enter(branch.members[0]) as member:
        with pytest.raises(Refused) as refusal:
            await member.join(meeting)
        assert (refusal.value.code, "startsAt" in refusal.value.details) == ("meeting_not_started", True)


async def test_who_has_signed_out_can_join_no_more(branch: Branch, enter: Enter, stack: Stack) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await stack.accounts.sign_out(branch.secretary)
        assert await host.refused("join", {"meetingId": meeting}) == "unauthenticated"


async def test_nobody_touches_what_is_anothers_or_in_another_room(branch: Branch, enter: Enter) -> None:
    meeting, other = await branch.meeting(), await branch.meeting()
    async with (
        enter(branch.secretary) as host,
        enter(branch.members[0]) as member,
        enter(branch.secretary) as elsewhere,
    ):
        await host.join(meeting)
        await member.join(meeting)
        await elsewhere.join(other)
        camera = await host.publish("camera")
        consumer = await member.consume(camera.id)
        transport = host.transports["send"].id
        tried: list[tuple[str, Payload, str]] = [
            ("restartIce", {"transportId": transport}, "transport_not_found"),
            ("closeTransport", {"transportId": transport}, "transport_not_found"),
            ("connectTransport", {"transportId": transport, "dtlsParameters": {}}, "transport_not_found"),
            ("pauseProducer", {"producerId": camera.id}, "producer_not_found"),
            ("closeProducer", {"producerId": camera.id}, "producer_not_found"),
            ("closeConsumer", {"consumerId": consumer.id}, "consumer_not_found"),
            ("setPriority", {"consumerId": consumer.id, "priority": 9}, "consumer_not_found"),
        ]
        for event, payload, code in tried:
            assert await elsewhere.refused(event, payload) == code
        for event, payload, code in tried[:5]:
            assert await member.refused(event, payload) == code
        for event, payload, code in tried[5:]:
            assert await host.refused(event, payload) == code

        own = (await elsewhere.call("createTransport", {"direction": "recv"}))["id"]
        capabilities = elsewhere.answer["routerRtpCapabilities"]
        across = {"transportId": own, "producerId": camera.id, "rtpCapabilities": capabilities}
        assert await elsewhere.refused("consume", across) == "producer_not_found"
        moderation = {"action": "remove", "peerId": member.answer["peerId"]}
        assert await elsewhere.refused("moderate", moderation) == "peer_not_found"
        await frames(consumer, 1)


async def test_media_parameters_that_cannot_be_are_named_and_limits_hold(
    branch: Branch, enter: Enter
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        await host.publish("microphone")
        send = host.transports["send"].id
        nonsense = {"transportId": send, "kind": "video", "source": "camera", "rtpParameters": {"codecs": 1}}
        with pytest.raises(Refused) as refusal:
            await host.call("produce", nonsense)
        assert refusal.value.code == "invalid_request"
        assert refusal.value.details["fields"][0]["field"]
        again = {**nonsense, "kind": "audio", "source": "microphone"}
        assert await host.refused("produce", again) == "source_in_use"
        receive = (await host.call("createTransport", {"direction": "recv"}))["id"]
        assert await host.refused("produce", {**nonsense, "transportId": receive}) in {
            "wrong_direction",
            "invalid_request",
        }
        consume = {"transportId": receive, "producerId": "p", "rtpCapabilities": {}}
        assert await host.refused("consume", consume) == "producer_not_found"
        for _ in range(2):
            await host.call("createTransport", {"direction": "recv"})
        assert await host.refused("createTransport", {"direction": "recv"}) == "too_many_transports"
        assert await host.refused("join", {"meetingId": meeting}) == "already_joined"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


MEDIA: dict[str, st.SearchStrategy[Any]] = {
    "codecs": st.lists(
        st.fixed_dictionaries(
            {"mimeType": st.sampled_from(["video/VP8", "audio/opus", "video/rtx"]), "clockRate": JSON},
            optional={
                "payloadType": JSON,
                "channels": JSON,
                "parameters": JSON,
                "rtcpFeedback": JSON,
                "kind": JSON,
            },
        ),
        max_size=3,
    ),
    "encodings": st.lists(
        st.fixed_dictionaries({"ssrc": JSON}, optional={"rid": JSON, "rtx": JSON}), max_size=3
    ),
    "headerExtensions": JSON,
    "mid": JSON,
    "rtcp": JSON,
    "role": JSON,
    "fingerprints": JSON,
}


def messages(namespace: str, known: list[str]) -> st.SearchStrategy[tuple[str, Any]]:
    """Events with anything; with the keys of their models and anything; with ids that exist, to reach the handlers."""
    words = ["send", "recv", "audio", "video", "camera", "microphone", "mute", "muteAll", "remove", *known]
    value = st.sampled_from(words) | st.fixed_dictionaries({}, optional=MEDIA) | JSON
    leaving = {"leave", "endMeeting", "join"}
    strategies = []
    for event, entry in TABLES[namespace].items():
        keys = [to_camel(name) for name in entry.model.model_fields]
        shaped = st.fixed_dictionaries(dict.fromkeys(keys, value))
        if event not in leaving:
            strategies.append(st.tuples(st.just(event), shaped | JSON))
    return st.one_of(strategies)


@pytest.mark.parametrize("namespace", ["/rooms", "/stations"])
async def test_any_payload_of_any_event_is_answered_and_the_meeting_goes_on(
    branch: Branch, enter: Enter, stack: Stack, namespace: str
) -> None:
    """From inside the room, so that the handlers and media themselves are reached."""
    meeting = await branch.meeting()
    loop = asyncio.get_running_loop()
    async with enter(branch.members[0]) as member, enter(branch.secretary) as host:
        await host.join(meeting)
        await member.join(meeting)
        cookie = {"Cookie": f"huitang_session={branch.secretary}"}
        async with raw_client(stack.url, headers=cookie) as client:
            known = await _a_foot_inside(client, namespace, meeting)

            @hypothesis.settings(max_examples=150, deadline=None)
            @hypothesis.given(message=messages(namespace, known))
            def ask(message: tuple[str, Any]) -> None:
                for line in stack.signaling._server._lines.values():
                    line.bucket.tokens = line.bucket.burst
                text = json.dumps(message)
                answer = asyncio.run_coroutine_threadsafe(client.call_text(namespace, text), loop).result()
                assert answer["ok"] or answer["error"]["code"] != "internal_error"
                assert answer["ok"] or answer["error"]["message"]

            await asyncio.to_thread(ask)
        await member.call("chat", {"text": "still here"})
        await host.heard("chat", lambda line: line["text"] == "still here")


async def _a_foot_inside(client: RawClient, namespace: str, meeting: str) -> list[str]:
    assert (await client.connect(namespace)).startswith(f"0{namespace},")
    if namespace == "/stations":
        return [meeting]
    await client.call(namespace, "join", {"meetingId": meeting})
    answers = [
        await client.call(namespace, "createTransport", {"direction": direction})
        for direction in ("send", "recv")
    ]
    return [answer["data"]["id"] for answer in answers]
