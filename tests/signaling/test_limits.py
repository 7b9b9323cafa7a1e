"""The token bucket that bounds a connection's events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.limits import TokenBucket


def test_a_burst_passes_and_the_next_event_waits() -> None:
    bucket = TokenBucket.full(burst=3, rate=2, now=10.0)
    assert [bucket.take(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_after_the_wait_it_was_told_an_event_passes() -> None:
    bucket = TokenBucket.full(burst=1, rate=4, now=0.0)
    bucket.take(0.0)
    wait = bucket.take(0.0)
    assert bucket.take(wait) == 0.0


def test_a_trickle_below_the_rate_is_never_refused() -> None:
    bucket = TokenBucket.full(burst=2, rate=20, now=0.0)
    assert all(bucket.take(number * 0.05) == 0.0 for number in range(1, 2000))


def test_a_refused_event_costs_nothing() -> None:
    bucket = TokenBucket.full(burst=1, rate=1, now=0.0)
    bucket.take(0.0)
    for _ in range(50):
        bucket.take(0.5)
    assert bucket.take(1.0) == 0.0


def test_a_clock_that_stands_or_runs_back_gives_no_tokens() -> None:
    bucket = TokenBucket.full(burst=1, rate=1, now=100.0)
    bucket.take(100.0)
    assert bucket.take(50.0) == pytest.approx(1.0)


@given(
    events=st.lists(
        st.tuples(st.floats(0, 5, allow_nan=False), st.floats(0.1, 20, allow_nan=False)), max_size=200
    )
)
def test_in_any_stretch_no_more_passes_than_burst_and_rate_allow(events: list[tuple[float, float]]) -> None:
    bucket = TokenBucket.full(burst=10, rate=3, now=0.0)
    now = passed = 0.0
    for pause, cost in events:
        now += pause
        if bucket.take(now, cost) == 0.0:
            passed += cost
    assert passed <= 10 + 3 * now + 1e-6
