"""What the codecs' units say: by tables, against real encoders, and on any bytes at all."""

import itertools
from collections.abc import Callable

import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from media import Depacketizer
from recordings.capture.codecs.av1 import Unit, parse_sequence, read_av1
from recordings.capture.codecs.frames import Frame, Malformed
from recordings.capture.codecs.h264 import H264Reader, h264_size
from recordings.capture.codecs.opus import opus_duration_us
from recordings.capture.codecs.registry import find_codec
from recordings.capture.codecs.vp8 import vp8_size
from recordings.capture.codecs.vp9 import read_vp9, superframe, vp9_key_size
from tests.recordings.av1 import Colour
from tests.recordings.publishers import RED, _av1_payloads, _vp9_payloads, encode_video, rtp, solid

CODECS = ("vp8", "vp9", "av1", "h264", "opus")


def hexadecimal(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def test_vp8_key_frames_tell_their_size() -> None:
    assert vp8_size(hexadecimal("50 02 00 9d 01 2a 00 45 d0 82")) == (0x500, 0x2D0)  # scaling bits aside
    for broken in (
        "50 02 00 9d 01 2b 00 05 d0 02",
        "50 02 00 9d 01 2a 00 05 d0",
        "50 02 00 9d 01 2a 00 00 d0 02",
    ):
        with pytest.raises(Malformed):
            vp8_size(hexadecimal(broken))


def test_av1_units_get_their_sizes_and_delimiters_go() -> None:
    units = [hexadecimal(unit) for unit in ("12 00", "30 aa bb", "34 08 cc")]
    assert read_av1(units) == Frame(hexadecimal("32 02 aa bb 36 08 01 cc"), key=False)
    assert read_av1([hexadecimal("32 02 aa bb")]) == Frame(hexadecimal("32 02 aa bb"), key=False), (
        "it has one"
    )
    assert read_av1([hexadecimal("12 00")]) is None


def test_vp9_layers_of_one_picture_become_a_superframe() -> None:
    key = encode_video(solid(RED), 0.04, "vp9", (64, 64), 25, frozenset({0}))[0][0]
    inter = b"\x86" + bytes(300)  # frame marker, not a key frame
    frame = read_vp9([key, inter])
    assert frame == Frame(superframe([key, inter]), True, (64, 64))
    assert frame.data[-1] == 0b11001001
    assert frame.data[-5:-1] == len(key).to_bytes(2, "little") + (301).to_bytes(2, "little")
    with pytest.raises(Malformed):
        read_vp9([inter] * 9)


@pytest.mark.parametrize("size", [(64, 64), (320, 180), (1280, 720), (1920, 1080), (98, 50)])
def test_h264_parameter_sets_tell_the_size(size: tuple[int, int]) -> None:
    data, _ = encode_video(solid(RED), 0.04, "h264", size, 25, frozenset({0}))[0]
    sps = next(unit for unit in H264Encoder._split_bitstream(data) if unit[0] & 0x1F == 7)
    assert h264_size(sps) == size


def test_h264_key_frames_without_parameter_sets_are_no_pictures() -> None:
    with pytest.raises(Malformed):
        H264Reader().read([b"\x65" + bytes(20)])


def test_h264_parameter_sets_sent_before_serve_the_key_frame() -> None:
    data, _ = encode_video(solid(RED), 0.04, "h264", (64, 64), 25, frozenset({0}))[0]
    units = list(H264Encoder._split_bitstream(data))
    sps, pps = (next(unit for unit in units if unit[0] & 0x1F == kind) for kind in (7, 8))
    reader = H264Reader()
    assert reader.read([sps]) is None
    assert reader.read([pps]) is None
    frame = reader.read([b"\x65" + bytes(20)])
    assert frame is not None
    assert (frame.key, frame.size) == (True, (64, 64))
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
    track, read = Depacketizer(codec, 96), found.reader()
    sequence = 65_530
    for timestamp, (payloads, data, key) in enumerate(payloads_of(codec)):
        packets = []
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            packets.append((0, rtp(96, sequence & 0xFFFF, timestamp, payload, marker=marker)))
            sequence += 1
        (whole,) = track.take(packets, 0)
        assert whole.units is not None
        frame = read(whole.units)
        assert frame is not None
        assert (whole.timestamp, frame.key) == (timestamp, key)
        assert frame.size == ((320, 180) if key else None)
        if codec != "h264":
            assert frame.data == data.removeprefix(b"\x12\0")  # AV1's temporal delimiter stays behind
    assert track.malformed == 0


@pytest.mark.parametrize("codec", CODECS)
@settings(deadline=None)
@given(pictures=st.lists(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=3), max_size=20))
def test_any_units_make_frames_or_are_malformed(codec: str, pictures: list[list[bytes]]) -> None:
    found = find_codec(codec)
    assert found is not None
    read = found.reader()
    for units in pictures:
        try:
            frame = read(units[:1] if codec in {"vp8", "opus"} else units)
        except Malformed:
            continue
        if frame is not None:
            assert frame.data
            assert not frame.key or codec == "opus" or frame.size is not None


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_headers_are_read_or_malformed(data: bytes) -> None:
    for read in (vp8_size, vp9_key_size, parse_sequence, Unit.parse, h264_size, opus_duration_us):
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
