"""What the models of clients' messages let through, and what a refusal names."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from signaling.messages import MAX_NAMED_FIELDS, Message, named_fields
from signaling.rooms.messages import (
    Chat,
    Consume,
    ConsumerReference,
    GetStats,
    Join,
    Moderate,
    Produce,
    RaiseHand,
    SetPreferredLayers,
    SetPriority,
)
from signaling.stations.messages import CallNext, Finish, SetDuty

PRODUCE = {"transportId": "t", "kind": "video", "rtpParameters": {}, "source": "camera"}

GOOD: list[tuple[type[Message], dict[str, Any]]] = [
    (Join, {"meetingId": "m"}),
    (Join, {"meetingId": "m", "displayName": "  李 梅 ", "resumeToken": "peer.secret"}),
    (Join, {"meetingId": "m", "displayName": None, "resumeToken": None}),
    (Produce, PRODUCE),
    (Produce, PRODUCE | {"appData": {"any": ["thing", None]}, "paused": True}),
    (Produce, PRODUCE | {"kind": "audio", "source": "screenAudio"}),
    (SetPreferredLayers, {"consumerId": "c", "spatialLayer": 2}),
    (SetPreferredLayers, {"consumerId": "c", "spatialLayer": 2, "temporalLayer": None}),
    (SetPriority, {"consumerId": "c", "priority": 255}),
    (SetPriority, {"consumerId": "c", "priority": None}),
    (GetStats, {"peerId": "p", "consumerIds": ["c"]}),
    (Moderate, {"action": "muteAll"}),
    (Moderate, {"action": "remove", "peerId": "p"}),
    (SetDuty, {"onDuty": False}),
    (CallNext, {"serviceId": None}),
    (Finish, {"consultationId": "c", "outcome": ""}),
]

BAD: list[tuple[type[Message], dict[str, Any], str]] = [
    (Join, {}, "meetingId"),
    (Join, {"meetingId": ""}, "meetingId"),
    (Join, {"meetingId": 7}, "meetingId"),
    (Join, {"meetingId": "a/../b"}, "meetingId"),
    (Join, {"meeting_id": "m"}, "meetingId"),
    (Join, {"meetingId": "m", "more": 1}, "more"),
    (Join, {"meetingId": "m", "displayName": "   "}, "displayName"),
    (Join, {"meetingId": "m", "displayName": "长" * 65}, "displayName"),
    (Join, {"meetingId": "m", "displayName": "\ud800"}, "displayName"),
    (Produce, PRODUCE | {"rtpParameters": []}, "rtpParameters"),
    (Produce, PRODUCE | {"source": "microphone"}, "source"),
    (Produce, PRODUCE | {"source": "telepathy"}, "source"),
    (Produce, PRODUCE | {"paused": 1}, "paused"),
    (Consume, {"transportId": "t", "producerId": "p"}, "rtpCapabilities"),
    (ConsumerReference, {"consumerId": None}, "consumerId"),
    (GetStats, {"consumerIds": ["c"] * 101}, "consumerIds"),
    (SetPreferredLayers, {"consumerId": "c", "spatialLayer": "2"}, "spatialLayer"),
    (SetPreferredLayers, {"consumerId": "c", "spatialLayer": True}, "spatialLayer"),
    (SetPreferredLayers, {"consumerId": "c", "spatialLayer": -1}, "spatialLayer"),
    (SetPriority, {"consumerId": "c", "priority": 0}, "priority"),
    (SetPriority, {"consumerId": "c", "priority": 256}, "priority"),
    (SetPriority, {"consumerId": "c"}, "priority"),
    (Chat, {"text": " \n "}, "text"),
    (Chat, {"text": "字" * 2001}, "text"),
    (RaiseHand, {"raised": "true"}, "raised"),
    (Moderate, {"action": "remove"}, "peerId"),
    (Moderate, {"action": "promote", "peerId": "p"}, "action"),
    (SetDuty, {"onDuty": True, "serviceIds": ["a"] * 65}, "serviceIds"),
    (SetDuty, {"onDuty": True, "serviceIds": "a"}, "serviceIds"),
]


@pytest.mark.parametrize(("model", "payload"), GOOD)
def test_the_protocols_own_messages_pass(model: type[Message], payload: dict[str, Any]) -> None:
    assert model.model_validate(payload).model_fields_set


@pytest.mark.parametrize(("model", "payload", "field"), BAD)
def test_a_wrong_message_is_refused_by_the_name_of_its_field(
    model: type[Message], payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(payload)
    assert named_fields(caught.value)[0]["field"] == field


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(ValidationError) as caught:
        Join.model_validate({"meetingId": {"secret-value": 1}})
    assert "secret-value" not in str(named_fields(caught.value))


def test_a_thousand_mistakes_are_not_all_listed() -> None:
    with pytest.raises(ValidationError) as caught:
        Join.model_validate({"k" * 300 + str(number): 1 for number in range(1000)})
    named = named_fields(caught.value)
    assert len(named) == MAX_NAMED_FIELDS
    assert all(len(item["field"]) <= 64 for item in named)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


MODELS: list[type[Message]] = sorted(
    {case[0] for case in GOOD} | {case[0] for case in BAD}, key=lambda model: model.__name__
)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40)
@given(payload=JSON)
def test_any_json_is_parsed_or_refused(model: type[Message], payload: Any) -> None:
    with contextlib.suppress(ValidationError):
        model.model_validate(payload)
