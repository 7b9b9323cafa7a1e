"""The prompts "are you still there?": pure."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.viewing.attention import PATIENCE, Attention, answered, countable, watched
from tests.factories import EVENING

EVERY = timedelta(minutes=10)
ASKED = Attention(600, "one", EVENING)
LATE = EVENING + PATIENCE


@pytest.mark.parametrize(
    ("before", "seconds", "every", "after"),
    [
        (Attention(), 100, EVERY, Attention(100)),
        (Attention(590), 10, EVERY, Attention(600, "one", EVENING)),
        (Attention(590), -50, EVERY, Attention(590)),  # a clock set back
        (Attention(), 1e9, None, Attention()),  # this recording asks nobody
        (ASKED, 10, None, Attention()),  # it no longer does
        (Attention(600, "first", EVENING), 900, EVERY, Attention(600, "first", EVENING)),  # one at a time
    ],
)
def test_a_prompt_comes_after_so_much_watching(
    before: Attention, seconds: float, every: timedelta | None, after: Attention
) -> None:
    assert watched(before, seconds, every, "one", EVENING) == after


@pytest.mark.parametrize(
    ("since", "until", "seconds"),
    [(0, 60, 60), (60, 120, 60), (60, 180, 60), (120, 180, 0), (600, 9_000, 0), (60, 30, 0)],
)
def test_without_an_answer_nothing_counts_after_the_deadline(since: int, until: int, seconds: float) -> None:
    begin, end = (EVENING + timedelta(seconds=at) for at in (since, until))
    assert countable(ASKED, begin, end) == seconds


def test_an_answer_counts_for_its_own_prompt_alone() -> None:
    assert answered(ASKED, "one") == Attention()
    assert answered(ASKED, "another") == ASKED
    assert answered(Attention(30), "") == Attention(30)


@given(st.lists(st.tuples(st.floats(0, 120), st.booleans()), max_size=40))
def test_who_never_answers_is_credited_one_round_and_the_patience(
    reports: list[tuple[float, bool]],
) -> None:
    attention, now, counted, answers = Attention(), EVENING, 0.0, 0
    for seconds, answers_now in reports:
        since, now = now, now + timedelta(seconds=seconds)
        part = countable(attention, since, now)
        counted += part
        attention = watched(attention, part, EVERY, "one", now)
        if answers_now and attention.prompt:
            attention, answers = answered(attention, "one"), answers + 1
    # A report is told of at once, so a round may be longer by one report.
    most = (EVERY + PATIENCE + timedelta(seconds=120)).total_seconds()
    assert counted <= (answers + 1) * most
    assert attention.stopped(now) is (attention.deadline is not None and now > attention.deadline)
