"""A subscriber on a line of ten megabits that narrows: from his reports to what he is sent, through the whole plane."""

import pytest

from tests.media.plane.links import SECOND, START, Link
from tests.media.plane.town import Estimating, Member, Town

SMALL, LARGE = 120_000, 5_000_000  # bit/s of both cameras
WIDE, NARROW = 10e6, 250e3
COMES, NARROWS = 1, 8  # seconds after the cameras


class Screening:
    """Two cameras in two sizes, of which the large ones are more than a line is taken to bear at first."""

    def __init__(self, *, seed: int, queue_us: int = 400_000, kind: type[Member] = Member) -> None:
        self.town = Town(seed)
        line = Link(lambda seconds: WIDE if seconds < NARROWS else NARROW, queue_us=queue_us)
        people = [self.town.sender(SMALL, LARGE) for _ in range(2)]
        self.town.run(COMES)
        self.member = self.town.member(line, people, kind=kind)

    def until(self, seconds: float) -> None:
        self.town.run(seconds - (self.town.now - START) / SECOND)

    @property
    def sizes(self) -> list[int]:
        return [self.town.core.consumer_statistics(one).spatial_layer for one in self.member.pictures]


@pytest.mark.parametrize(("seed", "queue_us"), [(1, 100_000), (2, 400_000), (3, 400_000)])
def test_it_is_found_by_probes_while_little_is_sent_and_left_within_two_seconds(
    seed: int, queue_us: int
) -> None:
    screening = Screening(seed=seed, queue_us=queue_us)
    town, member = screening.town, screening.member
    while member.budget < 0.8 * WIDE:
        town.run(0.1)
        assert 1 not in screening.sizes, "what has been found so far bears no large picture"
        assert town.now < START + (COMES + 5) * SECOND
    sent = town.core.transport_statistics(member.client.transport)
    assert sent.probes_sent >= 3
    assert sent.probe_bytes_sent < 100_000
    screening.until(NARROWS)
    assert 1 in screening.sizes
    assert min(member.budget, WIDE) > LARGE, "the key frame of the large one is not taken for overuse"
    screening.until(NARROWS + 2)
    while town.now < START + (NARROWS + 5) * SECOND:
        assert member.budget < 300e3
        town.run(0.1)
    assert 1 not in screening.sizes


def test_who_estimates_it_himself_is_sent_what_he_says() -> None:
    """By REMB alone, of each picture by itself."""
    screening = Screening(seed=1, kind=Estimating)
    screening.until(NARROWS)
    assert screening.member.budget > 0.5 * WIDE
    assert 1 in screening.sizes
    screening.until(NARROWS + 2)
    assert 0 < screening.member.budget < 300e3
    assert 1 not in screening.sizes
    screening.until(NARROWS + 4)
    assert 0 < screening.member.budget < 300e3
