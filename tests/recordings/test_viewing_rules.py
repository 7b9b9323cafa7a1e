"""What counts as watched: interval arithmetic and the account of time, pure."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.viewing.coverage import (
    FASTEST,
    LEEWAY,
    LONGEST_REPORT,
    MOST_INTERVALS,
    Account,
    Interval,
    beyond,
    is_enough,
    plausible,
    share,
    total,
    union,
    watch,
)

seconds = st.floats(0, 7_200, allow_nan=False)
intervals = st.lists(st.tuples(seconds, seconds).map(lambda pair: (min(pair), max(pair))), max_size=20)
anything = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ([], ()),
        ([(5.0, 9.0), (0.0, 5.0)], ((0.0, 9.0),)),
        ([(0.0, 4.0), (2.0, 3.0)], ((0.0, 4.0),)),
        ([(0.0, 1.0), (2.0, 3.0)], ((0.0, 1.0), (2.0, 3.0))),
    ],
)
def test_unions(given_: list[Interval], expected: tuple[Interval, ...]) -> None:
    assert union(given_) == expected


@settings(deadline=None)
@given(intervals)
def test_a_union_is_disjoint_in_order_and_covers_the_same(parts: list[Interval]) -> None:
    merged = union(parts)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(merged))
    assert union(merged) == merged
    for begin, end in parts:
        assert any(left <= begin and end <= right for left, right in merged)
    assert total(merged) <= total(parts) + 1e-6


@pytest.mark.parametrize(
    "claim",
    [
        (math.nan, 5.0), (0.0, math.inf), (-math.inf, math.inf), (5.0, 5.0), (9.0, 3.0), (100.0, 200.0), (-9.0, -1.0),
        (1.0, 1.01),
    ],
)  # fmt: skip
def test_claims_that_are_none_are_left_out(claim: Interval) -> None:
    assert plausible([claim, (1.0, 2.0)], 60.0) == ((1.0, 2.0),)


def test_claims_are_cut_to_the_recording() -> None:
    assert plausible([(-5.0, 500.0)], 60.0) == ((0.0, 60.0),)


@pytest.mark.parametrize(
    ("claims", "rate", "elapsed", "counted"),
    [
        ([(0.0, 10.0)], 1.0, 10.0, 10.0),  # honest
        ([(0.0, 20.0)], 2.0, 10.0, 20.0),  # at double speed
        ([(0.0, 60.0)], 1.0, 10.0, 10.0),  # a minute in ten seconds
        ([(0.0, 160.0)], 16.0, 10.0, 20.0),  # nobody follows at sixteen-fold speed
        ([(0.0, 5.0), (300.0, 305.0)], 1.0, 10.0, 10.0),  # a seek between
        ([(0.0, 5.0), (300.0, 600.0)], 1.0, 10.0, 10.0),  # a seek that claims what it skipped
        ([(0.0, 10.0), (0.0, 10.0)], 1.0, 10.0, 10.0),  # the same twice
        ([(0.0, 10.0)], 0.5, 10.0, 5.0),  # slowly
        ([(0.0, 10.0)], 1.0, -50.0, 0.0),  # a clock set back
        ([(0.0, 600.0)], 1.0, 86_400.0, LONGEST_REPORT),  # a page left open overnight
        ([(0.0, 10.0)], math.nan, 10.0, 10.0),
        ([(0.0, 10.0)], -3.0, 10.0, 10.0),
        ([(math.nan, 10.0)], 1.0, 10.0, 0.0),
    ],
)
def test_no_more_counts_than_can_have_been_watched(
    claims: list[Interval], rate: float, elapsed: float, counted: float
) -> None:
    assert watch(Account(), claims, rate, elapsed, 3_600.0).seconds == pytest.approx(counted)


@settings(deadline=None)
@given(intervals, st.tuples(seconds, seconds))
def test_what_is_beyond_is_what_a_claim_adds(parts: list[Interval], ends: Interval) -> None:
    seen, claim = union(parts), (min(ends), max(ends))
    added = beyond(claim, seen)
    whole = pytest.approx(total(union([*seen, claim])))
    assert total(union([*seen, *added])) == whole
    assert total([*seen, *added]) == whole, "none of it twice"


def test_two_tabs_share_the_time_of_one_person() -> None:
    account = Account()
    for step in range(6):  # each claims its own ten seconds every ten seconds
        account = watch(account, [(step * 10.0, step * 10.0 + 10)], 1.0, 10.0, 3_600.0)
        account = watch(account, [(1_000 + step * 10.0, 1_010 + step * 10.0)], 1.0, 0.0, 3_600.0)
    assert account.seconds == pytest.approx(60.0)


def test_what_is_told_again_because_no_answer_came_costs_nothing() -> None:
    account = watch(Account(), [(0.0, 10.0)], 1.0, 10.0, 3_600.0)
    account = watch(account, [(0.0, 20.0)], 1.0, 10.0, 3_600.0)
    assert account.intervals == ((0.0, 20.0),)
    again = watch(account, [(5.0, 15.0)], 1.0, 10.0, 3_600.0)
    assert (again.intervals, again.credit, again.spent) == (account.intervals, 0.0, 10.0), (
        "but takes its time"
    )


def test_reports_that_come_unevenly_lose_nothing() -> None:
    account = Account()
    for elapsed, claim in ((10.9, (0.0, 10.0)), (9.2, (10.0, 20.0)), (9.9, (20.0, 30.0))):
        account = watch(account, [claim], 1.0, elapsed, 3_600.0)
    assert account.intervals == ((0.0, 30.0),)


@settings(deadline=None)
@given(st.lists(st.tuples(intervals, st.floats(0.1, 16), st.floats(0, 300)), max_size=12))
def test_never_more_than_twice_the_time_that_passed(
    reports: list[tuple[list[Interval], float, float]],
) -> None:
    account, passed = Account(), 0.0
    for claims, rate, elapsed in reports:
        account = watch(account, claims, rate, elapsed, 7_200.0)
        passed += elapsed
        assert account.seconds <= FASTEST * passed + 1e-6
        assert 0 <= account.credit <= LEEWAY


@settings(deadline=None)
@given(
    st.lists(st.tuples(anything, anything), max_size=30),
    anything,
    anything.filter(lambda x: not math.isnan(x)),
    seconds,
)
def test_whatever_is_reported_the_account_stays_sound(
    claims: list[Interval], rate: float, elapsed: float, duration: float
) -> None:
    account = watch(Account(((1.0, 2.0),), 1.0), claims, rate, elapsed, duration)
    assert account.intervals == union(account.intervals)
    assert all(math.isfinite(edge) for interval in account.intervals for edge in interval)
    assert 0 <= share(account.intervals, duration) <= 1
    assert total(account.intervals) >= 1.0


def test_the_account_stays_small_whatever_is_sought() -> None:
    account = Account()
    for step in range(MOST_INTERVALS + 50):
        account = watch(account, [(step * 2.0, step * 2.0 + 0.1)], 1.0, 1.0, 100_000.0)
    assert len(account.intervals) == MOST_INTERVALS


@pytest.mark.parametrize(
    ("watched", "duration", "enough"),
    [(54.0, 60.0, True), (53.9, 60.0, False), (60.0, 60.0, True), (0.0, 0.0, False), (5.0, 0.0, False)],
)
def test_nine_tenths_are_enough(watched: float, duration: float, enough: bool) -> None:
    assert is_enough([(0.0, watched)], duration) is enough


def test_who_has_watched_all_has_done_so_though_each_pause_has_an_edge() -> None:
    between_pauses = [(at, at + 59.7) for at in range(0, 600, 60)]
    assert is_enough(between_pauses, 600.0, 1.0)
    assert not is_enough(between_pauses[:-1], 600.0, 1.0)
