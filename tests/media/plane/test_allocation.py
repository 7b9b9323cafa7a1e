"""The division of a subscriber's bandwidth, by itself: tables, and what must hold for any demands and any path."""

import itertools
import random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.plane import estimation

ANY = 255
STEP_US = 100_000
BEGUN_STEPS = 30  # in which the main picture is not taken away again

# Three sizes with three temporal layers each, as a camera is sent: cumulative kbit/s.
CAMERA = {0: 60, 1: 80, 2: 110, 4: 150, 5: 220, 6: 350, 8: 500, 9: 700, 10: 1100}
PAGE = {0: 400, 1: 600, 2: 900}  # a shared screen: one size


class Row(NamedTuple):
    """One video that is watched."""

    ladder: dict[int, int] = CAMERA
    priority: int = 100
    spatial: int = ANY
    temporal: int = ANY


def sharing(*rows: Row) -> estimation.Share:
    """Of the demands, ordered as the plane keeps them."""
    ranked = sorted(rows, key=lambda row: -row.priority)
    return estimation.Share(
        [(r.priority, [r.ladder.get(k, 0) * 1000 for k in range(16)], r.spatial, r.temporal) for r in ranked]
    )


def costs(rows: list[Row], rungs: list[int | None]) -> list[int]:
    """In kbit/s."""
    ranked = sorted(rows, key=lambda row: -row.priority)
    return [0 if rung is None else row.ladder[rung] for row, rung in zip(ranked, rungs, strict=True)]


def test_a_first_guess_gives_nobody_more_than_his_smallest_size() -> None:
    shared = sharing(Row(), Row(ladder=PAGE), Row(ladder={4: 150, 6: 350, 10: 1100}))
    assert shared.divide(20_000_000, known=False) == [2, 2, 6]
    assert shared.divide(800_000, 2 * STEP_US, known=False) == [2, 0, 4]


@pytest.mark.parametrize(
    ("kbps", "rows", "rungs"),
    [
        (10_000, [Row()], [10]),
        (1_100, [Row()], [10]),
        (1_099, [Row()], [9]),  # fewer frames before a smaller picture
        (699, [Row()], [6]),  # but no large picture at a quarter of the rate
        (109, [Row()], [1]),
        (60, [Row()], [0]),
        (59, [Row()], [None]),
        (0, [Row()], [None]),
        (10_000, [Row(spatial=0)], [2]),
        (10_000, [Row(spatial=1, temporal=1)], [5]),
        (10_000, [Row(temporal=0)], [8]),
        (10_000, [Row(ladder={4: 100, 8: 300}, spatial=0)], [4]),  # the least that is sent
        (10_000, [Row(ladder={})], [None]),
        (400, [Row(), Row(), Row()], [2, 2, 2]),  # everybody's least, then each in turn
        (230, [Row(), Row(), Row()], [1, 1, 0]),
        (130, [Row(), Row(), Row()], [0, 0, None]),  # the last of equals pauses
        (600, [Row(), Row(priority=200)], [6, 5]),  # the first of the answer is the dearer one
        (175, [Row(), Row(priority=200)], [2, 0]),
        (160, [Row(), Row(priority=200)], [2, None]),  # the main picture moves well before others appear
        (1_300, [Row(), Row(ladder=PAGE, priority=200)], [2, 6]),
        (350, [Row(), Row(ladder=PAGE, priority=200)], [None, 6]),  # the page does not fit, the person does
        (2_000, [Row(spatial=0)] * 20, [2] * 13 + [1] * 7),  # a grid on a reading room's line
    ],
)
def test_bandwidth_is_divided(kbps: int, rows: list[Row], rungs: list[int | None]) -> None:
    assert sharing(*rows).divide(kbps * 1000) == rungs


@st.composite
def ladders(draw: st.DrawFn) -> dict[int, int]:
    """Any publisher: some layers, dearer the higher they are, perhaps the lower ones not sent."""
    sizes = draw(st.integers(1, 4))
    skipped = draw(st.integers(0, sizes - 1))
    frames = draw(st.integers(1, 4))
    ladder, cost = {}, 0
    for spatial in range(skipped, sizes):
        base = cost if spatial == skipped else cost // 2
        for temporal in range(frames):
            base += draw(st.integers(1, 400))
            ladder[spatial * 4 + temporal] = base
        cost = base
    return ladder


rows = st.lists(
    st.builds(
        Row,
        ladder=ladders(),
        priority=st.sampled_from((1, 50, 100, 200, 255)),
        spatial=st.integers(0, 4),
        temporal=st.integers(0, 4),
    ),
    min_size=1,
    max_size=12,
)


def moving(row: Row, left: int) -> int:
    """What the smallest size takes with as many frames as fit."""
    smallest = next(iter(row.ladder)) // 4
    return max(
        (
            cost
            for rung, cost in row.ladder.items()
            if rung // 4 == smallest and rung % 4 <= row.temporal and cost <= left
        ),
        default=0,
    )


@settings(max_examples=150, deadline=None)
@given(rows, st.integers(0, 6_000))
def test_a_division_fits_and_respects_priority(watched: list[Row], kbps: int) -> None:
    shared = sharing(*watched)
    rungs = shared.divide(kbps * 1000)
    spent = costs(watched, rungs)
    ranked = sorted(watched, key=lambda row: -row.priority)
    assert sum(spent) <= kbps
    assert rungs == sharing(*watched).divide(kbps * 1000), "the same demands, the same answer"
    left = kbps
    for place, (row, cost) in enumerate(zip(ranked, spent, strict=True)):
        least = next(iter(row.ladder.values()))
        assert (cost > 0) == (least <= left), "each gets its least before anybody behind it gets anything"
        if place == 0 and len(ranked) > 1 and row.priority > ranked[1].priority:
            least = moving(row, left)
        left -= least if cost else 0


@settings(max_examples=150, deadline=None)
@given(rows, st.integers(0, 6_000), st.sampled_from((50, 100, 200, 255)))
def test_nobody_loses_to_a_lower_priority(watched: list[Row], kbps: int, priority: int) -> None:
    """Of those below only the least counts: what more they would like changes nothing above them."""
    modest = [
        row if row.priority >= priority else row._replace(ladder=dict([next(iter(row.ladder.items()))]))
        for row in watched
    ]
    important = sum(row.priority >= priority for row in watched)
    rungs = sharing(*watched).divide(kbps * 1000)
    assert rungs[:important] == sharing(*modest).divide(kbps * 1000)[:important]


@settings(max_examples=100, deadline=None)
@given(rows, st.lists(st.integers(0, 6_000), min_size=1, max_size=60))
def test_no_history_makes_a_division_exceed_the_path(watched: list[Row], path: list[int]) -> None:
    shared = sharing(*watched)
    main = max(watched, key=lambda row: row.priority)
    for index, kbps in enumerate(path):
        rungs = shared.divide(kbps * 1000, (index + 1) * STEP_US * 5)
        held = max(next(iter(row.ladder.values())) / (1 if row == main else 2) for row in watched)
        assert sum(costs(watched, rungs)) <= kbps + held, (
            "but for half of one picture's least, for a while, or the main one's"
        )


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(60, 4_000), st.integers(0, 1 << 32))
def test_a_path_that_swings_by_little_settles(videos: int, kbps: int, seed: int) -> None:
    """An estimate that moves by six percent around any value: after the first seconds next to nothing changes."""
    shared = sharing(*[Row()] * videos)
    dice = random.Random(seed)  # noqa: S311  a path, not a secret
    history = [shared.divide(kbps * dice.randint(940, 1060), (index + 1) * STEP_US) for index in range(600)]
    assert falls(history[100:]) <= 2 * videos


def falls(history: list[list[int | None]]) -> int:
    """How often a video went down."""
    return sum(
        before is not None and (after is None or after < before)
        for one, next_ in itertools.pairwise(history)
        for before, after in zip(one, next_, strict=True)
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from((50, 100, 300, 900, 3_000)), min_size=60, max_size=60))
def test_no_path_makes_a_video_flap(path: list[int]) -> None:
    """Whatever happens each second, in a minute a picture falls a handful of times: what fell waits ever longer."""
    shared = sharing(Row(ladder={0: 90, 4: 280}))
    seconds = [kbps for kbps in path for _ in range(10)]
    assert falls([shared.divide(kbps * 1000, (i + 1) * STEP_US) for i, kbps in enumerate(seconds)]) <= 8


def test_going_up_needs_time_and_reserve_and_going_down_neither() -> None:
    shared = sharing(Row())
    now = itertools.count(STEP_US, STEP_US)
    assert shared.divide(350_000, next(now)) == [6], "at first at once"
    assert shared.divide(120_000, next(now)) == [2]
    for _ in range(50):
        assert shared.divide(240_000, next(now)) == [2], "220 would fit, but not with an eighth to spare"
    waited = [shared.divide(400_000, next(now)) for _ in range(12)]
    assert waited[:10] == [[2]] * 10
    assert waited[10:] == [[6], [6]]


def test_each_climb_taken_back_doubles_the_wait() -> None:
    shared = sharing(Row())
    now, waits = STEP_US, []
    shared.divide(110_000, now)
    for _ in range(6):
        steps = 0
        while shared.divide(600_000, now) != [6]:
            now += STEP_US
            steps += 1
        waits.append(steps)
        now += STEP_US
        assert shared.divide(110_000, now) == [2]
        now += STEP_US
    assert waits == [10, 20, 40, 80, 160, 160]


def test_who_has_nothing_waits_less_unless_it_was_a_mistake() -> None:
    shared = sharing(Row())
    now, waits = itertools.count(STEP_US, STEP_US), []
    for _ in range(3):
        for _ in range(BEGUN_STEPS):
            assert shared.divide(70_000, next(now)) == [0]
        assert shared.divide(10_000, next(now)) == [None]
        waits.append(1)
        while shared.divide(70_000, next(now)) == [None]:
            waits[-1] += 1
    assert waits == [4, 11, 11], "a quarter of a second; then a second, however often it was one"


def test_who_has_a_picture_keeps_it_for_a_while_though_half_of_it_is_missing() -> None:
    """To begin again costs a key frame."""
    shared = sharing(Row(), Row())
    now = itertools.count(STEP_US, STEP_US)
    assert shared.divide(120_000, next(now)) == [0, 0]
    held = [shared.divide(95_000, next(now)) for _ in range(60)]
    assert held[:50] == [[0, 0]] * 50, "five seconds"
    assert held[50:] == [[0, None]] * 10
    assert shared.divide(29_000, next(now)) == [None, None], "less than half of one"


def test_the_main_picture_s_own_key_frame_does_not_take_it_away_again() -> None:
    """That fills a narrow line, which then looks like one that bears nothing."""
    shared = sharing(Row(), Row(priority=200))
    now = itertools.count(STEP_US, STEP_US)
    assert shared.divide(10_000, next(now)) == [None, None]
    for _ in range(2):
        while shared.divide(70_000, next(now)) != [0, None]:
            pass
        held = [shared.divide(5_000, next(now)) for _ in range(2 * BEGUN_STEPS)]
        assert held == [[0, None]] * (BEGUN_STEPS - 1) + [[None, None]] * (BEGUN_STEPS + 1)


def test_of_a_lesser_picture_it_does() -> None:
    shared = sharing(Row(), Row(priority=200))
    now = itertools.count(STEP_US, STEP_US)
    assert shared.divide(110_000, next(now)) == [2, None]
    while shared.divide(200_000, next(now)) != [2, 0]:
        pass
    assert shared.divide(115_000, next(now)) == [2, None]


def test_while_no_queue_grows_a_picture_is_kept_for_however_long() -> None:
    shared = sharing(Row())
    now = itertools.count(STEP_US, STEP_US)
    assert shared.divide(60_000, next(now)) == [0]
    assert [shared.divide(35_000, next(now), calm=True) for _ in range(200)] == [[0]] * 200
    assert [shared.divide(35_000, next(now)) for _ in range(51)][-1] == [None], "then for five seconds more"


def test_who_has_no_picture_does_not_get_one_by_halves() -> None:
    shared = sharing(Row(), Row())
    assert shared.divide(95_000, STEP_US) == [1, None]


def test_what_is_wanted_anew_is_given_at_once() -> None:
    """A consumer begins, or its tile grows: the plane marks it fresh; here the first division stands for it."""
    assert sharing(Row(), Row()).divide(2_300_000) == [10, 10]
