"""The door for SDP: what is read, what is refused, and what aiortc's parser and writer must go on doing for it."""

from dataclasses import replace

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import Problem
from media.capabilities import DEPENDENCY_DESCRIPTOR, router_capabilities
from media.ortc import producer_stream
from media.rtp import parse_capabilities, parse_parameters
from rooms.live.events import Source
from signaling.streams.answer import Line, answer
from signaling.streams.fragment import parse_fragment
from signaling.streams.negotiation import publishing, watching
from signaling.streams.sdp import MAX_BYTES, MAX_LINES, MAX_SECTIONS, parse_offer

# As libdatachannel writes it for OBS, shortened; the H.264 and the simulcast lines are a browser's.
HEAD = """v=0
o=rtc 2451 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic:WMS *
a=setup:actpass
a=ice-ufrag:abcd
a=ice-pwd:0123456789abcdefghijklmn
a=ice-options:ice2,trickle
a=fingerprint:sha-256 """ + ":".join(["AB"] * 32)
AUDIO = """m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10; useinbandfec=1;
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=ssrc:1000 cname:obs
a=candidate:1 1 UDP 2122260223 f00.local 50000 typ host"""
VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 97 96 99
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=rtcp-mux
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id attributes of it
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
a=rtcp-fb:* nack pli
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=97"""
SSRCS = """a=ssrc-group:FID 2000 2001
a=ssrc:2000 cname:obs
a=ssrc:2001 cname:obs"""
RIDS = """a=rid:hi send max-width=1280;max-height=720
a=rid:lo send max-width=320;max-height=180
a=simulcast:send hi;~lo"""
OFFER = f"{HEAD}\n{AUDIO}\n{VIDEO}\n{SSRCS}\n"
SIMULCAST = f"{HEAD}\n{AUDIO}\n{VIDEO}\n{RIDS}\n"
TRANSPORT = {
    "iceParameters": {"usernameFragment": "server", "password": "p" * 32, "iceLite": True},
    "iceCandidates": [
        {
            "foundation": "h",
            "priority": 1,
            "ip": "192.0.2.1",
            "protocol": "udp",
            "port": 40000,
            "type": "host",
        }
    ],
    "dtlsParameters": {"fingerprints": [{"algorithm": "sha-256", "value": "CD:" * 31 + "CD"}]},
}
ROUTER = router_capabilities()


def test_an_encoders_offer_becomes_what_browsers_send() -> None:
    offer = parse_offer(OFFER.replace("\n", "\r\n"))
    audio, video = publishing(offer, ROUTER, screen=False)
    assert (audio.source, video.source) == (Source.MICROPHONE, Source.CAMERA)
    assert audio.rtp_parameters["codecs"][0]["parameters"] == {"minptime": 10, "useinbandfec": 1}
    assert [one["mimeType"] for one in video.rtp_parameters["codecs"]] == ["video/H264", "video/rtx"]
    assert video.rtp_parameters["encodings"] == [{"ssrc": 2000, "rtx": {"ssrc": 2001}}]
    for part in (audio, video):
        stream = producer_stream(part.accepted.section.kind, parse_parameters(part.rtp_parameters), ROUTER)
        assert stream.type == "simple"
    assert [one.source for one in publishing(offer, ROUTER, screen=True)] == [
        Source.SCREEN_AUDIO,
        Source.SCREEN,
    ]


def test_simulcast_layers_stand_lowest_first_and_are_answered() -> None:
    offer = parse_offer(SIMULCAST)
    video = publishing(offer, ROUTER, screen=False)[1]
    assert video.rtp_parameters["encodings"] == [{"rid": "lo"}, {"rid": "hi"}]
    lines = {"1": Line(video.accepted, "recvonly", video.rids)}
    text = answer(offer, lines, TRANSPORT, 7)
    assert "a=simulcast:recv lo;hi" in text
    assert "m=audio 0 UDP/TLS/RTP/SAVPF 111 63" in text
    assert "a=group:BUNDLE 1\r\n" in text


@pytest.mark.parametrize(
    ("rids", "lowest_first"),
    [
        (("0", "1", "2"), ["2", "1", "0"]),  # OBS 32's
        (("1", "2"), ["1", "2"]),
        (("q", "h", "f"), ["q", "h", "f"]),
    ],
)
def test_layers_without_restrictions_stand_as_the_sender_is_known_to_write_them(
    rids: tuple[str, ...], lowest_first: list[str]
) -> None:
    lines = "\n".join([*(f"a=rid:{rid} send" for rid in rids), "a=simulcast:send " + ";".join(rids)])
    video = publishing(parse_offer(f"{HEAD}\n{AUDIO}\n{VIDEO}\n{lines}\n"), ROUTER, screen=False)[1]
    assert list(video.rids) == lowest_first


def test_our_answer_is_sdp_that_aiortc_reads() -> None:
    offer = parse_offer(OFFER)
    lines = {
        one.accepted.section.mid: Line(one.accepted, "recvonly")
        for one in publishing(offer, ROUTER, screen=False)
    }
    described = SessionDescription.parse(answer(offer, lines, TRANSPORT, 7))
    audio, video = described.media
    assert (audio.direction, video.direction) == ("recvonly", "recvonly")
    assert [codec.payloadType for codec in video.rtp.codecs] == [97, 99]
    assert video.ice is not None
    assert video.ice.iceLite
    assert video.dtls is not None
    assert video.dtls.role == "server"
    assert (video.rtcp_mux, video.ice_candidates[0].ip, video.ice_candidates_complete) == (
        True,
        "192.0.2.1",
        True,
    )
    assert {one.uri: one.id for one in video.rtp.headerExtensions} == {
        "urn:ietf:params:rtp-hdrext:sdes:mid": 1,
        "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": 2,
    }


@pytest.mark.parametrize(
    ("offered", "answered"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")]
)
def test_who_offers_to_be_the_dtls_server_is_let_be_it(offered: str, answered: str) -> None:
    """RFC 8842 section 5.3; FFmpeg offers it."""
    offer = parse_offer(OFFER.replace("a=setup:actpass", f"a=setup:{offered}"))
    video = publishing(offer, ROUTER, screen=False)[1]
    text = answer(offer, {"1": Line(video.accepted, "recvonly")}, TRANSPORT, 7)
    assert f"a=setup:{answered}" in text.splitlines()
    assert offer.dtls["role"] == ("server" if answered == "active" else "client")


@pytest.mark.parametrize("said", ["profile-level-id=42000a;", "profile-level-id=42001f;", ""])
def test_what_an_encoder_calls_baseline_is_the_constrained_one(said: str) -> None:
    """FFmpeg's and those that say nothing. The answer repeats it (RFC 6184 section 8.2.2)."""
    offer = parse_offer(OFFER.replace("profile-level-id=42e01f;", said))
    video = publishing(offer, ROUTER, screen=False)[1]
    assert video.rtp_parameters["codecs"][0]["parameters"]["profile-level-id"] == "42e01f"
    answered = answer(offer, {"1": Line(video.accepted, "recvonly")}, TRANSPORT, 7)
    assert f"a=fmtp:97 {said}packetization-mode=1" in answered
    watched = watching(
        parse_offer(OFFER.replace("profile-level-id=42e01f;", said).replace("sendonly", "recvonly")), ROUTER
    )
    assert "42e01f" in str(watched["video"].rtp_capabilities)


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("profile-level-id=640c1f;packetization-mode=1", 96),
        ("profile-level-id=42e01f", 96),
        ("profile-level-id=640c1f;packetization-mode=1", 97),
        ("profile-level-id=42e01f", 97),
        ("profile-level-id=42e01f;packetization-mode=0", 97),
    ],
)
def test_h264_that_goes_on_as_a_whole_is_taken_where_there_is_nothing_else(said: str, first: int) -> None:
    """And answered as it was offered (RFC 6184 section 8.2.2)."""
    offered = OFFER.replace("profile-level-id=42e01f;packetization-mode=1", said)
    if first == 97:
        offered = offered.replace("VP8", "VP8-unknown")
    offer = parse_offer(offered)
    video = publishing(offer, ROUTER, screen=False)[1]
    assert video.accepted.codecs[0].payload_type == first
    answered = answer(offer, {"1": Line(video.accepted, "recvonly")}, TRANSPORT, 7)
    assert (f"a=fmtp:97 {said}" in answered) == (first == 97)
    producer_stream("video", parse_parameters(video.rtp_parameters), ROUTER)


def test_a_player_of_single_units_gets_no_h264() -> None:
    offered = OFFER.replace("packetization-mode=1", "packetization-mode=0").replace("sendonly", "recvonly")
    wanted = watching(parse_offer(offered), ROUTER)
    assert [one["mimeType"] for one in wanted["video"].rtp_capabilities["codecs"]] == ["video/VP8"]


def test_a_player_gets_its_own_numbers() -> None:
    offer = parse_offer(OFFER.replace("sendonly", "recvonly"))
    wanted = watching(offer, ROUTER)
    parsed = parse_capabilities(wanted["video"].rtp_capabilities)
    assert [(one.name, one.preferred_payload_type) for one in parsed.codecs] == [
        ("video/h264", 97),
        ("video/rtx", 99),
        ("video/vp8", 96),
    ]


DESCRIPTOR = f"a=extmap:9 {DEPENDENCY_DESCRIPTOR}"


@pytest.mark.parametrize(
    ("old", "new", "mixed"),
    [
        ("t=0 0", "t=0 0\na=extmap-allow-mixed", True),
        ("a=rtcp-mux", "a=rtcp-mux\na=extmap-allow-mixed", True),
        ("a=mid:1", "a=mid:1\na=extmap-allow-mixed", False),  # of one section only
        ("", "", False),
    ],
)
def test_long_extensions_are_taken_where_they_may_stand_beside_short_ones(
    old: str, new: str, *, mixed: bool
) -> None:
    """A dependency descriptor is long, and without it no subscriber can be given some layers of AV1 or H.264."""
    text = OFFER.replace("a=mid:1", f"a=mid:1\n{DESCRIPTOR}").replace(old, new)
    offer = parse_offer(text)
    video = publishing(offer, ROUTER, screen=False)[1]
    watched = watching(parse_offer(text.replace("sendonly", "recvonly")), ROUTER)["video"]
    for accepted in (video.accepted, watched.accepted):
        assert (DEPENDENCY_DESCRIPTOR in accepted.extensions) is mixed
    answered = answer(offer, {"1": Line(video.accepted, "recvonly")}, TRANSPORT, 7).splitlines()
    assert (DESCRIPTOR in answered) is mixed
    assert ("a=extmap-allow-mixed" in answered) is mixed


def test_who_sends_vp8_is_not_let_describe_it_beside() -> None:
    """A browser that may leaves the layers out of VP8's own descriptor, where they are read."""
    text = OFFER.replace("t=0 0", "t=0 0\na=extmap-allow-mixed").replace("97 96 99", "96 97 99")
    offer = parse_offer(text.replace("a=mid:1", f"a=mid:1\n{DESCRIPTOR}"))
    video = publishing(offer, ROUTER, screen=False)[1]
    assert video.accepted.codecs[0].name == "video/vp8"
    assert DEPENDENCY_DESCRIPTOR not in video.accepted.extensions


def test_parameters_of_a_static_payload_type_need_no_rtpmap() -> None:
    """RFC 3551 gives G.729 number 18; its codec is not ours, and the rest of the offer is as good as without it."""
    static = OFFER.replace("SAVPF 111 63", "SAVPF 111 18 63").replace(
        "a=rtpmap:111", "a=fmtp:18 annexb=no\na=rtpmap:111"
    )
    offer = parse_offer(static)
    assert offer.sections[0].codecs == parse_offer(OFFER).sections[0].codecs
    audio, video = publishing(offer, ROUTER, screen=False)
    assert audio.rtp_parameters["codecs"][0]["parameters"] == {"minptime": 10, "useinbandfec": 1}
    assert video.accepted.codecs[0].parameters["profile-level-id"] == "42e01f"
    # A codec of that number in another section is another's.
    other = parse_offer(static.replace("97 96 99", "97 96 99 18") + "a=rtpmap:18 VP9/90000\n")
    assert other.sections[1].codecs[-1]["parameters"] == {}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("v=0", "v=1", "v="),
        ("a=mid:1", "a=mid:0", "a=mid"),
        ("a=mid:1", "a=mid:a b", "a=mid"),
        ("a=rtcp-mux", "a=x", "a=rtcp-mux"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "a=group:BUNDLE"),
        ("a=setup:actpass", "a=setup:holdconn", ""),
        ("a=ice-pwd:", "a=x:", "a=ice-ufrag"),
        ("a=fingerprint:", "a=x:", "a=fingerprint"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "m="),
        ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 UDP/TLS/RTP/SAVPF 72", ""),
        ("a=ssrc:2000 cname:obs", "a=ssrc:many cname:obs", ""),
        ("s=-", "s=-\x00", ""),
        ("s=-", "s=-\n" + "a=x\n" * MAX_LINES, "v="),
        ("a=rtpmap:96 VP8/90000", "a=rtpmap:97 VP8/90000", "a=rtpmap"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(old: str, new: str, line: str) -> None:
    with pytest.raises(Problem) as refused:
        publishing(parse_offer(OFFER.replace(old, new)), ROUTER, screen=False)
    assert refused.value.code in {"malformed_sdp", "unacceptable_sdp"}
    assert refused.value.details["line"] == line


def test_sections_without_a_common_codec_are_left_out_and_all_of_them_are_refused() -> None:
    offer = parse_offer(OFFER)
    audio, video = offer.sections
    deaf = replace(audio, codecs=())
    assert len(publishing(replace(offer, sections=(deaf, video)), ROUTER, screen=False)) == 1
    with pytest.raises(Problem, match="unacceptable_sdp"):
        publishing(replace(offer, sections=(deaf,)), ROUTER, screen=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (OFFER + "a=x:" + "y" * MAX_BYTES, "malformed_sdp"),
        (OFFER.replace("a=mid:1", "a=mid:1" + "\na=x" * MAX_LINES), "malformed_sdp"),
        (OFFER + AUDIO.replace("a=mid:0", "a=mid:9") * MAX_SECTIONS, "unacceptable_sdp"),
        (OFFER + "a=rtpmap:96 VP8/90000\n" * (MAX_LINES - 60), "unacceptable_sdp"),
    ],
)
def test_what_is_too_much_of_anything_is_refused(text: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        publishing(replace(parse_offer(text), sections=parse_offer(text).sections[1:]), ROUTER, screen=False)
    assert refused.value.code == code


def test_a_fragment_has_an_end() -> None:
    own = "a=ice-ufrag:u\na=ice-pwd:p\n"
    assert parse_fragment(own).ufrag == "u"
    for more in ("a=candidate:1\n" * 200, f"a=candidate:{'1' * 16 * 1024}\n"):
        with pytest.raises(Problem, match="malformed_sdp"):
            parse_fragment(own + more)


LINES = st.lists(
    st.sampled_from(OFFER.splitlines() + RIDS.splitlines())
    | st.builds(
        lambda line, at, text: line[:at] + text + line[at + 1 :],
        st.sampled_from(SIMULCAST.splitlines()),
        st.integers(0, 60),
        st.text(max_size=4),
    ),
    max_size=50,
)


@settings(max_examples=300, deadline=None)
@given(LINES | st.permutations(SIMULCAST.splitlines()), st.booleans())
def test_any_text_gives_an_offer_or_a_refusal(lines: list[str], whole: bool) -> None:
    text = "\n".join([*HEAD.splitlines(), *lines] if whole else lines)
    try:
        offer = parse_offer(text)
        parts = publishing(offer, ROUTER, screen=False)
    except Problem as problem:
        assert problem.code in {"malformed_sdp", "unacceptable_sdp"}  # noqa: PT017
        return
    for part in parts:
        parse_parameters(part.rtp_parameters)
    answer(
        offer,
        {one.accepted.section.mid: Line(one.accepted, "recvonly", one.rids) for one in parts},
        TRANSPORT,
        1,
    )


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_fragment_is_read_or_refused(text: str) -> None:
    try:
        parse_fragment(text)
    except Problem as problem:
        assert problem.code == "malformed_sdp"  # noqa: PT017
