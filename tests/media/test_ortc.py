"""What a producer becomes, and what consumers of it are told."""

from typing import Any

import pytest

from media.capabilities import DEPENDENCY_DESCRIPTOR, MID, RID, TRANSPORT_CC, router_capabilities
from media.codecs import parameter_sets
from media.errors import InvalidMedia
from media.ortc import ProducerStream, can_consume, consumer_offer, consumer_parameters, producer_stream
from media.rtp import RtpParameters, parse_capabilities, parse_parameters
from media.scalability import parse_scalability_mode
from tests.media.samples import camera, everything, microphone, only, simulcast_camera


def produced(parameters: dict[str, Any], kind: str = "video") -> ProducerStream:
    return producer_stream(kind, parse_parameters(parameters), router_capabilities())


def consumed(parameters: dict[str, Any], capabilities: dict[str, Any], kind: str = "video") -> RtpParameters:
    consumable = produced(parameters, kind).consumable
    offer = consumer_offer(consumable, parse_capabilities(capabilities))
    return consumer_parameters(offer, mid="7", ssrc=500)


def feedback(parameters: RtpParameters) -> set[str]:
    return {f"{f.type} {f.parameter}".strip() for f in parameters.codecs[0].rtcp_feedback}


def uris(parameters: RtpParameters) -> set[str]:
    return {extension.uri for extension in parameters.header_extensions}


def test_router_payload_types_are_unique_and_leave_the_probators_free() -> None:
    payload_types = [codec.preferred_payload_type for codec in router_capabilities().codecs]
    assert len(set(payload_types)) == len(payload_types)
    assert 127 not in payload_types


def test_nobody_is_offered_to_say_how_a_phone_is_held_instead_of_sending_upright_pictures() -> None:
    assert "urn:3gpp:video-orientation" not in {one.uri for one in router_capabilities().header_extensions}


def test_consumer_gets_the_routers_numbers_not_the_producers() -> None:
    parameters = consumed(camera(), everything())
    assert [(c.mime_type, c.payload_type) for c in parameters.codecs] == [
        ("video/VP8", 101),
        ("video/rtx", 102),
    ]
    assert parameters.codecs[1].apt == 101
    assert (parameters.mid, parameters.encodings[0].ssrc) == ("7", 500)
    assert parameters.encodings[0].rtx is not None
    assert parameters.encodings[0].rtx.ssrc == 501
    assert {e.uri: e.id for e in parameters.header_extensions}[MID] == 1


def test_consumer_has_one_stream_without_rid_whatever_the_producer_sends() -> None:
    parameters = consumed(simulcast_camera(), everything())
    assert len(parameters.encodings) == 1
    assert parameters.encodings[0].rid is None
    assert parameters.encodings[0].scalability_mode == "L3T3"
    assert RID not in {extension.uri for extension in parameters.header_extensions}


def test_consumer_has_rtx_though_the_producer_has_none() -> None:
    without = camera()
    del without["codecs"][1]
    del without["encodings"][0]["rtx"]
    assert [codec.is_rtx for codec in consumed(without, everything()).codecs] == [False, True]


def test_client_without_rtx_gets_none() -> None:
    parameters = consumed(camera(), only("video/VP8", rtx=False))
    assert [codec.is_rtx for codec in parameters.codecs] == [False]
    assert parameters.encodings[0].rtx is None


@pytest.mark.parametrize(
    ("without", "estimators"),
    [
        (set(), {"transport-cc"}),
        ({TRANSPORT_CC}, {"goog-remb"}),
        ({TRANSPORT_CC, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"}, set()),
    ],
)
def test_one_bandwidth_estimator_remains(without: set[str], estimators: set[str]) -> None:
    capabilities = everything()
    capabilities["headerExtensions"] = [
        e for e in capabilities["headerExtensions"] if e["uri"] not in without
    ]
    left = feedback(consumed(camera(), capabilities))
    assert left == {"nack", "nack pli", "ccm fir"} | estimators


@pytest.mark.parametrize(
    ("parameters", "kind", "left"), [(camera(), "video", "goog-remb"), (microphone(), "audio", "")]
)
def test_packets_are_not_numbered_for_who_promises_no_reports_of_them(
    parameters: dict[str, Any], kind: str, left: str
) -> None:
    capabilities = everything()
    assert TRANSPORT_CC in uris(consumed(parameters, capabilities, kind))
    for codec in capabilities["codecs"]:
        codec["rtcpFeedback"] = [f for f in codec.get("rtcpFeedback", []) if f["type"] != "transport-cc"]
    without = consumed(parameters, capabilities, kind)
    assert TRANSPORT_CC not in uris(without)
    assert MID in uris(without)
    assert left in {*feedback(without), ""}


@pytest.mark.parametrize(
    ("parameters", "kind", "expected"),
    [
        (microphone(), "audio", "simple"),
        (camera(), "video", "simple"),
        (simulcast_camera(), "video", "simulcast"),
        ({**camera(), "encodings": [{"ssrc": 1, "scalabilityMode": "L1T3"}]}, "video", "simple"),
        (
            {**camera("video/VP9"), "encodings": [{"ssrc": 1, "scalabilityMode": "L3T3_KEY"}]},
            "video",
            "svc",
        ),
        (
            {**camera("video/VP9"), "encodings": [{"ssrc": 1, "scalabilityMode": "L1T3"}]},
            "video",
            "svc",
        ),
        (
            {**camera("video/VP9"), "encodings": [{"ssrc": 1, "scalabilityMode": "L1T1"}]},
            "video",
            "simple",
        ),
        ({**camera("video/VP9"), "encodings": [{"ssrc": 1}]}, "video", "svc"),  # nobody said: it may have
        ({**camera("video/AV1"), "encodings": [{"ssrc": 1}]}, "video", "simple"),  # without the descriptor
    ],
)
def test_type_of_a_producer(parameters: dict[str, Any], kind: str, expected: str) -> None:
    assert produced(parameters, kind).type == expected


@pytest.mark.parametrize(
    ("mime_type", "told", "expected"),
    [
        ("video/AV1", True, "svc"),
        ("video/AV1", False, "simple"),
        ("video/H264", True, "svc"),
        ("video/VP9", True, "svc"),
        ("video/VP8", True, "simple"),
    ],
)
def test_the_dependency_descriptor_tells_layers_and_goes_to_those_who_need_it(
    mime_type: str, told: bool, expected: str
) -> None:
    parameters = camera(
        mime_type,
        {"packetization-mode": 1, "profile-level-id": "42e01f"} if mime_type == "video/H264" else {},
    )
    parameters["encodings"][0]["scalabilityMode"] = "L1T3"
    if told:
        parameters["headerExtensions"].append({"uri": DEPENDENCY_DESCRIPTOR, "id": 12})
    assert produced(parameters).type == expected
    forwarded = {extension.uri for extension in consumed(parameters, everything()).header_extensions}
    needed = told and mime_type in {"video/AV1", "video/H264"}
    assert (DEPENDENCY_DESCRIPTOR in forwarded) == needed


@pytest.mark.parametrize(
    ("mode", "layers"),
    [
        (None, (1, 1, False)),
        ("", (1, 1, False)),
        ("L1T1", (1, 1, False)),
        ("L1T3", (1, 3, False)),
        ("L3T3", (3, 3, False)),
        ("L3T3_KEY", (3, 3, True)),
        ("L3T2_KEY_SHIFT", (3, 2, True)),
        ("L2T1h", (2, 1, False)),
        ("S3T3", (3, 3, True)),
        ("L4T4", (4, 4, False)),
        ("L5T1", (1, 1, False)),
        ("L0T1", (1, 1, False)),
        ("L3T3_key", (1, 1, False)),
        ("L3T3_KEY\n", (1, 1, False)),
    ],
)
def test_scalability_modes(mode: str | None, layers: tuple[int, int, bool]) -> None:
    assert parse_scalability_mode(mode) == layers


H264 = "video/H264"


@pytest.mark.parametrize(
    ("parameters", "payload_type"),
    [
        (camera(H264, {"packetization-mode": 1, "profile-level-id": "42e01f"}), 103),
        (camera(H264, {"packetization-mode": "1", "profile-level-id": "42C00D"}), 103),
        (camera(H264, {"packetization-mode": 1, "profile-level-id": "4d001f"}), 105),
        (camera(H264, {"packetization-mode": 1, "profile-level-id": "640c1f"}), 107),
        (camera(H264, {"packetization-mode": 1, "profile-level-id": "64001f"}), 107),
        (camera(H264, {"packetization-mode": 0, "profile-level-id": "42e01f"}), 103),
        (camera(H264, {"packetization-mode": 2, "profile-level-id": "42e01f"}), None),
        (camera(H264, {"packetization-mode": 1, "profile-level-id": "f4001f"}), None),
        (camera(H264, {"packetization-mode": 1}), None),  # baseline is not constrained baseline
        (camera(H264, {"packetization-mode": 1, "profile-level-id": "hello!"}), None),
        (camera("video/VP9", {"profile-id": 0}), 109),
        (camera("video/VP9"), 109),
        (camera("video/VP9", {"profile-id": 2}), None),
        (camera("video/AV1", {"level-idx": 5, "profile": 0, "tier": 0}), 111),
        (camera("video/AV1"), 111),
        (camera("video/AV1", {"profile": 1}), None),
        (camera("video/H265"), None),
        (camera("VIDEO/vp8"), 101),
    ],
)
def test_codec_matching(parameters: dict[str, Any], payload_type: int | None) -> None:
    if payload_type is None:
        with pytest.raises(InvalidMedia) as caught:
            produced(parameters)
        assert caught.value.code == "unsupported_codec"
    else:
        assert produced(parameters).consumable.codecs[0].payload_type == payload_type


@pytest.mark.parametrize(
    ("mode", "profile", "told"),
    [
        (0, "42e01f", (1, "42e01f")),
        ("0", "42c00d", (1, "42e00d")),
        (0, "640c28", (1, "640028")),
        (1, "640c28", (1, "640028")),
        (1, "42c00d", (1, "42c00d")),
    ],
)
def test_a_part_of_what_others_know_goes_on_as_the_whole(
    mode: str | int, profile: str, told: tuple[int, str]
) -> None:
    """They would not know it by its own name; the publisher's own is what the plane reads."""
    stream = produced(camera(H264, {"packetization-mode": mode, "profile-level-id": profile}))
    parameters = stream.consumable.codecs[0].parameters
    assert (parameters["packetization-mode"], parameters["profile-level-id"]) == told
    assert can_consume(stream.consumable, parse_capabilities(everything()))
    assert stream.match.codec.parameters["profile-level-id"] == profile


@pytest.mark.parametrize("lacks", [{"packetization-mode": 0}, {"profile-level-id": "640c1f"}])
def test_the_whole_does_not_go_to_who_knows_but_a_part(lacks: dict[str, str | int]) -> None:
    has: dict[str, str | int] = {"packetization-mode": 1, "profile-level-id": "64001f"}
    stream = produced(camera(H264, has))
    codec = {**everything()["codecs"][0], "kind": "video", "mimeType": H264, "clockRate": 90_000}
    codec = {**codec, "channels": None, "parameters": {**has, **lacks}}
    assert not can_consume(stream.consumable, parse_capabilities({"codecs": [codec]}))


@pytest.mark.parametrize(
    ("signalled", "expected"),
    [
        ("Z0IAHw==,aM4=", (b"\x67\x42\x00\x1f", b"\x68\xce")),
        ("Z0IAHw==,", (b"\x67\x42\x00\x1f",)),
        ("", ()),
        ("Z0IAHw==,no!", ()),
        ("é", ()),
        (7, ()),
    ],
)
def test_parameter_sets_are_read_or_are_none(signalled: str | int, expected: tuple[bytes, ...]) -> None:
    parameters = camera(H264, {"sprop-parameter-sets": signalled})
    assert parameter_sets(parse_parameters(parameters).codecs[0]) == expected


def test_mono_opus_is_another_codec() -> None:
    mono = microphone()
    mono["codecs"][0]["channels"] = 1
    with pytest.raises(InvalidMedia, match="unsupported_codec"):
        produced(mono, "audio")


@pytest.mark.parametrize(
    ("parameters", "kind", "code"),
    [
        (camera(), "audio", "invalid_rtp_parameters"),
        (camera(), "smell", "invalid_kind"),
        ({**camera(), "encodings": [{"ssrc": 1, "codecPayloadType": 97}]}, "video", "invalid_rtp_parameters"),
    ],
)
def test_what_a_producer_may_not_be(parameters: dict[str, Any], kind: str, code: str) -> None:
    with pytest.raises(InvalidMedia) as caught:
        produced(parameters, kind)
    assert caught.value.code == code


def test_rtx_must_name_a_codec() -> None:
    parameters = camera()
    parameters["codecs"][1]["parameters"] = {"apt": 50}
    with pytest.raises(InvalidMedia) as caught:
        produced(parameters)
    assert caught.value.details["field"] == "codecs[1].parameters.apt"


@pytest.mark.parametrize(
    ("capabilities", "able"),
    [(everything(), True), (only("video/VP8"), True), (only("video/H264"), False), ({}, False)],
)
def test_can_consume_agrees_with_consuming(capabilities: dict[str, Any], able: bool) -> None:
    assert can_consume(produced(camera()).consumable, parse_capabilities(capabilities)) == able
    if not able:
        with pytest.raises(InvalidMedia, match="cannot_consume"):
            consumed(camera(), capabilities)


def with_red(parameters: dict[str, Any], fmtp: dict[str, Any], *, first: bool = False) -> dict[str, Any]:
    """The microphone with redundancy (RFC 2198), named as `fmtp` has it."""
    red = {"mimeType": "audio/red", "payloadType": 63, "clockRate": 48_000, "channels": 2, "parameters": fmtp}
    codecs = [red, *parameters["codecs"]] if first else [*parameters["codecs"], red]
    return {**parameters, "codecs": codecs}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("fmtp", [{"": "111/111"}, {"111/111": ""}, {"111/111": None}, {}])
def test_red_is_offered_to_those_who_know_it_beside_the_codec_it_carries(
    fmtp: dict[str, Any], first: bool
) -> None:
    parameters = with_red(microphone(), fmtp, first=first)
    red = produced(parameters, "audio").match.red
    assert red is not None
    assert red.payload_type == 63
    assert produced(parameters, "audio").match.codec.payload_type == 111
    offered = consumed(parameters, everything(), "audio").codecs
    assert [(c.mime_type, c.payload_type) for c in offered] == [("audio/opus", 100), ("audio/red", 99)]
    # Not a name=value pair: libwebrtc reads a=fmtp:99 =100/100 as the list of types that it is.
    assert offered[1].parameters == {"": "100/100"}
    plain = consumed(parameters, only("audio/opus"), "audio").codecs
    assert [codec.mime_type for codec in plain] == ["audio/opus"]


def test_red_is_offered_where_the_producer_sends_none_for_the_copies_are_made_here() -> None:
    assert produced(microphone(), "audio").match.red is None
    offered = consumed(microphone(), everything(), "audio").codecs
    assert [(c.mime_type, c.payload_type) for c in offered] == [("audio/opus", 100), ("audio/red", 99)]


def test_red_alone_is_nothing_to_hear() -> None:
    parameters = with_red(microphone(), {})
    consumable = produced(parameters, "audio").consumable
    assert not can_consume(consumable, parse_capabilities(only("audio/red")))
    parameters["codecs"] = parameters["codecs"][1:]
    with pytest.raises(InvalidMedia, match="invalid_rtp_parameters"):
        produced(parameters, "audio")


def test_red_of_another_codec_is_refused() -> None:
    with pytest.raises(InvalidMedia) as refused:
        produced(with_red(microphone(), {"111/110": ""}), "audio")
    assert refused.value.details["field"] == "codecs[1].parameters"


def test_opus_keeps_its_fec_and_dtx() -> None:
    """The client says what it sends, and those who listen are told so."""
    parameters = microphone()
    parameters["codecs"][0]["parameters"] = {"minptime": 10, "useinbandfec": 1, "usedtx": 1}
    told = consumed(parameters, everything(), "audio").codecs[0].parameters
    assert told == {"minptime": 10, "useinbandfec": 1, "usedtx": 1}
    router = router_capabilities().codecs[0].parameters
    assert (router["useinbandfec"], router["usedtx"]) == (1, 1)
