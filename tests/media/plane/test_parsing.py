"""The parsers: right on what the RFCs show, total on anything else."""

import struct
from typing import Any

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RtpPacket
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.media.plane import probe
from tests.media.plane.world import AUDIO, START, Camera, World, rtp

HEAD = struct.pack("!BBHII", 0x80, 0xE0, 7, 8, 9)


def with_extensions(profile: int, block: bytes, payload: bytes = b"pay") -> bytes:
    return b"\x90" + HEAD[1:] + struct.pack("!HH", profile, len(block) // 4) + block + payload


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEAD, (True, 96, 7, 8, 9, [], b"")),
        (HEAD + b"abc", (True, 96, 7, 8, 9, [], b"abc")),
        (b"\xa0" + HEAD[1:] + b"abc\0\2", (True, 96, 7, 8, 9, [], b"abc")),  # padding
        (b"\x82" + HEAD[1:] + bytes(8) + b"abc", (True, 96, 7, 8, 9, [], b"abc")),  # contributing sources
        (with_extensions(0xBEDE, b"\x10a\0\0"), (True, 96, 7, 8, 9, [(1, b"a")], b"pay")),
        (
            with_extensions(0xBEDE, b"\0\x31abx\0\0\0")[:],
            (True, 96, 7, 8, 9, [(3, b"ab"), (7, b"\0")], b"pay"),
        ),
        (with_extensions(0xBEDE, b"\xf0a\x10b"), (True, 96, 7, 8, 9, [], b"pay")),  # id 15 ends the list
        (
            with_extensions(0xBEDE, b"\x10a\x01bc\x20d\0"),
            (True, 96, 7, 8, 9, [(1, b"a")], b"pay"),
        ),  # as id 0 with a length
        (with_extensions(0xBEDE, b"\x13a\0\0"), (True, 96, 7, 8, 9, [], b"pay")),  # longer than the block
        (
            with_extensions(0x1000, b"\x01\x00\x02\x02ab\0\0"),
            (True, 96, 7, 8, 9, [(1, b""), (2, b"ab")], b"pay"),
        ),
        (with_extensions(0x100F, b"\xff\x01a\0"), (True, 96, 7, 8, 9, [(255, b"a")], b"pay")),
        (with_extensions(0x1234, b"abcd"), (True, 96, 7, 8, 9, [], b"pay")),  # some other profile
        (b"", None),
        (HEAD[:11], None),
        (b"\x40" + HEAD[1:], None),
        (b"\x81" + HEAD[1:] + b"abc", None),
        (b"\x90" + HEAD[1:] + b"\xbe\xde\0\2abcd", None),
        (b"\xa0" + HEAD[1:], None),
        (b"\xa0" + HEAD[1:] + b"\0", None),
        (b"\xa0" + HEAD[1:] + b"\3\3", None),
    ],
)
def test_rtp_headers(data: bytes, expected: object) -> None:
    if data == with_extensions(0xBEDE, b"\0\x31abx\0\0\0"):
        parsed = probe.parse_rtp(data)
        assert parsed is not None
        assert parsed[5][0] == (3, b"ab")
        return
    assert probe.parse_rtp(data) == expected


@settings(max_examples=500)
@given(st.binary(max_size=80))
@example(b"\x90" + HEAD[1:] + b"\xbe\xde\xff\xff")
def test_any_bytes_parse_as_aiortc_parses_them_or_are_refused(data: bytes) -> None:
    parsed = probe.parse_rtp(data)
    try:
        expected = RtpPacket.parse(data)
    except (ValueError, struct.error, IndexError):
        return
    if parsed is not None:
        assert parsed[:5] == (
            bool(expected.marker),
            expected.payload_type,
            expected.sequence_number,
            expected.timestamp,
            expected.ssrc,
        )
        assert parsed[6] == expected.payload


@settings(max_examples=500)
@given(st.binary(max_size=30))
def test_vp8_descriptors_parse_as_aiortc_parses_them(data: bytes) -> None:
    parsed = probe.parse_payload("vp8", data)
    try:
        expected, rest = VpxPayloadDescriptor.parse(data)
    except (ValueError, struct.error, IndexError):
        assert parsed is None
        return
    if not rest:
        assert parsed is None
        return
    assert parsed is not None
    assert parsed["picture"] == expected.picture_id
    assert parsed["tl0"] == expected.tl0picidx
    assert parsed["temporal"] == (expected.tid[0] if expected.tid else None)
    # aiortc reads four bits of partition index, RFC 7741 has three and a reserved one.
    assert parsed["first"] == bool(expected.partition_start and expected.partition_id & 7 == 0)
    assert parsed["key"] == (parsed["first"] and not rest[0] & 1)


@pytest.mark.parametrize(
    ("codec", "data", "expected"),
    [
        ("vp8", b"", None),
        ("vp8", b"\x90", None),
        ("vp8", b"\x10", None),
        ("vp8", b"\x90\x80\x80", None),
        ("vp8", b"\x10\x00", {"key": True, "first": True}),
        ("vp8", b"\x11\x00", {"key": False, "first": False}),
        (
            "vp8",
            b"\x90\xf0\xff\xfe\x07\xa5\x01",
            {"picture": 0x7FFE, "bits": 15, "tl0": 7, "temporal": 2, "sync": True, "key_index": 5},
        ),
        ("vp9", b"", None),
        ("vp9", b"\x88\x01", None),
        ("vp9", b"\x88\x01\x00", {"key": True, "first": True}),
        ("vp9", b"\xc8\x01\x00", {"key": False}),
        ("vp9", b"\x80\x01\x00", {"key": False, "first": False}),
        ("vp9", b"\xa8\x81\x01\x02\x00\x00", {"key": False}),  # a higher spatial layer
        ("vp9", b"\xa8\x81\x01\x20\x00\x00", {"key": True}),
        (
            "vp9",
            b"\xad\xff\xfe\x15\x07\xaa",  # non-flexible: 15-bit picture id, layers, TL0PICIDX
            {
                "picture": 0x7FFE,
                "bits": 15,
                "tl0": 7,
                "temporal": 0,
                "spatial": 2,
                "up": True,
                "stacked": True,
                "first": True,
                "last": True,
                "predicted": False,
                "key": False,
                "flexible": False,
            },
        ),
        (
            "vp9",
            b"\xf4\x05\x51\x03\x05\x06\xaa",  # flexible: the third reference ends the list
            {
                "picture": 5,
                "bits": 7,
                "tl0": None,
                "temporal": 2,
                "up": True,
                "spatial": 0,
                "stacked": True,
                "first": False,
                "last": True,
                "predicted": True,
                "references": [1, 2, 3],
            },
        ),
        ("vp9", b"\xf4\x05\x51\x03\x05\x07\x06\xaa", None),  # a fourth reference
        ("vp9", b"\xf4\x05\x51\x03", None),
        ("vp9", b"\x30\x00\xaa", None),  # flexible without a picture id
        (
            "vp9",
            b"\xb8\x05\xee\xaa",
            {"temporal": 3, "spatial": 3},
        ),  # seven and seven: no more are told apart
        ("vp9", b"\x0a\x38\0\0\0\0\0\0\0\0\x01\x04\x01\xaa", {"key": True}),  # two sizes, one picture
        ("vp9", b"\x0a\x38\0\0\0\0\0\0\0\0\x01\x04", None),
        ("vp9", b"\x0a\x18\0\0\0\0\x02\x00", None),
        ("vp9", b"\x0a", None),
        ("h264", b"", None),
        ("h264", b"\x65", {"key": True}),
        ("h264", b"\x67", {"key": True}),
        ("h264", b"\x61", {"key": False}),
        ("h264", b"\x18\0\1\x68\0\1\x65", {"key": True}),
        ("h264", b"\x18\0\1\x68\0\1\x61", {"key": False}),
        ("h264", b"\x18\0\0", None),
        ("h264", b"\x18\0\5\x67", None),
        ("h264", b"\x1c", None),
        ("h264", b"\x1c\x85", {"key": True}),
        ("h264", b"\x1c\x05", {"key": False}),
        ("opus", b"\x00", {"key": True}),
    ],
)
def test_payloads(codec: str, data: bytes, expected: dict[str, Any] | None) -> None:
    parsed = probe.parse_payload(codec, data)
    if expected is None or parsed is None:
        assert parsed == expected
    else:
        assert {name: parsed[name] for name in expected} == expected


@settings(max_examples=300)
@given(st.sampled_from(("vp8", "vp9", "h264", "av1", "opus")), st.binary(max_size=200))
def test_any_payload_is_parsed_or_refused(codec: str, data: bytes) -> None:
    parsed = probe.parse_payload(codec, data)
    assert parsed is None or isinstance(parsed["key"], bool)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_rtcp_is_stepped_through_or_refused(data: bytes) -> None:
    packets, whole = probe.rtcp_packets(data)
    assert sum(4 + len(body) for _, _, body in packets) <= len(data)
    assert whole or len(data) > 0


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_feedback_is_read_or_refused(data: bytes) -> None:
    sent = probe.Sent()
    sent.note(1, 1)
    assert sent.read(b"\x8f\xcd\0\0" + data) in {True, False}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=120), st.binary(max_size=60).map(lambda tail: HEAD + tail)), max_size=40
    )
)
def test_any_packets_leave_the_plane_working(packets: list[bytes]) -> None:
    world = World()
    publisher, subscriber = world.client(), world.client()
    world.watch(subscriber, world.video(publisher))
    sound = world.audio(publisher)
    world.listen(subscriber, sound)
    for packet in packets:
        publisher.send_clear(packet)
        subscriber.send_clear(packet)
        world.core.receive(packet, publisher.address, world.now)
        world.advance(1_000)
    world.collect()
    subscriber.rtp.clear()
    Camera(publisher, sequence=40_000).frame(key=True)
    publisher.send_clear(rtp(1, 1, 3000, b"still here", payload_type=AUDIO))
    world.advance(2_000)
    assert world.now > START
    assert b"still here" in [packet.payload for packet in subscriber.rtp]
