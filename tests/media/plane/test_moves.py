"""A subscriber goes from one network into another: what the old line bore says nothing of the new one."""

import pytest

from tests.media.plane.links import SECOND, START, Link, steady
from tests.media.plane.town import Member, Town
from tests.media.plane.world import address

SMALL, LARGE = 120_000, 2_000_000  # bit/s of a lecturer's two sizes
WIDE, NARROW = 10e6, 400e3
MOVES = 10  # seconds


def wifi() -> Link:
    return Link(steady(WIDE), delay_us=10_000)


def mobile() -> Link:
    """Farther away, so that all of its packets would seem to wait when compared with Wi-Fi's."""
    return Link(steady(NARROW), delay_us=45_000)


class Walk:
    """One who attends a lecture, and goes out or comes home meanwhile."""

    def __init__(self, line: Link, *, seed: int = 1) -> None:
        self.town = Town(seed)
        self.member: Member = self.town.member(line, [self.town.sender(SMALL, LARGE)])
        self.town.run(MOVES)

    @property
    def size(self) -> int:
        return self.town.core.consumer_statistics(self.member.pictures[0]).spatial_layer

    def seconds(self) -> float:
        """Since the move."""
        return (self.town.now - START) / SECOND - MOVES

    def go(self, line: Link) -> None:
        self.town.move(self.member, line, back_us=line.delay_us)

    def missed(self) -> float:
        """Of the sound, since the move."""
        return self.member.missed(START + MOVES * SECOND, self.town.now - SECOND)

    def still(self) -> float:
        return self.member.eye(0).still(START + MOVES * SECOND, self.town.now)


@pytest.mark.parametrize("seed", range(3))
def test_from_a_wide_line_to_a_narrow_one_far_away(seed: int) -> None:
    walk = Walk(wifi(), seed=seed)
    assert walk.size == 1
    assert walk.member.budget > LARGE
    line = mobile()
    walk.go(line)
    walk.town.run(0.5)
    while walk.seconds() < 8:
        assert line.busy_until - walk.town.now < 0.2 * SECOND, "no flood at the old line's rate"
        assert walk.member.budget < 1.2 * NARROW or walk.seconds() > 2
        assert walk.size == 0
        walk.town.run(0.1)
    assert line.dropped == 0
    assert walk.missed() == 0
    assert walk.still() < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_from_a_narrow_line_to_a_wide_one_nearby(seed: int) -> None:
    walk = Walk(mobile(), seed=seed)
    assert walk.size == 0
    walk.go(wifi())
    while walk.member.budget < LARGE or walk.size != 1:
        walk.town.run(0.1)
        assert walk.seconds() < 5
    walk.town.run(5)
    assert walk.size == 1
    assert walk.missed() == 0
    assert walk.still() < 0.5


def test_another_port_is_the_same_line_and_another_host_is_not() -> None:
    walk = Walk(wifi())
    core, transport = walk.town.core, walk.member.client.transport
    before = core.transport_statistics(transport)
    assert before.budget_bps > LARGE
    assert before.rtt_us > 0
    for host, expected in ((1, (before.budget_bps, before.rtt_us)), (2, (300_000, 0))):
        core.set_remote_address(transport, address(60_000, host=host))
        core.advance(walk.town.now)
        known = core.transport_statistics(transport)
        assert (known.budget_bps, known.rtt_us) == expected
