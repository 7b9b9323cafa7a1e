"""How long packets wait on the way: tables reckoned by hand, and what holds of any delays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.plane import estimation

SECOND = 1_000_000
MILLISECOND = 1_000
Script = list[tuple[float, float]]


def waits(script: Script, *, offset_ms: float = 0) -> list[float]:
    """After each report of (seconds, shortest delay in ms): how long packets wait, in ms."""
    standing = estimation.Standing()
    return [
        standing.add(int((delay + offset_ms) * MILLISECOND), int(at * SECOND)) / MILLISECOND
        for at, delay in script
    ]


@pytest.mark.parametrize("offset_ms", [0, -86_400_000, 3_600_000])  # whatever their clock says
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([(0, 50)], [0]),  # nothing to compare it with
        ([(0, 50), (1, 80), (2, 50)], [0, 30, 0]),
        ([(0, 50), (1, 40), (2, 70)], [0, 0, 30]),  # shorter than ever: that is the line now
        ([(0, 50), (1, 150), (30, 150), (59, 150)], [0, 100, 100, 100]),  # it grows no more, and stands
        ([(0, 50), (60, 150), (119, 150)], [0, 100, 100]),  # the minute before counts as well
        ([(0, 50), (60, 150), (120, 150)], [0, 100, 0]),  # and the one before that does not: a longer way, or drift
        ([(0, 50), (59, 60), (60, 70), (120, 75)], [0, 10, 20, 5]),
        ([(0, 50), (1, 2_050)], [0, 2_000]),  # as long as any queue
        ([(0, 50), (1, 2_051)], [0, 0]),  # longer: their clock was set
        ([(0, 50), (1, 2_051), (2, 2_060)], [0, 0, 9]),
        ([(0, 3_000), (1, 1_000), (2, 1_030)], [0, 0, 30]),
        ([(0, 3_000), (1, 999), (2, 3_000)], [0, 0, 0]),  # set back, and forth
        ([(60 * n, 50 + n) for n in range(6)], [0, 1, 1, 1, 1, 1]),  # a millisecond a minute is their clock's
    ],
)  # fmt: skip
def test_the_wait_by_hand(script: Script, expected: list[float], offset_ms: float) -> None:
    assert waits(script, offset_ms=offset_ms) == expected


@given(st.lists(st.tuples(st.floats(0.05, 10), st.integers(0, 900)), min_size=1, max_size=80))
def test_it_is_measured_against_the_shortest_of_one_to_two_minutes(script: Script) -> None:
    at, reports = 0.0, []
    for pause, delay in script:
        at += pause
        reports.append((at, delay))
    for number, (found, (now, delay)) in enumerate(zip(waits(reports), reports, strict=True)):
        before = reports[: number + 1]
        of_one = min(one for when, one in before if now - when < 60)
        of_two = min(one for when, one in before if now - when < 120 + 2 * 10)  # a minute ends with a report
        assert delay - of_one <= found <= delay - of_two
