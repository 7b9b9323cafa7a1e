"""Depayloaders: by tables, against real encoders, and on any bytes at all."""

import itertools
from collections.abc import Callable

import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.capture.codecs.av1 import Av1Depayloader, Unit, parse_sequence, split_av1
from recordings.capture.codecs.frames import Depayloader, Frame, Malformed
from recordings.capture.codecs.h264 import H264Depayloader, h264_size, split_stap_a
from recordings.capture.codecs.opus import OpusDepayloader, opus_duration_us
from recordings.capture.codecs.registry import find_codec
from recordings.capture.codecs.vp8 import Vp8Depayloader, split_vp8, vp8_size
from recordings.capture.codecs.vp9 import Vp9Depayloader, split_vp9, superframe, vp9_key_size
from tests.recordings.publishers import RED, Colour, _av1_payloads, _vp9_payloads, encode_video, solid

DEPAYLOADERS = [Vp8Depayloader, Vp9Depayloader, Av1Depayloader, H264Depayloader, OpusDepayloader]


def hexadecimal(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("10 aa", (True, b"\xaa")),  # S, no extension
        ("00 aa", (False, b"\xaa")),
        ("11 aa", (False, b"\xaa")),  # S of partition 1 begins no picture
        ("30 aa", (True, b"\xaa")),  # N: a picture nobody refers to
        ("90 80 7f aa", (True, b"\xaa")),  # picture id of 7 bits
        ("90 80 ff ff aa", (True, b"\xaa")),  # of 15 bits
        ("90 e0 81 02 03 04 aa", (True, b"\xaa")),  # picture id, TL0PICIDX, TID
        ("90 10 03 aa", (True, b"\xaa")),  # KEYIDX alone
        ("90 00 aa", (True, b"\xaa")),
    ],
)
def test_vp8_descriptors(payload: str, expected: tuple[bool, bytes]) -> None:
    assert split_vp8(hexadecimal(payload)) == expected


@pytest.mark.parametrize("payload", ["10", "90", "90 80", "90 80 ff", "90 80 ff ff", "90 f0 ff ff 01 02"])
def test_vp8_descriptors_that_are_cut_off(payload: str) -> None:
    with pytest.raises(Malformed):
        split_vp8(hexadecimal(payload))


def test_vp8_key_frames_tell_their_size() -> None:
    assert vp8_size(hexadecimal("50 02 00 9d 01 2a 00 45 d0 82")) == (0x500, 0x2D0)  # scaling bits aside
    for broken in (
        "50 02 00 9d 01 2b 00 05 d0 02",
        "50 02 00 9d 01 2a 00 05 d0",
        "50 02 00 9d 01 2a 00 00 d0 02",
    ):
        with pytest.raises(Malformed):
            vp8_size(hexadecimal(broken))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("0c aa", (True, True, None, b"\xaa")),
        ("08 aa", (True, False, None, b"\xaa")),
        ("04 aa", (False, True, None, b"\xaa")),
        ("8c 7f aa", (True, True, None, b"\xaa")),
        ("8c ff ff aa", (True, True, None, b"\xaa")),
        ("ac ff ff 00 01 aa", (True, True, None, b"\xaa")),  # layer indices with TL0PICIDX
        ("bc ff ff 00 aa", (True, True, None, b"\xaa")),  # flexible mode has none
        ("dc ff ff 03 02 aa", (True, True, None, b"\xaa")),  # two references
        ("0e 10 02 80 01 68 aa", (True, True, (640, 360), b"\xaa")),  # one layer's size
        ("0e 30 01 40 00 b4 02 80 01 68 aa", (True, True, (640, 360), b"\xaa")),  # of two
        ("0e 10 00 00 00 00 aa", (True, True, None, b"\xaa")),  # which says nothing
        ("0e 10 02 80 01", None),
        ("0e 08 02 04 aa aa", None),
        ("0e 08 01 04 01 aa", (True, True, None, b"\xaa")),  # a group of one picture with one reference
    ],
)
def test_vp9_descriptors(
    payload: str, expected: tuple[bool, bool, tuple[int, int] | None, bytes] | None
) -> None:
    if expected is None:
        with pytest.raises(Malformed):
            split_vp9(hexadecimal(payload))
    else:
        assert split_vp9(hexadecimal(payload)) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("10 32 aa", (False, False, [b"\x32\xaa"])),  # one element to the end
        ("d0 aa bb", (True, True, [b"\xaa\xbb"])),  # a middle
        ("20 01 aa bb cc", (False, False, [b"\xaa", b"\xbb\xcc"])),  # two, the first with its length
        ("30 01 aa 01 bb cc", (False, False, [b"\xaa", b"\xbb", b"\xcc"])),
        ("00 01 aa 02 bb cc", (False, False, [b"\xaa", b"\xbb\xcc"])),  # each with its length
        ("08 81 00 aa", (False, False, [b"\xaa"])),  # a length in more bytes than it needs
        ("10", None),
        ("20 05 aa bb", None),
        ("20 02 aa bb", None),  # the second is missing
        ("00 80", None),
        ("00 80 80 80 80 80 80 80 80 00", None),
    ],
)
def test_av1_aggregation(payload: str, expected: tuple[bool, bool, list[bytes]] | None) -> None:
    if expected is None:
        with pytest.raises(Malformed):
            split_av1(hexadecimal(payload))
    else:
        assert split_av1(hexadecimal(payload)) == expected


def test_av1_units_get_their_sizes_and_delimiters_go() -> None:
    depayloader = Av1Depayloader()
    (frame,) = depayloader.push(hexadecimal("30 02 12 00 03 30 aa bb 34 08 cc"), 1, marker=True, lost=False)
    assert frame == Frame(hexadecimal("32 02 aa bb 36 08 01 cc"), 1, key=False)
    (frame,) = depayloader.push(hexadecimal("10 32 02 aa bb"), 2, marker=True, lost=False)
    assert frame.data == hexadecimal("32 02 aa bb"), "one that has its size keeps it"
    assert depayloader.push(hexadecimal("10 12 00"), 3, marker=True, lost=False) == []
    assert (depayloader.malformed, depayloader.broken) == (0, False)


def test_vp9_references_are_three_at_most() -> None:
    with pytest.raises(Malformed):
        split_vp9(hexadecimal("5c 03 03 03 aa"))


def test_vp9_layers_of_one_picture_become_a_superframe() -> None:
    depayloader = Vp9Depayloader()
    key = encode_video(solid(RED), 0.04, "vp9", (64, 64), 25, frozenset({0}))[0][0]
    inter = b"\x86" + bytes(300)  # frame marker, not a key frame
    assert depayloader.push(b"\xac\x81\x00\x00\x00" + key, 7, marker=False, lost=False) == []
    (frame,) = depayloader.push(b"\xac\x81\x00\x02\x00" + inter, 7, marker=True, lost=False)
    assert frame.key
    assert frame.size == (64, 64)
    assert frame.data == superframe([key, inter])
    assert frame.data[-1] == 0b11001001
    assert frame.data[-5:-1] == len(key).to_bytes(2, "little") + (301).to_bytes(2, "little")


def test_vp9_layers_have_the_largest_ones_size() -> None:
    depayloader = Vp9Depayloader()
    key = encode_video(solid(RED), 0.04, "vp9", (64, 64), 25, frozenset({0}))[0][0]
    structure = hexadecimal("30 0040 0040 0080 0080")
    assert depayloader.push(b"\xae\x81\x00\x00\x00" + structure + key, 7, marker=False, lost=False) == []
    (frame,) = depayloader.push(b"\xac\x81\x00\x02\x00\x86" + bytes(300), 7, marker=True, lost=False)
    assert frame.size == (128, 128)
    (frame,) = depayloader.push(b"\xac\x82\x00\x00\x00" + key, 8, marker=True, lost=False)
    assert frame.size == (64, 64), "of a picture that came without"


STAP = hexadecimal("18 0002 67aa 0003 68bbcc")


def test_h264_aggregates_are_split() -> None:
    assert split_stap_a(STAP) == [hexadecimal("67aa"), hexadecimal("68bbcc")]
    for broken in ("18", "18 00", "18 0003 67aa", "18 0000", "18 0002 67aa 00"):
        with pytest.raises(Malformed):
            split_stap_a(hexadecimal(broken))


@pytest.mark.parametrize("size", [(64, 64), (320, 180), (1280, 720), (1920, 1080), (98, 50)])
def test_h264_parameter_sets_tell_the_size(size: tuple[int, int]) -> None:
    data, _ = encode_video(solid(RED), 0.04, "h264", size, 25, frozenset({0}))[0]
    sps = next(unit for unit in H264Encoder._split_bitstream(data) if unit[0] & 0x1F == 7)
    assert h264_size(sps) == size


def test_h264_fragments_must_follow_each_other() -> None:
    depayloader = H264Depayloader()
    assert depayloader.push(hexadecimal("7c 85 aa"), 1, marker=False, lost=False) == []
    assert depayloader.push(hexadecimal("7c 85 aa"), 1, marker=True, lost=False) == []
    assert (depayloader.malformed, depayloader.broken) == (1, True)


def test_h264_key_frames_without_parameter_sets_are_no_pictures() -> None:
    depayloader = H264Depayloader()
    assert depayloader.push(b"\x65" + bytes(20), 1, marker=True, lost=False) == []
    assert depayloader.broken


def test_h264_parameter_sets_sent_before_serve_the_key_frame() -> None:
    data, _ = encode_video(solid(RED), 0.04, "h264", (64, 64), 25, frozenset({0}))[0]
    units = list(H264Encoder._split_bitstream(data))
    sps, pps = (next(unit for unit in units if unit[0] & 0x1F == kind) for kind in (7, 8))
    depayloader = H264Depayloader()
    assert depayloader.push(sps, 1, marker=False, lost=False) == []
    assert depayloader.push(pps, 1, marker=True, lost=False) == []
    assert not depayloader.broken
    (frame,) = depayloader.push(b"\x65" + bytes(20), 2, marker=True, lost=False)
    assert frame.key
    assert frame.size == (64, 64)
    assert frame.parameters[:4] == b"\x01" + sps[1:4]


@pytest.mark.parametrize(
    ("packet", "microseconds"),
    [
        ("00", 10_000), ("18 ff", 60_000), ("78 ff", 20_000), ("f8 ff", 20_000), ("e0", 2_500), ("79 ff", 40_000),
        ("fb 03 aa", 60_000), ("1b 02 aa", 120_000),
    ],
)  # fmt: skip
def test_opus_packets_tell_their_length(packet: str, microseconds: int) -> None:
    assert opus_duration_us(hexadecimal(packet)) == microseconds


@pytest.mark.parametrize("packet", ["", "03", "03 00", "1b 03", "fb 3f"])
def test_opus_packets_that_no_decoder_takes(packet: str) -> None:
    with pytest.raises(Malformed):
        opus_duration_us(hexadecimal(packet))


def payloads_of(codec: str) -> list[tuple[list[bytes], bytes, bool]]:
    """(payloads, encoded picture, key) of half a second of real encoding."""
    vp9 = _vp9_payloads()
    pack = {
        "vp8": lambda data, _key: Vp8Encoder._packetize(data, 77),
        "vp9": vp9,
        "av1": _av1_payloads,
        "h264": lambda data, _key: H264Encoder._packetize(H264Encoder._split_bitstream(data)),
    }[codec]
    return [
        (pack(data, key), data, key)  # type: ignore[no-untyped-call]
        for data, key in encode_video(flicker(), 0.5, codec, (320, 180), 25, frozenset({0, 7}))
    ]


def flicker() -> Callable[[float], Colour]:
    colours = itertools.cycle([(40, 90, 200), (200, 30, 60), (90, 200, 120)])
    return lambda _seconds: next(colours)


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
def test_what_encoders_packetize_comes_out_whole(codec: str) -> None:
    found = find_codec(codec)
    assert found is not None
    depayloader = found.depayloader()
    for timestamp, (payloads, data, key) in enumerate(payloads_of(codec)):
        frames: list[Frame] = []
        for index, payload in enumerate(payloads):
            frames += depayloader.push(payload, timestamp, marker=index == len(payloads) - 1, lost=False)
        (frame,) = frames
        assert (frame.timestamp, frame.key) == (timestamp, key)
        assert frame.size == ((320, 180) if key else None)
        if codec != "h264":
            assert frame.data == data.removeprefix(b"\x12\0")  # AV1's temporal delimiter stays behind
    assert (depayloader.malformed, depayloader.broken) == (0, False)


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
def test_a_loss_spoils_the_picture_and_is_told(codec: str) -> None:
    found = find_codec(codec)
    assert found is not None
    depayloader = found.depayloader()
    pieces = {
        "vp8": [b"\x10\x01abc", b"\x00def"],
        "vp9": [b"\x08\x86abc", b"\x04def"],
        "h264": [b"\x41abc", b"\x41def"],
        "av1": [b"\x50\x30abc", b"\x90def"],
    }
    whole = {"vp9": b"\x0c\x86abc", "av1": b"\x10\x30abc"}
    first, second = pieces[codec]
    depayloader.push(first, 1, marker=False, lost=False)
    frames = depayloader.push(second, 1, marker=True, lost=True)
    assert depayloader.broken
    assert codec == "h264" or frames == []  # a unit of H.264 stands for itself; the gate holds it back
    depayloader.mend()
    assert len(depayloader.push(whole.get(codec, first), 2, marker=True, lost=False)) == 1
    assert not depayloader.broken


@pytest.mark.parametrize("kind", DEPAYLOADERS)
@settings(deadline=None)
@given(
    pushes=st.lists(
        st.tuples(st.binary(max_size=40), st.integers(0, 3), st.booleans(), st.booleans()), max_size=30
    )
)
def test_any_payloads_make_frames_or_are_counted(
    kind: type[Depayloader], pushes: list[tuple[bytes, int, bool, bool]]
) -> None:
    depayloader = kind()
    for payload, timestamp, marker, lost in pushes:
        for frame in depayloader.push(payload, timestamp, marker=marker, lost=lost):
            assert frame.data
            assert not frame.key or kind is OpusDepayloader or frame.size is not None


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_headers_are_read_or_malformed(data: bytes) -> None:
    for read in (vp8_size, vp9_key_size, parse_sequence, Unit.parse, split_av1, h264_size, opus_duration_us):
        try:
            read(data)
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("video/VP8", True),
        ("VP9", True),
        ("video/h264", True),
        ("audio/opus", True),
        ("video/AV1", True),
        ("", False),
    ],
)
def test_codecs_are_found_by_mime_type(name: str, known: bool) -> None:
    assert (find_codec(name) is not None) is known
