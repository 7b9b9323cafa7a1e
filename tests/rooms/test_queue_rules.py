"""Order, waits and lapses of consultations: tables and properties."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import Problem
from rooms.consultations.lapses import Lapse, lapse_of
from rooms.consultations.life import WAYS, check_way
from rooms.consultations.queue import Desks, Waiting, expected_wait, order, typical_seconds
from rooms.consultations.settings import ConsultationSettings
from rooms.consultations.states import OVER, ConsultationState
from rooms.consultations.watch import Chairs, Watch

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SETTINGS = ConsultationSettings()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


tickets = st.lists(
    st.builds(
        Waiting,
        id=st.text("abcdef", min_size=6, max_size=6),
        returned=st.booleans(),
        number=st.integers(1, 99),
        created_at=st.integers(0, 9).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    ),
    max_size=12,
    unique_by=lambda ticket: ticket.id,
)


@given(tickets)
def test_first_come_first_served_and_returned_tickets_before_all(waiting: list[Waiting]) -> None:
    queue = order(waiting)
    assert sorted(queue, key=lambda each: each.id) == sorted(waiting, key=lambda each: each.id)
    for ahead, behind in itertools.pairwise(queue):
        assert ahead.returned >= behind.returned
        assert ahead.returned > behind.returned or ahead.created_at <= behind.created_at


@given(tickets, st.randoms(use_true_random=False))
def test_the_order_is_the_same_however_the_records_came(waiting: list[Waiting], chance: Random) -> None:
    shuffled = list(waiting)
    chance.shuffle(shuffled)
    assert order(shuffled) == order(waiting)


@pytest.mark.parametrize(
    ("position", "on_duty", "free", "typical", "expected"),
    [
        (1, 0, 0, 600, None),  # nobody is on duty
        (1, 1, 1, 600, 0),  # somebody is free
        (1, 1, 0, 600, 600),
        (2, 1, 0, 600, 1200),
        (2, 2, 1, 600, 300),
        (3, 2, 2, 600, 300),
        (10, 4, 0, 90, 225),
    ],
)
def test_expected_wait(position: int, on_duty: int, free: int, typical: float, expected: int | None) -> None:
    assert expected_wait(position, Desks(on_duty, free), typical) == expected


@given(st.integers(1, 100), st.integers(1, 9), st.integers(0, 9), st.floats(60, 3600))
def test_who_stands_further_back_never_waits_less(
    position: int, on_duty: int, free: int, typical: float
) -> None:
    desks = Desks(on_duty, min(free, on_duty))
    here, behind = expected_wait(position, desks, typical), expected_wait(position + 1, desks, typical)
    assert here is not None
    assert behind is not None
    assert 0 <= here <= behind


@pytest.mark.parametrize(
    ("durations", "expected"),
    [([], 600), ([300], 300), ([300, 400, 36000], 400), ([5, 5, 5], 60)],
)
def test_typical_talk(durations: list[float], expected: float) -> None:
    assert typical_seconds(durations) == expected


@pytest.mark.parametrize("state", ConsultationState)
@pytest.mark.parametrize("wanted", ConsultationState)
def test_every_way_that_is_not_in_the_table_is_refused_with_both_ends(
    state: ConsultationState, wanted: ConsultationState
) -> None:
    if wanted in WAYS[state]:
        check_way(state, wanted)
        return
    with pytest.raises(Problem) as refusal:
        check_way(state, wanted)
    assert refusal.value.details == {"state": state.value, "wanted": wanted.value}


def test_what_is_over_stays_over() -> None:
    assert all(not WAYS[state] for state in OVER)


CALLED, ACTIVE = ConsultationState.CALLED, ConsultationState.ACTIVE


@pytest.mark.parametrize(
    ("state", "called", "started", "expert_away", "resident_away", "desk_away", "met", "expected"),
    [
        (CALLED, 119, None, None, 119, None, False, None),
        (CALLED, 120, None, None, 120, None, False, Lapse.MISSED),
        (CALLED, 60, None, 60, 60, 60, False, Lapse.EXPERT_LOST),
        (CALLED, 60, None, 60, 60, 59, False, None),  # the desk may come back
        (CALLED, 60, None, None, 60, 60, False, None),  # no desk, but in the room
        (ACTIVE, 500, 400, None, None, None, True, None),
        (ACTIVE, 500, 400, 60, None, 60, True, Lapse.EXPERT_LOST),
        (ACTIVE, 500, 400, 60, None, None, True, Lapse.EXPERT_GONE),  # hung up, and writes at the desk
        (ACTIVE, 500, 400, 59, None, 59, True, None),
        (ACTIVE, 500, 60, 60, None, None, False, Lapse.EXPERT_LOST),  # never came to the room
        (ACTIVE, 500, 400, None, 60, None, True, Lapse.RESIDENT_GONE),
        (ACTIVE, 500, 60, None, 60, None, False, Lapse.MISSED),  # said that he comes, and did not
        (ACTIVE, 119, 59, 119, 119, None, False, None),  # called for long, but answered just now
        (ACTIVE, 500, 400, 60, 60, 60, True, Lapse.RESIDENT_GONE),  # both: they are done
        (ACTIVE, 20000, 14400, None, None, None, True, Lapse.OVERDUE),
        (ConsultationState.ENDED, 20000, 14400, 60, 60, 60, True, None),
    ],
)
def test_what_time_does_to_a_talk(
    state: ConsultationState,
    called: float,
    started: float | None,
    expert_away: float | None,
    resident_away: float | None,
    desk_away: float | None,
    expected: Lapse | None,
    *,
    met: bool,
) -> None:
    chairs = Chairs(
        ago(expert_away) if expert_away is not None else None,
        ago(resident_away) if resident_away is not None else None,
    )
    lapse = lapse_of(
        state,
        ago(called),
        ago(started) if started is not None else None,
        chairs,
        ago(desk_away) if desk_away is not None else None,
        SETTINGS,
        NOW,
        met=met,
    )
    assert lapse is expected


def test_a_chair_is_empty_since_it_became_so_not_since_it_was_looked_at_last() -> None:
    watch = Watch()
    watch.begin("talk", ago(100))
    watch.seats("talk", ago(90), expert=True, resident=True)
    assert watch.met("talk")
    watch.seats("talk", ago(50), expert=True, resident=False)
    watch.seats("talk", ago(10), expert=True, resident=False)
    assert watch.chairs("talk") == Chairs(None, ago(50))
    watch.seats("other", NOW, expert=True, resident=True)
    assert watch.talks == ["talk"]
    watch.forget("talk")
    assert not watch.met("talk")


def test_the_watch_follows_the_records_and_believes_an_absence_when_it_is_read_twice_running() -> None:
    watch = Watch()
    watch.read(["talk", "found"], ago(100))
    watch.seats("talk", ago(90), expert=True, resident=True)
    watch.read(["found"], ago(80))
    watch.read(["talk", "found"], ago(70))
    watch.read(["found"], ago(60))
    assert watch.met("talk"), "two absences, but not running"
    watch.read(["found"], ago(50))
    assert watch.talks == ["found"]
    watch.read([], ago(40))
    watch.forget("found")
    watch.begin("found", ago(30))
    watch.read([], ago(20))
    assert watch.chairs("found") == Chairs(ago(30), ago(30)), "another talk, which was not absent yet"


def test_desks_are_lost_from_the_first_word_of_it_until_they_are_opened_again() -> None:
    watch = Watch()
    watch.desk_lost("expert", ago(60))
    watch.desk_lost("expert", ago(10))
    assert watch.desks_lost_for(timedelta(seconds=60), NOW) == ["expert"]
    watch.dismissed(["expert"])
    assert watch.desks_lost_for(timedelta(seconds=60), NOW) == []
    assert watch.desk_lost_since("expert") == ago(60)
    watch.desk_opened("expert")
    assert watch.desks_lost_for(timedelta(), NOW) == []
