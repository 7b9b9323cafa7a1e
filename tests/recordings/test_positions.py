"""Timestamps as positions: the wrap, pauses, stalls, leaps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.capture.positions import LEAP_SECONDS, Positions

RATE = 90_000
FRAME = 3_000  # ticks of one at 30 a second
FRAME_US = 33_333


@pytest.mark.parametrize("before", [0, 1, 2, 5])
def test_a_timestamp_goes_on_across_its_wrap(before: int) -> None:
    positions = Positions(RATE)
    first = -before * FRAME
    placed = [positions.place((first + n * FRAME) & 0xFFFFFFFF, n * FRAME_US) for n in range(10)]
    assert placed == [n * FRAME for n in range(10)]


@pytest.mark.parametrize(
    ("ticks", "seconds", "step"),
    [
        (FRAME, 0.0, FRAME),  # a line that stalled brings everything at once
        (FRAME, 60.0, FRAME),  # or after a minute
        (0, 0.1, 0),  # of the same frame
        (-FRAME, 0.1, -FRAME),  # sent before the one before
        (60 * RATE, 60.0, 60 * RATE),  # a pause in which the timestamp ran on
        (60 * RATE, 57.0, 60 * RATE),  # and jitter
        (60 * RATE, 1.0, RATE),  # a publisher who began anew
        (-60 * RATE, 2.0, 2 * RATE),
        (1 << 31, 3.0, 3 * RATE),
        (-60 * RATE, 0.0, 1),  # never back by that
    ],
)
def test_the_arrival_bridges_leaps_alone(ticks: int, seconds: float, step: int) -> None:
    positions = Positions(RATE)
    positions.place(1_000, 0)
    assert positions.place((1_000 + ticks) & 0xFFFFFFFF, round(seconds * 1e6)) == step
    after = positions.place((1_000 + ticks + FRAME) & 0xFFFFFFFF, round(seconds * 1e6) + FRAME_US)
    assert after == step + FRAME, "and goes on from there"


def test_reports_speak_of_positions_of_their_own_life() -> None:
    positions = Positions(RATE)
    assert positions.of_report(1, 0) is None
    positions.place(0xFFFF_FF00, 1_000_000)
    assert positions.of_report((0xFFFF_FF00 + RATE) & 0xFFFFFFFF, 2_000_000) == RATE
    assert positions.of_report(0xFFFF_FF00 - RATE, 1_000_000) == -RATE, "of before the first packet"
    assert positions.of_report(12_345_678, 2_000_000) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 10_000_000)), min_size=1, max_size=50))
def test_any_timestamps_are_followed_and_never_far_from_the_arrivals(steps: list[tuple[int, int]]) -> None:
    positions = Positions(RATE)
    arrival = 0
    last = positions.place(0, 0)
    for timestamp, elapsed_us in steps:
        arrival += elapsed_us
        placed = positions.place(timestamp, arrival)
        slack = LEAP_SECONDS * RATE
        assert -slack <= placed - last <= elapsed_us * RATE / 1e6 + slack
        last = placed
