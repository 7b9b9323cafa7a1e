"""The number of rooms that take a given share of the server's core is found in a few looks."""

from collections.abc import Callable

import pytest

from bench.rooms import FIRST_ROOMS, MOST_ROOMS, next_number


def search(takes: Callable[[int], float], share: float) -> dict[int, float]:
    """What is tried, in order."""
    looks: dict[int, float] = {}
    wanted = FIRST_ROOMS
    while wanted not in looks:
        looks[wanted] = takes(wanted)
        wanted = next_number(looks, share)
    return looks


@pytest.mark.parametrize(
    "takes",
    [
        lambda rooms: 0.02 * rooms,
        lambda rooms: 0.15 + 0.012 * rooms,  # something whatever the number
        lambda rooms: 0.07 * rooms**0.65,  # ever less for each
        lambda rooms: min(0.3 * rooms, 1.0),  # the first try is too much
    ],
)
def test_the_share_is_found_in_a_few_looks(takes: Callable[[int], float]) -> None:
    looks = search(takes, 0.7)
    assert min(abs(each - 0.7) for each in looks.values()) <= max(0.02, takes(2) - takes(1))
    assert len(looks) <= 6


def test_what_the_machine_does_not_give_is_not_looked_for_for_ever() -> None:
    looks = search(lambda rooms: 0.12 + 0.01 * (rooms % 3), 0.7)
    assert max(looks) <= MOST_ROOMS
    assert len(looks) <= 8
