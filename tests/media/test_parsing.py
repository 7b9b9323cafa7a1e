"""Any JSON gives a value or an error that names the field."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.capabilities import router_capabilities
from media.dtls_parameters import parse_dtls_parameters
from media.errors import InvalidMedia, MediaError
from media.ortc import can_consume, consumer_offer, consumer_parameters, producer_stream
from media.rtp import parse_capabilities, parse_parameters
from tests.media.samples import camera, everything, microphone, simulcast_camera

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4)
    ),
    max_leaves=20,
)


@st.composite
def damaged(draw: st.DrawFn, original: dict[str, Any]) -> Any:
    """A right value with one to three places replaced by any JSON, or left out."""
    value: Any = original
    for _ in range(draw(st.integers(1, 3))):
        value = _damage(draw, value)
    return value


def _damage(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.booleans() | st.just(True)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 5)) == 0:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _damage(draw, value[key])}
    if isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        if draw(st.integers(0, 5)) == 0:
            return [*value, value[index]]
        return [*value[:index], _damage(draw, value[index]), *value[index + 1 :]]
    return draw(JSON)


@pytest.mark.parametrize("parse", [parse_parameters, parse_capabilities, parse_dtls_parameters])
@given(value=JSON)
def test_any_json_is_a_value_or_an_error(parse: Callable[[Any], object], value: Any) -> None:
    problem = None
    try:
        parse(value)
    except InvalidMedia as error:
        problem = error
    assert problem is None or {"field", "reason"} <= set(problem.details)


@settings(max_examples=300)
@given(
    parameters=damaged(camera()) | damaged(simulcast_camera()) | damaged(microphone()),
    capabilities=damaged(everything()),
    kind=st.sampled_from(["audio", "video"]) | st.text(max_size=5),
)
def test_damaged_parameters_negotiate_or_say_why_not(parameters: Any, capabilities: Any, kind: str) -> None:
    try:
        stream = producer_stream(kind, parse_parameters(parameters), router_capabilities())
        wanted = parse_capabilities(capabilities)
        consumer = consumer_parameters(consumer_offer(stream.consumable, wanted), mid="0", ssrc=1)
    except MediaError:
        return
    assert can_consume(stream.consumable, wanted)
    assert consumer.codecs[0].name == stream.match.codec.name


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"codecs": []}, "codecs"),
        ({"codecs": [{"mimeType": "video/VP8", "clockRate": 90_000}]}, "codecs[0].payloadType"),
        ({"codecs": [{"mimeType": "VP8", "clockRate": 90_000, "payloadType": 96}]}, "codecs[0].mimeType"),
        ({"codecs": [{"mimeType": "video/VP8", "clockRate": 1.5, "payloadType": 96}]}, "codecs[0].clockRate"),
        ({"encodings": []}, "encodings"),
        ({"encodings": [{"ssrc": 0}]}, "encodings[0].ssrc"),
        ({"encodings": [{"ssrc": 2**32}]}, "encodings[0].ssrc"),
        ({"encodings": [{"ssrc": True}]}, "encodings[0].ssrc"),
        ({"encodings": [{"ssrc": 1}] * 5}, "encodings"),
        ({"encodings": [{"ssrc": 1}] * 2}, ""),
        ({"encodings": [{"rid": "a b"}]}, "encodings[0].rid"),
        ({"headerExtensions": [{"uri": "a", "id": 0}]}, "headerExtensions[0].id"),
        ({"headerExtensions": [{"uri": "a", "id": 1}, {"uri": "b", "id": 1}]}, ""),
        ({"mid": "x" * 17}, "mid"),
        ({"rtcp": 5}, "rtcp"),
    ],
)
def test_wrong_parameters_name_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMedia) as caught:
        parse_parameters({**camera(), **change})
    assert caught.value.code == "invalid_rtp_parameters"
    assert caught.value.details["field"] == field


def test_null_means_absent_as_pymediasoup_writes_it() -> None:
    parameters = camera()
    parameters["encodings"][0] |= {"rid": None, "scalabilityMode": None, "maxBitrate": None, "priority": None}
    parsed = parse_parameters({**parameters, "msid": None, "rtcp": None})
    assert parsed.encodings[0].ssrc == 2_222
    assert parsed.rtcp.cname == ""


def test_values_survive_a_round_trip() -> None:
    parsed = parse_parameters(simulcast_camera())
    assert parse_parameters(parsed.to_json()) == parsed


SHA_256 = "AB:" * 31 + "cd"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, "fingerprints"),
        ({"fingerprints": []}, "fingerprints"),
        ({"role": "boss", "fingerprints": [{"algorithm": "sha-256", "value": SHA_256}]}, "role"),
        ({"fingerprints": [{"algorithm": "sha-1", "value": "AB:" * 19 + "CD"}]}, "fingerprints"),
        ({"fingerprints": [{"algorithm": "sha-256", "value": "AB:CD"}]}, "fingerprints[0].value"),
        (
            {"fingerprints": [{"algorithm": "sha-256", "value": SHA_256.replace(":", "-")}]},
            "fingerprints[0].value",
        ),
    ],
)
def test_wrong_dtls_parameters_name_the_field(value: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMedia) as caught:
        parse_dtls_parameters(value)
    assert (caught.value.code, caught.value.details["field"]) == ("invalid_dtls_parameters", field)


@pytest.mark.parametrize(
    ("role", "ours"), [("client", "server"), ("auto", "server"), ("server", "client"), (None, "server")]
)
def test_we_take_the_other_dtls_role(role: str | None, ours: str) -> None:
    parameters = parse_dtls_parameters(
        {
            "role": role,
            "fingerprints": [
                {"algorithm": "sha-1", "value": "AB:" * 19 + "CD"},
                {"algorithm": "SHA-256", "value": SHA_256},
            ],
        }
    )
    assert parameters.our_role == ours
    assert parameters.expected == (("sha-256", SHA_256.upper()),)
