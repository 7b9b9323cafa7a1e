"""How often one address may."""

import pytest

from errors import Kind, Problem
from web.throttle import Throttle


class Seconds:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_the_burst_one_waits_and_is_told_how_long() -> None:
    clock = Seconds()
    throttle = Throttle(clock, burst=2, seconds=30)
    throttle.take("a")
    throttle.take("a")
    with pytest.raises(Problem) as caught:
        throttle.take("a")
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.details == {"retryAfter": 30}
    clock.now += 29.5
    with pytest.raises(Problem):
        throttle.take("a")
    clock.now += 0.5
    throttle.take("a")


def test_addresses_do_not_share() -> None:
    throttle = Throttle(Seconds(), burst=1, seconds=30)
    throttle.take("a")
    throttle.take("b")


def test_a_long_rest_gives_no_more_than_the_burst() -> None:
    clock = Seconds()
    throttle = Throttle(clock, burst=2, seconds=1)
    throttle.take("a")
    clock.now += 3600
    throttle.take("a")
    throttle.take("a")
    with pytest.raises(Problem):
        throttle.take("a")


def test_memory_is_bounded() -> None:
    throttle = Throttle(Seconds(), burst=1, seconds=30, keys=3)
    for key in "abcd":
        throttle.take(key)
    throttle.take("a")  # forgotten, so it begins anew
    with pytest.raises(Problem):
        throttle.take("d")
