"""How long recordings are kept and how full the room is: pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.upkeep.quota import Fullness, Room
from recordings.upkeep.retention import (
    FOR_EVER,
    NOTICE,
    WARNING,
    Keeping,
    deletes_at,
    due_at,
    is_night,
    keep_days,
    may_go,
    must_warn,
    notice_left,
)
from rooms.meetings.states import MeetingKind

ENDED = datetime(2026, 1, 1, tzinfo=UTC)
LECTURE, THEME = MeetingKind.LECTURE, MeetingKind.THEME_DAY
times = st.integers(0, 3_000).map(lambda hours: ENDED + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ([], 7),
        ([Keeping()], 7),
        ([Keeping(30)], 30),
        ([Keeping(30, {LECTURE: 90})], 90),
        ([Keeping(30, {THEME: 90})], 30),
        ([Keeping(), Keeping(60)], 60),
        ([Keeping(30), Keeping(60, {LECTURE: 5})], 30),  # the nearest that says anything
        ([Keeping(FOR_EVER), Keeping(60)], FOR_EVER),  # for ever is something to say
        ([Keeping(None, {THEME: 1}), Keeping(60)], 60),
    ],
)
def test_the_nearest_word_counts(rules: list[Keeping], days: int) -> None:
    assert keep_days(LECTURE, rules, 7) == days


@given(st.integers(0, 60), times, st.none() | st.integers(0, 10**6), st.integers(0, 3 * 10**6))
def test_nothing_goes_before_the_rule_and_the_notice(
    days: int, now: datetime, warned_uptime: int | None, ran: int
) -> None:
    """The clock may show whatever it likes: what is left of the notice does not hear of it."""
    due = due_at(ENDED, days)
    uptime = (warned_uptime or 0) + ran
    left = notice_left(warned_uptime, uptime)
    if may_go(due, left, now):
        assert days != FOR_EVER
        assert now >= ENDED + timedelta(days=days)
        assert warned_uptime is not None
        assert timedelta(seconds=ran) >= NOTICE
        assert must_warn(due, now)
    shown = deletes_at(due, left, now)
    assert (shown is None) is (days == FOR_EVER)
    if shown is not None and warned_uptime is not None:
        passed = round((shown - now).total_seconds())
        assert may_go(due, notice_left(warned_uptime, uptime + passed), shown)
        if passed:
            earlier = notice_left(warned_uptime, uptime + passed - 1)
            assert not may_go(due, earlier, shown - timedelta(seconds=1))


def test_a_rule_made_shorter_still_gives_notice() -> None:
    now = ENDED + timedelta(days=500)
    due = due_at(ENDED, 30)
    assert must_warn(due, now)
    assert not may_go(due, notice_left(None, 10**9), now)
    assert deletes_at(due, notice_left(None, 10**9), now) == now + NOTICE


def test_it_is_announced_in_good_time() -> None:
    due = ENDED + timedelta(days=365)
    assert not must_warn(due, due - WARNING - timedelta(seconds=1))
    assert must_warn(due, due - WARNING)
    assert WARNING > NOTICE


@pytest.mark.parametrize(("hour", "night"), [(0, False), (1, True), (4, True), (5, False), (12, False)])
def test_the_night_is_short(hour: int, *, night: bool) -> None:
    assert is_night(datetime(2026, 1, 1, hour, 30, tzinfo=UTC)) is night


@pytest.mark.parametrize(
    ("used", "quota", "fullness"),
    [
        (10**15, None, Fullness.FINE), (0, 100, Fullness.FINE), (79, 100, Fullness.FINE), (80, 100, Fullness.FILLING),
        (90, 100, Fullness.NEARLY_FULL), (99, 100, Fullness.NEARLY_FULL), (100, 100, Fullness.FULL),
        (109, 100, Fullness.FULL), (110, 100, Fullness.EXHAUSTED), (500, 100, Fullness.EXHAUSTED),
    ],
)  # fmt: skip
def test_the_room_fills_in_steps(used: int, quota: int | None, fullness: Fullness) -> None:
    assert Room(used, quota).fullness is fullness
