"""RTP headers, and numbers that wrap."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.capture.rtp import RtpPacket, Unwrapper, parse_rtp
from tests.recordings.publishers import rtp

HEADER = bytes.fromhex("80e0ffff fffffff0 00001234".replace(" ", ""))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEADER + b"abc", RtpPacket(96, True, 0xFFFF, 0xFFFFFFF0, b"abc")),
        (HEADER, RtpPacket(96, True, 0xFFFF, 0xFFFFFFF0, b"")),
        (b"\x81" + HEADER[1:] + b"csrcabc", RtpPacket(96, True, 0xFFFF, 0xFFFFFFF0, b"abc")),
        (b"\x90" + HEADER[1:] + b"\xbe\xde\x00\x01extnabc", RtpPacket(96, True, 0xFFFF, 0xFFFFFFF0, b"abc")),
        (b"\xa0" + HEADER[1:] + b"abc\x00\x02", RtpPacket(96, True, 0xFFFF, 0xFFFFFFF0, b"abc")),
        (b"\xa0" + HEADER[1:] + b"abc\x00\x00", None),  # padding of nothing
        (b"\xa0" + HEADER[1:] + b"abc\x00\x09", None),  # more padding than there is
        (b"\x90" + HEADER[1:] + b"\xbe\xde\x00", None),
        (b"\x90" + HEADER[1:] + b"\xbe\xde\x00\x02extn", None),
        (b"\x8f" + HEADER[1:] + b"csrc", None),
        (b"\x40" + HEADER[1:] + b"abc", None),
        (HEADER[:11], None),
        (b"", None),
    ],
)
def test_packets_are_parsed_or_refused(data: bytes, expected: RtpPacket | None) -> None:
    assert parse_rtp(data) == expected


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    packet = parse_rtp(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


@settings(deadline=None)
@given(
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=99),
    st.booleans(),
)
def test_what_was_written_is_read(
    kind: int, sequence: int, timestamp: int, payload: bytes, marker: bool
) -> None:
    packet = parse_rtp(rtp(kind, sequence, timestamp, payload, marker=marker))
    assert packet == RtpPacket(kind, marker, sequence, timestamp, payload)


@pytest.mark.parametrize("start", range(65_530, 65_536))
def test_a_counter_goes_on_across_its_wrap(start: int) -> None:
    unwrapper = Unwrapper(16)
    assert [unwrapper.unwrap((start + step) & 0xFFFF) - start for step in range(20)] == list(range(20))


def test_what_comes_late_stays_before() -> None:
    unwrapper = Unwrapper(16)
    assert [unwrapper.unwrap(number) for number in (2, 65_535, 3, 0, 4)] == [2, -1, 3, 0, 4]


@settings(deadline=None)
@given(st.lists(st.integers(-30_000, 30_000), max_size=50), st.integers(0, 0xFFFF))
def test_steps_of_less_than_half_the_range_are_followed(steps: list[int], start: int) -> None:
    unwrapper = Unwrapper(16)
    newest = position = unwrapper.unwrap(start)
    for step in steps:
        position = newest + step
        assert unwrapper.unwrap(position & 0xFFFF) == position
        newest = max(newest, position)
