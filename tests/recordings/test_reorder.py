"""The reorder window: order, loss, bounds, the wrap."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.capture.reorder import JUMP_PACKETS, ReorderWindow
from recordings.capture.rtp import RtpPacket


def packet(number: int) -> RtpPacket:
    return RtpPacket(96, False, number & 0xFFFF, 0, number.to_bytes(4, "big", signed=True))


def number_of(ordered: RtpPacket) -> int:
    return int.from_bytes(ordered.payload, "big", signed=True)


def run(
    numbers: list[int], window: ReorderWindow | None = None, step_us: int = 1_000
) -> list[tuple[int, int]]:
    """(number, lost before it) in the order in which they come out."""
    window = window or ReorderWindow()
    out = []
    for index, number in enumerate(numbers):
        out += window.push(packet(number), index * step_us)
    out += window.flush()
    return [(number_of(item.packet), item.lost) for item in out]


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


def test_a_missing_packet_is_given_up_after_the_window() -> None:
    window = ReorderWindow(window_us=400_000)
    assert len(window.push(packet(1), 0)) == 1
    assert window.push(packet(3), 10_000) == []
    assert window.expire(400_000) == []
    (item,) = window.expire(410_001)
    assert (number_of(item.packet), item.lost, item.arrival_us) == (3, 1, 10_000)
    assert window.push(packet(2), 420_000) == [], "what was given up comes too late"


def test_the_window_never_holds_more_than_its_bound() -> None:
    window = ReorderWindow(window_packets=10)
    window.push(packet(0), 0)
    for number in range(2, 200):
        window.push(packet(number), 0)
        assert len(window._waiting) <= 10


def test_a_publisher_who_begins_anew_is_followed() -> None:
    begin = 100 + JUMP_PACKETS * 2
    assert run([100, 101, begin, begin + 1]) == [(100, 0), (101, 0), (begin, 1), (begin + 1, 0)]


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
    window = ReorderWindow(window_packets=16)
    out = [
        item for index, number in enumerate(numbers) for item in window.push(packet(number), index * step_us)
    ]
    out += window.flush()
    assert len(out) <= len(numbers)
    assert all(item.lost >= 0 for item in out)
