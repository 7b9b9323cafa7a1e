"""Who comes in over a line that bears a voice and the smallest picture, and not what everybody begins with."""

import pytest

from tests.media.plane.links import SECOND, Link, steady
from tests.media.plane.town import Member, Town


@pytest.mark.parametrize("seed", [0, 2])
def test_a_queue_that_was_filled_in_the_first_half_second_is_emptied(seed: int) -> None:
    line = Link(steady(200_000), delay_us=25_000, queue_bytes=10_000, seed=seed)  # 0.4 s of queue
    member, came = attends(line, seed, 9)
    assert member.missed(came + 3 * SECOND, came + 8 * SECOND) == 0
    assert member.eye(0).rate(came + 3 * SECOND, came + 8 * SECOND) > 5


@pytest.mark.parametrize("seed", [0, 5])
def test_a_larger_picture_that_a_probe_has_shown_to_be_too_much_is_not_tried(seed: int) -> None:
    """Its key frame alone would keep the sound waiting for half a second, again and again."""
    member, came = attends(Link(steady(300_000), queue_us=400_000, seed=seed), seed, 21)
    assert member.missed(came + SECOND, came + 20 * SECOND) < 0.002
    assert member.eye(0).rate(came + SECOND, came + 20 * SECOND) > 18


@pytest.mark.parametrize("seed", [0, 2])
def test_sound_is_not_sent_twice_where_a_queue_grows_and_nothing_is_lost(seed: int) -> None:
    member, came = attends(Link(steady(200_000), queue_us=1_500_000, seed=seed), seed, 9)
    assert member.copies(came + 3 * SECOND, came + 8 * SECOND) == 0
    assert member.missed(came + 5 * SECOND, came + 8 * SECOND) == 0


def attends(line: Link, seed: int, seconds: float) -> tuple[Member, int]:
    """Who comes to a lecture over that line and stays so long, and when he came."""
    town = Town(seed)
    lecturer = town.sender(110_000, 350_000, 1_100_000)
    town.run(5)
    came = town.now
    member = town.member(line, [lecturer])
    town.run(seconds)
    return member, came
