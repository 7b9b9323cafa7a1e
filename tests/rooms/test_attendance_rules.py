"""Interval arithmetic by properties, the judgement by a table."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.attendance.rules import (
    AttendanceState,
    Interval,
    Measured,
    Thresholds,
    clip,
    judge,
    measure,
    union,
)

START = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
END = START + timedelta(minutes=60)
ROW = Thresholds()


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def spans(*pairs: tuple[float, float]) -> list[Interval]:
    return [(at(begin), at(end)) for begin, end in pairs]


pairs = st.tuples(st.integers(-40, 100), st.integers(-40, 100)).map(lambda pair: (min(pair), max(pair)))
some_intervals = st.lists(pairs, max_size=12).map(lambda found: spans(*found))


def minutes_covered(intervals: list[Interval]) -> set[int]:
    """The minutes inside, counted one by one: slow, and plainly right."""
    return {
        minute for minute in range(-60, 160) if any(begin <= at(minute) < end for begin, end in intervals)
    }


@given(some_intervals)
def test_the_union_covers_the_same_time_in_disjoint_pieces_in_order(intervals: list[Interval]) -> None:
    merged = union(intervals)
    assert minutes_covered(merged) == minutes_covered(intervals)
    assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(merged))


@given(some_intervals, st.randoms())
def test_the_union_knows_no_order_and_no_repetition(intervals: list[Interval], chance: Random) -> None:
    shuffled = intervals * 2
    chance.shuffle(shuffled)
    assert union(shuffled) == union(intervals)


@given(some_intervals)
def test_what_is_measured_is_the_time_covered_inside_the_meeting(intervals: list[Interval]) -> None:
    what = measure(intervals, START, END)
    inside = minutes_covered(intervals) & set(range(60))
    assert what.seconds == len(inside) * 60
    if inside:
        assert what.first_seen == at(min(inside))
        assert what.last_seen == at(max(inside) + 1)
    else:
        assert what == Measured()


@given(some_intervals, some_intervals)
def test_more_devices_never_make_less_presence_nor_more_than_the_meeting(
    phone: list[Interval], computer: list[Interval]
) -> None:
    both = measure(phone + computer, START, END).seconds
    assert max(measure(phone, START, END).seconds, measure(computer, START, END).seconds) <= both <= 3600


@given(
    intervals=some_intervals, share=st.floats(0.01, 1), late_after=st.integers(0, 30), excused=st.booleans()
)
def test_nobody_who_was_not_there_attends_and_nobody_who_was_is_absent(
    intervals: list[Interval], share: float, late_after: int, *, excused: bool
) -> None:
    what = measure(intervals, START, END)
    state = judge(what, START, END, Thresholds(share, timedelta(minutes=late_after)), excused=excused)
    if what.first_seen is None:
        assert state is (AttendanceState.EXCUSED if excused else AttendanceState.ABSENT)
    else:
        assert state is not AttendanceState.ABSENT
    assert excused or state is not AttendanceState.EXCUSED


def test_a_backward_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        union(spans((10, 5)))


def test_clipping_drops_what_lies_outside_or_has_no_length() -> None:
    assert clip(spans((-20, -10), (-5, 5), (7, 7), (50, 70), (60, 80)), START, END) == spans((0, 5), (50, 60))


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], AttendanceState.ABSENT),
        ([(0, 60)], AttendanceState.PRESENT),
        ([(-15, 75)], AttendanceState.PRESENT),
        ([(0, 48)], AttendanceState.PRESENT),  # exactly 80 %
        ([(0, 47.99)], AttendanceState.LEFT_EARLY),
        ([(10, 60)], AttendanceState.PRESENT),  # exactly 10 minutes is not late
        ([(10.1, 60)], AttendanceState.LATE),
        ([(30, 60)], AttendanceState.LATE),  # late, and stayed for all that was left
        ([(20, 52)], AttendanceState.LATE),  # 80 % of what was left
        ([(20, 51)], AttendanceState.LEFT_EARLY),  # late and gone early: the going says more
        ([(0, 5), (40, 60)], AttendanceState.LEFT_EARLY),  # there at both ends, away in between
        ([(0, 30), (30.3, 60)], AttendanceState.PRESENT),  # a reconnection
        ([(0, 20), (10, 40), (35, 60)], AttendanceState.PRESENT),  # three devices
        ([(59, 60)], AttendanceState.LATE),
        ([(-30, -1)], AttendanceState.ABSENT),  # only before it began
        ([(61, 90)], AttendanceState.ABSENT),  # only after it ended
    ],
)
def test_the_judgement(intervals: list[tuple[float, float]], expected: AttendanceState) -> None:
    what = measure(spans(*intervals), START, END)
    assert judge(what, START, END, ROW, excused=False) is expected


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], AttendanceState.EXCUSED),
        ([(0, 20)], AttendanceState.EXCUSED),  # came for a while although excused
        ([(0, 60)], AttendanceState.PRESENT),  # came after all
        ([(30, 60)], AttendanceState.LATE),
    ],
)
def test_granted_leave_covers_staying_away_and_hides_no_presence(
    intervals: list[tuple[float, float]], expected: AttendanceState
) -> None:
    what = measure(spans(*intervals), START, END)
    assert judge(what, START, END, ROW, excused=True) is expected


def test_thresholds_belong_to_the_meeting() -> None:
    strict = Thresholds(present_share=1.0, late_after=timedelta())
    what = measure(spans((0, 59)), START, END)
    assert judge(what, START, END, strict, excused=False) is AttendanceState.LEFT_EARLY
    assert (
        judge(measure(spans((0.1, 60)), START, END), START, END, strict, excused=False)
        is AttendanceState.LATE
    )
    mild = Thresholds(present_share=0.1, late_after=timedelta(minutes=45))
    assert (
        judge(measure(spans((40, 47)), START, END), START, END, mild, excused=False)
        is AttendanceState.PRESENT
    )


def test_a_meeting_that_ended_the_moment_it_began_has_nobody_present() -> None:
    assert (
        judge(measure(spans((0, 10)), START, START), START, START, ROW, excused=False)
        is AttendanceState.ABSENT
    )
