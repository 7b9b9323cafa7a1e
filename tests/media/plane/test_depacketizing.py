"""From a tap's packets to whole frames: order, loss, bounds, the wrap; and each codec's payload format, by tables."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.plane import Depacketizer, RtpFrame
from tests.media.plane.world import AUDIO, VIDEO, rtp

WINDOW_US, WINDOW_PACKETS, JUMP_PACKETS = 400_000, 1_024, 3_000
MOST_BYTES = 1 << 23
CODECS = ("vp8", "vp9", "h264", "av1", "opus")
LATER_US = 10_000_000


def numbered(number: int) -> bytes:
    """A packet of sound that says which it is."""
    return rtp(number, 960 * number, 3000, struct.pack("!q", number), payload_type=AUDIO)


def order(frames: list[RtpFrame]) -> list[tuple[int, int]]:
    """(number, lost before it) in the order in which they came out."""
    return [(struct.unpack("!q", unit)[0], frame.lost) for frame in frames for unit in frame.units or ()]


def run(numbers: list[int], step_us: int = 1_000) -> list[tuple[int, int]]:
    track = Depacketizer("opus", AUDIO)
    frames = []
    for index, number in enumerate(numbers):
        frames += track.take([(index * step_us, numbered(number))], index * step_us)
    return order(frames + track.flush())


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        ([5, 6, 7], [(5, 0), (6, 0), (7, 0)]),
        ([5, 7, 6, 8], [(5, 0), (6, 0), (7, 0), (8, 0)]),
        ([5, 6, 6, 5, 7], [(5, 0), (6, 0), (7, 0)]),
        ([5, 6, 9, 10], [(5, 0), (6, 0), (9, 2), (10, 0)]),
        ([5, 7, 9], [(5, 0), (7, 1), (9, 1)]),
        ([65_534, 65_535, 65_537, 65_536], [(65_534, 0), (65_535, 0), (65_536, 0), (65_537, 0)]),
        ([7, 6, 8], [(7, 0), (8, 0)]),  # before the first: too late
    ],
)
def test_packets_come_out_in_order(arrived: list[int], expected: list[tuple[int, int]]) -> None:
    assert run(arrived) == expected


@pytest.mark.parametrize("start", range(65_530, 65_537))
def test_numbers_wrap_anywhere(start: int) -> None:
    numbers = list(range(start, start + 12))
    assert run([*numbers[:4], numbers[5], numbers[4], *numbers[7:]]) == [
        *((number, 0) for number in numbers[:6]),
        (numbers[7], 1),
        *((number, 0) for number in numbers[8:]),
    ]


def test_a_missing_packet_is_given_up_after_the_window() -> None:
    track = Depacketizer("opus", AUDIO)
    assert len(track.take([(0, numbered(1)), (10_000, numbered(3))], 10_000)) == 1
    assert track.take([], 10_000 + WINDOW_US) == []
    (frame,) = track.take([], 10_001 + WINDOW_US)
    assert (order([frame]), frame.arrival_us) == ([(3, 1)], 10_000)
    assert track.take([(420_000, numbered(2))], 420_000) == [], "what was given up comes too late"


def test_the_window_never_holds_more_than_its_bound() -> None:
    track = Depacketizer("opus", AUDIO)
    track.take([(0, numbered(0))], 0)
    for number in range(2, 2 * WINDOW_PACKETS):
        track.take([(0, numbered(number))], 0)
        assert track.held <= WINDOW_PACKETS


@pytest.mark.parametrize("jump", [JUMP_PACKETS + 1, 2 * JUMP_PACKETS, -JUMP_PACKETS])
def test_a_publisher_who_begins_anew_is_followed(jump: int) -> None:
    begin = 102 + jump
    assert run([100, 101, begin, begin + 1]) == (
        [(100, 0), (101, 0), (begin, 1), (begin + 1, 0)] if abs(jump) > JUMP_PACKETS else [(100, 0), (101, 0)]
    )


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 0xFFFF), st.integers(1, 300))
def test_any_shuffle_within_the_window_is_put_right(random: object, start: int, count: int) -> None:
    numbers = list(range(start, start + count))
    # Nothing moves by more than eight places; the first stays, as it says where the track begins.
    keys = {number: index + random.uniform(0, 8) for index, number in enumerate(numbers)}  # type: ignore[attr-defined]
    keys[start] = -1
    arrived = sorted(numbers, key=keys.__getitem__)
    assert run(arrived) == [(number, 0) for number in numbers]


@settings(deadline=None)
@given(st.lists(st.integers(0, 0xFFFF), max_size=200), st.integers(0, 50_000))
def test_whatever_arrives_comes_out_once_at_most(numbers: list[int], step_us: int) -> None:
    out = run(numbers, step_us)
    assert len(out) <= len(numbers)
    assert all(lost >= 0 for _, lost in out)


def hexadecimal(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def frames_of(codec: str, *payloads: str | bytes) -> tuple[list[RtpFrame], Depacketizer]:
    """What payloads of one timestamp make, the last of them with the marker."""
    track = Depacketizer(codec, VIDEO)
    packets = []
    for number, payload in enumerate(payloads):
        data = hexadecimal(payload) if isinstance(payload, str) else payload
        packets.append((number, rtp(number, 7, 3000, data, marker=number == len(payloads) - 1)))
    return track.take(packets, 0), track


def units_of(codec: str, *payloads: str | bytes) -> list[str] | None:
    (frame,), track = frames_of(codec, *payloads)
    assert (track.malformed > 0) == (frame.units is None)
    return None if frame.units is None else [unit.hex() for unit in frame.units]


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        (["10 aa"], ["aa"]),  # S, no extension
        (["10 aa", "00 bb", "00 cc"], ["aabbcc"]),
        (["10 aa", "11 bb"], ["aabb"]),  # S of partition 1 begins no picture
        (["30 aa"], ["aa"]),  # N: a picture nobody refers to
        (["90 80 7f aa"], ["aa"]),  # picture id of 7 bits
        (["90 80 ff ff aa", "80 80 ff ff bb"], ["aabb"]),  # of 15 bits
        (["90 e0 81 02 03 04 aa"], ["aa"]),  # picture id, TL0PICIDX, TID
        (["90 10 03 aa"], ["aa"]),  # KEYIDX alone
        (["90 00 aa"], ["aa"]),
        (["00 aa"], None),  # without its beginning
        (["10 aa", "10 bb"], None),  # two beginnings
        (["10"], None),
        (["90"], None),
        (["90 80"], None),
        (["90 80 ff"], None),
        (["90 80 ff ff"], None),
        (["90 f0 ff ff 01 02"], None),
    ],
)
def test_vp8(payloads: list[str], expected: list[str] | None) -> None:
    assert units_of("vp8", *payloads) == expected


@pytest.mark.parametrize(
    ("payloads", "expected", "size"),
    [
        (["0c aa"], ["aa"], None),
        (["08 aa", "00 bb", "04 cc"], ["aabbcc"], None),
        (["08 aa", "04 bb", "0c cc"], ["aabb", "cc"], None),  # two layers
        (["8c 7f aa"], ["aa"], None),
        (["8c ff ff aa"], ["aa"], None),
        (["ac ff ff 00 01 aa"], ["aa"], None),  # layer indices with TL0PICIDX
        (["bc ff ff 00 aa"], ["aa"], None),  # flexible mode has none
        (["dc ff ff 03 02 aa"], ["aa"], None),  # two references
        (["dc 05 03 03 02 aa"], ["aa"], None),  # three, the most
        (["dc 05 03 03 03 02 aa"], None, None),
        (["0e 10 02 80 01 68 aa"], ["aa"], (640, 360)),  # one layer's size
        (["0e 30 01 40 00 b4 02 80 01 68 aa"], ["aa"], (640, 360)),  # of two
        (["0a 10 02 80 01 68 aa", "04 bb"], ["aabb"], (640, 360)),  # a later payload does not repeat it
        (["0e 10 00 00 00 00 aa"], ["aa"], None),  # which says nothing
        (["0e 08 01 04 01 aa"], ["aa"], None),  # a group of one picture with one reference
        (["04 aa"], None, None),  # without its beginning
        (["08 aa"], None, None),  # without its end
        (["08 aa", "08 bb"], None, None),
        (["0c"], None, None),
        (["0e 10 02 80 01"], None, None),
        (["0e 08 02 04 aa aa"], None, None),
    ],
)
def test_vp9(payloads: list[str], expected: list[str] | None, size: tuple[int, int] | None) -> None:
    assert units_of("vp9", *payloads) == expected
    assert frames_of("vp9", *payloads)[0][0].size == size


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        (["67 aa"], ["67aa"]),
        (["67 aa", "65 bb"], ["67aa", "65bb"]),
        (["18 0002 67aa 0003 68bbcc"], ["67aa", "68bbcc"]),  # STAP-A
        (["7c 85 aa", "7c 05 bb", "7c 45 cc"], ["65aabbcc"]),  # FU-A
        (["7c 85 aa", "7c 45 bb", "41 cc"], ["65aabb", "41cc"]),
        (["18"], None),
        (["18 00"], None),
        (["18 0003 67aa"], None),
        (["18 0000"], None),
        (["18 0002 67aa 00"], None),
        (["7c 85"], None),
        (["7c 05 aa"], None),  # without its beginning
        (["7c 85 aa", "7c 85 bb"], None),
        (["7c 85 aa", "41 bb"], None),  # something else in the middle of it
        (["7c 85 aa"], None),  # without its end
        (["00 aa"], None),
        (["19 00 00 01 67"], None),  # STAP-B: a packetization that was not negotiated
        (["1d 85 00 00 aa"], None),  # FU-B
    ],
)
def test_h264(payloads: list[str], expected: list[str] | None) -> None:
    assert units_of("h264", *payloads) == expected


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        (["10 32 aa"], ["32aa"]),  # one element to the end
        (["50 aa", "d0 bb cc", "90 dd"], ["aabbccdd"]),  # a unit in three pieces
        (["50 aa", "a0 01 bb cc"], ["aabb", "cc"]),  # its end, and another one
        (["20 01 aa bb cc"], ["aa", "bbcc"]),  # two, the first with its length
        (["30 01 aa 01 bb cc"], ["aa", "bb", "cc"]),
        (["00 01 aa 02 bb cc"], ["aa", "bbcc"]),  # each with its length
        (["08 81 00 aa"], ["aa"]),  # a length in more bytes than it needs
        (["10"], None),
        (["20 05 aa bb"], None),
        (["20 02 aa bb"], None),  # the second is missing
        (["00 80"], None),
        (["00 80 80 80 80 80 80 80 80 00"], None),
        (["00 ff ff ff ff ff ff ff 7f aa"], None),  # a length beyond all
        (["90 aa"], None),  # goes on with nothing
        (["50 aa"], None),  # without its end
        (["50 aa", "10 bb"], None),
    ],
)
def test_av1(payloads: list[str], expected: list[str] | None) -> None:
    assert units_of("av1", *payloads) == expected


@pytest.mark.parametrize(
    ("codec", "first", "second", "whole"),
    [
        ("vp8", "10 aa", "00 bb", "10 cc"),
        ("vp9", "08 aa", "04 bb", "0c cc"),
        ("h264", "41 aa", "41 bb", "41 cc"),
        ("av1", "50 aa", "90 bb", "10 cc"),
    ],
)
def test_a_frame_of_which_something_is_missing_is_none(
    codec: str, first: str, second: str, whole: str
) -> None:
    track = Depacketizer(codec, VIDEO)
    packets = [
        rtp(1, 100, 3000, hexadecimal(first)),
        rtp(3, 100, 3000, hexadecimal(second), marker=True),  # 2 is lost
        rtp(4, 200, 3000, hexadecimal(whole), marker=True),
        rtp(5, 300, 3000, hexadecimal(whole)),  # and the rest of it is lost
        rtp(7, 400, 3000, hexadecimal(whole), marker=True),
    ]
    frames = track.take([(0, packet) for packet in packets], LATER_US)
    assert [(frame.timestamp, frame.packets, frame.lost, bool(frame.units)) for frame in frames] == [
        (100, 2, 1, False),
        (200, 1, 0, True),
        (300, 1, 0, False),
        (400, 1, 1, True),
    ]
    assert track.malformed == 0, "nothing was wrong with what came"


def test_a_new_timestamp_ends_a_frame_as_the_marker_does() -> None:
    track = Depacketizer("vp8", VIDEO)
    assert track.take([(0, rtp(1, 100, 3000, b"\x10a")), (1, rtp(2, 100, 3000, b"\x00b"))], 1) == []
    (frame,) = track.take([(2, rtp(3, 200, 3000, b"\x10c"))], 2)
    assert frame == RtpFrame(100, 0, 2, 0, [b"ab"], None)
    (frame,) = track.flush()
    assert (frame.timestamp, frame.units) == (200, None), "whether more was to come nobody knows"
    assert track.flush() == []


def test_a_frame_has_the_time_of_its_fastest_packet() -> None:
    track = Depacketizer("vp8", VIDEO)
    late = [(900, rtp(1, 100, 3000, b"\x10a")), (300, rtp(2, 100, 3000, b"\x00b", marker=True))]
    (frame,) = track.take(late, 900)
    assert frame.arrival_us == 300


def test_padding_is_no_picture_and_no_loss() -> None:
    track = Depacketizer("vp8", VIDEO)
    packets = [rtp(1, 100, 3000, b"", padding=20, marker=True), rtp(2, 200, 3000, b"\x10a", marker=True)]
    frames = track.take([(0, packet) for packet in packets], 0)
    assert [frame.units for frame in frames] == [[], [b"a"]]
    assert track.malformed == 0


def test_what_is_no_packet_of_the_track_is_counted() -> None:
    track = Depacketizer("opus", AUDIO)
    strange = [b"", b"rubbish", rtp(1, 1, 3000, b"comfort", payload_type=13)]
    assert track.take([(0, data) for data in strange], 0) == []
    assert (track.malformed, track.foreign) == (2, 1)


def test_a_picture_without_an_end_takes_no_more_than_its_bound() -> None:
    track = Depacketizer("vp8", VIDEO)
    piece = bytes(60_000)
    count = MOST_BYTES // len(piece) + 3
    for number in range(count):
        head = b"\x10" if number == 0 else b"\x00"
        track.take([(0, rtp(number, 7, 3000, head + piece))], 0)
    assert track.malformed == 1
    (frame,) = track.take([(0, rtp(count, 8, 3000, b"\x10a", marker=True))], 0)[1:]
    assert frame.units == [b"a"], "and the next one is taken"


@pytest.mark.parametrize("payload_type", [-1, 128, "96"])
def test_a_payload_type_is_a_number_of_seven_bits(payload_type: object) -> None:
    with pytest.raises(ValueError, match="payload_type"):
        Depacketizer("vp8", payload_type)  # type: ignore[arg-type]


@pytest.mark.parametrize("codec", CODECS)
@settings(deadline=None, max_examples=300)
@given(
    pushes=st.lists(
        st.tuples(st.binary(max_size=40), st.integers(0, 3), st.booleans(), st.integers(0, 3)), max_size=30
    )
)
def test_any_payloads_make_frames_or_are_counted(
    codec: str, pushes: list[tuple[bytes, int, bool, int]]
) -> None:
    track = Depacketizer(codec, VIDEO)
    frames: list[RtpFrame] = []
    number = 0
    for payload, timestamp, marker, step in pushes:
        number += step
        frames += track.take([(0, rtp(number, timestamp, 3000, payload, marker=marker))], 0)
    frames += track.flush()
    assert sum(frame.packets for frame in frames) <= len(pushes)
    carried = sum(len(unit) for frame in frames for unit in frame.units or ())
    assert carried <= sum(len(payload) for payload, *_ in pushes)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(CODECS), st.lists(st.binary(max_size=64), max_size=30))
def test_any_bytes_leave_it_working(codec: str, packets: list[bytes]) -> None:
    track = Depacketizer(codec, VIDEO)
    track.take([(0, packet) for packet in packets], 0)
    track.flush()
    begin = 40_000 if codec != "av1" else 40_001
    whole = {"vp8": b"\x10a", "vp9": b"\x0ca", "h264": b"\x41a", "av1": b"\x10a", "opus": b"a"}[codec]
    frames = track.take(
        [(0, rtp(begin + i, 9_000 + i, 3000, whole, marker=True)) for i in range(3)], LATER_US
    )
    assert frames[-1].units
