"""Numbers that wrap."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.capture.wraps import Unwrapper


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
