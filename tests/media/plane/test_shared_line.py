"""Whole subscribers on poor lines, and many on one: what they hear and see, on simulated time."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.media.plane.links import SECOND, START, Link, steady
from tests.media.plane.town import Member, Sender, Town

SMALL, LARGE = 120_000, 500_000  # bit/s of a lecturer's two sizes
FACE = 60_000
PRIORITY = 200
NEAR_US = 1_000
QUEUE = 50_000  # bytes


def at(seconds: float) -> int:
    return START + int(seconds * SECOND)


class Lecture:
    """One who speaks and is seen, and one who attends over a line."""

    def __init__(self, line: Link, *, seed: int, back_us: int = NEAR_US) -> None:
        self.town = Town(seed)
        self.lecturer = self.town.sender(SMALL, LARGE)
        self.member = self.town.member(line, [self.lecturer], back_us=back_us)

    @property
    def size(self) -> int:
        return self.town.core.consumer_statistics(self.member.pictures[0]).spatial_layer

    def until_size(self, size: int, seconds: float) -> float:
        """When the picture has that size."""
        while self.size != size:
            self.town.run(0.1)
            assert self.town.now < at(seconds), f"size {size} has not come"
        return (self.town.now - START) / SECOND


@pytest.mark.parametrize("seed", range(3))
def test_the_picture_follows_a_line_that_narrows_and_widens_and_never_stands_still(seed: int) -> None:
    line = Link(lambda s: 400e3 if 12 < s < 24 else 2e6, delay_us=NEAR_US, queue_bytes=QUEUE)
    lecture = Lecture(line, seed=seed)
    lecture.town.run(12)
    assert lecture.size == 1
    lecture.until_size(0, 14)
    lecture.town.run(11)
    assert lecture.size == 0
    lecture.until_size(1, 40)
    lecture.town.run(5)
    assert lecture.member.eye(0).still(at(3), lecture.town.now) < 1
    assert lecture.member.missed(at(15), at(24)) == 0, "once it has settled every word is heard"


@pytest.mark.parametrize(("bps", "size"), [(500e3, 0), (1e6, 1)])
def test_who_joins_over_a_narrow_line_with_a_long_queue_hears_from_the_first_second_on(
    bps: float, size: int
) -> None:
    """The smallest picture comes first: a larger one's key frame would stand before the sound for half a second."""
    town = Town(1)
    lecturer = town.sender(110_000, 350_000, 1_100_000)
    town.run(5)
    joined = town.now
    member = town.member(Link(steady(bps), queue_us=400_000), [lecturer], back_us=25_000)
    town.run(0.2)
    assert town.core.consumer_statistics(member.pictures[0]).spatial_layer == 0
    town.run(9)
    assert member.missed(joined, joined + SECOND) < 0.05
    assert member.missed(joined + SECOND, joined + 8 * SECOND) < 0.02
    assert member.eye(0).rate(joined, joined + SECOND) > 12
    assert town.core.consumer_statistics(member.pictures[0]).spatial_layer >= size


@pytest.mark.parametrize("seed", range(3))
def test_sound_catches_up_with_a_line_that_has_become_very_narrow(seed: int) -> None:
    """While it was found full its queue grew to 2.7 seconds."""
    line = Link(lambda s: 2e6 if s < 12 else 150e3, delay_us=NEAR_US, queue_bytes=QUEUE)
    lecture = Lecture(line, seed=seed)
    lecture.town.run(30)
    assert lecture.member.missed(at(18), at(29)) < 0.01
    assert lecture.member.eye(0).still(at(12), at(29)) < 5


@pytest.mark.parametrize("seed", range(1, 4))
def test_on_a_very_narrow_line_the_lesser_of_two_pictures_pauses_and_both_come_back_with_it(
    seed: int,
) -> None:
    town = Town(seed)
    bps = [2e6]
    line = Link(lambda _: bps[-1], delay_us=NEAR_US, queue_bytes=12_000)
    member = town.member(line, [town.sender(SMALL, LARGE, speaking=False), town.sender(SMALL)])
    main, other = member.pictures
    town.core.set_priority(main, PRIORITY)
    town.run(12)
    bps.append(180e3)
    passes(town, 2, lambda: layers(town, other) == (-1, -1))
    narrowed = town.now
    town.run(5)
    since = town.now
    town.run(5)
    assert member.missed(since, town.now - SECOND // 2) < 0.01
    assert member.eye(0).still(narrowed, town.now) < 9, "it may pause while the queue empties"
    assert layers(town, main)[0] == 0
    assert layers(town, other) == (-1, -1)
    bps.append(2e6)
    passes(town, 30, lambda: layers(town, main)[0] == 1 and layers(town, other) == (0, 2))


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_line_that_just_bears_the_main_picture_keeps_it(seed: int) -> None:
    """It came for half a second and went again: its key frame was taken for more than the line bears."""
    town = Town(seed)
    line = Link(lambda s: 2e6 if s < 10 else 150e3, queue_bytes=25_000)
    people = [town.sender(SMALL, LARGE), *(town.sender(110_000, speaking=False) for _ in range(2))]
    member = town.member(line, people)
    main = member.pictures[0]
    town.core.set_priority(main, PRIORITY)
    town.run(15)
    there = []
    for _ in range(600):
        town.run(0.1)
        there.append(layers(town, main)[0] == 0)
    assert sum(before and not after for before, after in pairwise(there)) <= 1
    assert sum(there) > 0.8 * len(there)
    assert member.missed(at(15), town.now - SECOND // 2) < 0.02


def layers(town: Town, consumer: int) -> tuple[int, int]:
    """Size and temporal layer that it gets, as its client is told; -1 for none."""
    now = town.core.consumer_statistics(consumer)
    return now.spatial_layer, now.temporal_layer


def passes(town: Town, seconds: float, condition: Callable[[], bool]) -> None:
    """Let time pass until it is so, which takes no longer than that."""
    latest = town.now + seconds * SECOND
    while not condition():
        town.run(0.1)
        assert town.now < latest


@pytest.mark.parametrize("seed", range(3))
def test_after_eight_seconds_without_the_line_there_is_a_picture_within_one(seed: int) -> None:
    line = Link(lambda s: 0 if 12 < s < 20 else 2e6, delay_us=NEAR_US, queue_bytes=QUEUE)
    lecture = Lecture(line, seed=seed)
    lecture.town.run(30)
    assert lecture.member.eye(0).still(at(11), at(21)) < 9.2
    assert lecture.member.eye(0).still(at(21.5), at(29)) < 1
    assert lecture.member.missed(at(21), at(29)) < 0.01


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("away", [3, 8, 20])
def test_the_picture_comes_back_where_nobody_says_a_word(away: int, seed: int) -> None:
    """Once it has paused nothing is sent that could be reported."""
    line = Link(lambda s: 0 if 12 < s < 12 + away else 2e6, delay_us=NEAR_US, queue_bytes=QUEUE)
    lecture = Lecture(line, seed=seed)
    lecture.town.core.set_producer_paused(lecture.lecturer.microphone, True)
    lecture.town.run(12 + away + 10)
    assert lecture.member.eye(0).still(at(11), at(12 + away + 3)) < away + 2
    assert lecture.member.eye(0).still(at(12 + away + 3), at(12 + away + 9)) < 1
    assert lecture.size == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("narrow", "loss"),
    [(2e6, 0.8), (100e3, 0.0)],
    ids=["loses nearly everything", "drops what it does not bear"],
)
def test_what_was_lost_last_does_not_keep_the_picture_away_where_nobody_says_a_word(
    narrow: float, loss: float, seed: int
) -> None:
    """All of it was reported: the line was never dead."""
    line = Link(lambda s: narrow if 12 < s < 20 else 2e6, delay_us=NEAR_US, queue_us=40_000, seed=seed)
    lecture = Lecture(line, seed=seed)
    lecture.town.core.set_producer_paused(lecture.lecturer.microphone, True)
    lecture.town.run(12)
    line.loss = loss
    lecture.town.run(8)
    line.loss = 0
    lecture.town.run(16)
    assert lecture.member.eye(0).still(at(26), at(36)) < 1
    assert lecture.size == 1


@pytest.mark.parametrize("seed", range(2))
def test_four_whom_a_narrow_line_left_without_a_picture_all_have_it_again_where_nobody_says_a_word(
    seed: int,
) -> None:
    town = Town(seed)
    line = Link(lambda s: 100e3 if 12 < s < 20 else 2e6, delay_us=NEAR_US, queue_bytes=QUEUE, seed=seed)
    lecturer = town.sender(SMALL)
    members = [town.member(line, [lecturer], back_us=NEAR_US) for _ in range(4)]
    town.core.set_producer_paused(lecturer.microphone, True)
    town.run(45)
    assert max(member.eye(0).still(at(35), at(45)) for member in members) < 1


@pytest.mark.parametrize("seed", range(2))
def test_who_is_sent_nothing_has_no_say_in_whether_a_line_is_shared(seed: int) -> None:
    """Six more at the same address have paused everything and see no queue: who sees one was taken for a minority."""
    town = Town(seed + 1)
    line = Link(lambda s: 4e6 if s < 10 else 600e3, delay_us=10_000, queue_us=600_000, seed=seed + 1)
    lecturer = town.sender(FACE, LARGE)
    watching = [town.member(line, [lecturer]) for _ in range(4)]
    resting = [town.member(line, [lecturer]) for _ in range(6)]
    town.run(6)
    for member in resting:
        for consumer in [*member.pictures, *(ear.consumer for ear in member.ears.values())]:
            town.core.set_consumer_paused(consumer, True)
    town.run(34)
    assert max(member.eye(0).still(at(12), at(40)) for member in watching) < 4


@pytest.mark.parametrize("seed", range(3))
def test_a_member_far_away_whose_line_loses_a_tenth_hears_and_sees(seed: int) -> None:
    line = Link(steady(1e9), delay_us=75_000, loss=0.1, seed=seed)
    lecture = Lecture(line, seed=seed, back_us=75_000)
    lecture.town.run(30)
    assert lecture.member.missed(at(1), at(6)) < 0.03, "while it is not yet known whose doing the loss is"
    assert lecture.member.missed(at(5), at(29)) < 0.008, (
        "a frame is missing only where three in a row are lost"
    )
    assert lecture.member.eye(0).rate(at(5), at(29)) > 15
    assert lecture.member.copies(at(20), at(29)) > 0.8, "loss that is nobody's doing is what copies are for"


def test_a_queue_does_not_end_the_copies_where_the_line_lost_before_it_grew() -> None:
    """With this seed the first large picture fills the line for a moment, in the third second."""
    line = Link(steady(2e6), delay_us=75_000, loss=0.1, seed=2)
    lecture = Lecture(line, seed=2, back_us=75_000)
    lecture.town.run(6)
    assert lecture.member.copies(at(1), at(6)) == 1
    assert lecture.member.missed(at(1), at(6)) < 0.04


def test_loss_by_a_full_queue_calls_for_no_copies_of_the_sound() -> None:
    """They would make it worse. The line is clean, then too narrow for the camera that is on it already."""
    line = Link(lambda s: 2e6 if s < 14 else 250e3, delay_us=NEAR_US, queue_bytes=10_000)
    lecture = Lecture(line, seed=1)
    lecture.town.run(14)
    assert lecture.member.copies(at(13), at(14)) == 0
    lecture.town.run(10)
    assert line.dropped > 10
    assert lecture.member.copies(at(14), at(23)) == 0


def test_where_no_picture_fits_any_more_the_copies_of_the_sound_make_room_for_it() -> None:
    """A short queue loses something of each large key frame: until then the line looked like one that loses."""
    bps = [2e6]
    town = Town(0)
    line = Link(lambda _: bps[-1], delay_us=NEAR_US, queue_bytes=12_000)
    camera = town.sender(110_000, 350_000, 1_100_000, speaking=False)
    member = town.member(line, [camera, town.sender(110_000)], back_us=NEAR_US)
    town.core.set_priority(member.pictures[0], PRIORITY)
    town.run(12)
    bps.append(180e3)
    narrowed = town.now
    town.run(6)
    assert member.copies(narrowed, narrowed + SECOND) > 0.7
    assert member.copies(narrowed + 3 * SECOND, town.now) == 0
    assert member.eye(0).still(narrowed, town.now) < 5


class ReadingRoom:
    """Twelve people behind one line, each with a camera and a microphone; all watch a lecturer, and each other."""

    PEOPLE = 12

    def __init__(self, line: Link, *, seed: int) -> None:
        self.town = Town(seed)
        self.lecturer = self.town.sender(SMALL, LARGE, speaking=False)
        self.people = [self.town.sender(FACE, speaking=False) for _ in range(self.PEOPLE)]
        self.members: list[Member] = []
        for me in self.people:
            others: list[Sender] = [person for person in self.people if person is not me]
            self.members.append(self.town.member(line, [self.lecturer, *others]))
            self.town.core.set_priority(self.members[-1].pictures[0], PRIORITY)
            self.town.run(0.4)

    def talk(self, seconds: int) -> None:
        """One after the other, a second each."""
        for turn in range(seconds):
            self.people[turn % self.PEOPLE].speaking = True
            self.town.run(1)
            self.people[turn % self.PEOPLE].speaking = False


@pytest.mark.parametrize(
    "seed", [1, 14, 20, 302]
)  # in the second and third one of them takes a burst for a full line
def test_twelve_on_one_line_hear_each_other_and_share_what_is_left(seed: int) -> None:
    line = Link(steady(2e6), queue_bytes=60_000)
    room = ReadingRoom(line, seed=seed)
    came = room.town.now
    room.talk(10)
    since = room.town.now
    room.talk(30)
    until = room.town.now - SECOND
    lecturer = [one.eye(0) for one in room.members]
    assert max(eye.still(came, since) for eye in lecturer) < 2.5, "while all are coming, too"
    assert max(eye.still(since, until) for eye in lecturer) < 1
    assert min(eye.rate(since, until) for eye in lecturer) > 4, "everybody sees the lecturer move"
    assert sum(eye.rate(since, until) for eye in lecturer) > 55
    assert max(one.missed(since, until) for one in room.members) < 0.02
    budgets = sorted(one.budget for one in room.members)
    assert budgets[-1] < 2 * budgets[0], "nobody takes the line for himself"


def test_while_key_frames_rest_who_lost_the_thread_is_given_the_last_one_again() -> None:
    """On a full line that several share a new one would go to all of them."""
    town = Town(1)
    lecturer = town.sender(SMALL, LARGE)
    line = Link(steady(450e3), queue_bytes=14_000)
    members = [town.member(line, [lecturer]) for _ in range(3)]
    town.run(15)
    keys = -1
    while keys != lecturer.keys:  # the last one is older than any rest
        keys = lecturer.keys
        town.run(3)
    eye = members[0].eye(0)
    eye.waits_key = True
    town.run(2)
    assert lecturer.keys == keys + 1
    assert not eye.waits_key
    eye.waits_key = True
    town.run(0.7)
    assert lecturer.keys == keys + 1
    assert not eye.waits_key


def test_the_same_address_is_not_yet_the_same_line() -> None:
    """A carrier's: one behind it has a line that is full, and the other one has his own."""
    town = Town(1)
    lecturer = town.sender(SMALL, LARGE)
    poor = town.member(Link(steady(250e3), queue_bytes=10_000), [lecturer])
    rich = town.member(Link(steady(4e6), queue_bytes=QUEUE), [lecturer])
    town.run(30)
    assert town.core.transport_statistics(poor.client.transport).overuses, "his line has been found full"
    assert rich.budget > 600e3
    assert rich.eye(0).rate(at(10), town.now) > 19
    assert rich.eye(0).still(at(5), town.now) < 0.5
