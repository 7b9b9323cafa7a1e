"""Viewings in the records: what of the players' reports is counted."""

import asyncio

import pytest
from sqlalchemy import select

from database import Database
from errors import Kind, Problem
from members.cards import Cards
from members.policy import Actor, RoleName
from recordings import repository
from recordings.models import Recording, Viewing
from recordings.states import RecordingState
from recordings.viewing.service import Viewings
from recordings.views import CoverageView, WatchReport
from rooms.attendance.service import Attendance
from rooms.meetings.states import MeetingState
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.watching import LENGTH, play


async def test_a_report_that_claims_everything_at_once_counts_for_nothing(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording
) -> None:
    everything = WatchReport(((0.0, LENGTH),), 2.0, ended=True)
    assert (await viewings.report(actor, recording.id, everything)).seconds == 0
    clock.advance(3)
    assert (await viewings.report(actor, recording.id, everything)).seconds == pytest.approx(6)


async def test_many_tabs_at_once_are_one_person(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording
) -> None:
    await viewings.report(actor, recording.id, WatchReport(()))
    clock.advance(10)
    parts = [WatchReport(((at, at + 10.0),)) for at in range(0, 80, 10)]
    views = await asyncio.gather(*(viewings.report(actor, recording.id, part) for part in parts))
    assert max(view.seconds for view in views) == pytest.approx(10)


async def test_the_player_goes_on_where_it_was(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording
) -> None:
    view = await play(viewings, clock, actor, recording, 20, 40)
    assert (view.resume_at, view.intervals) == (40.0, ((20.0, 40.0),))
    clock.advance(1)
    view = await viewings.report(actor, recording.id, WatchReport((), 1.0, ended=True))
    assert view.resume_at == 0


async def test_who_is_no_member_may_look_and_is_not_counted(
    viewings: Viewings, records: Records, tree: Tree, recording: Recording, clock: FakeClock
) -> None:
    officer = await records.actor((RoleName.DISTRICT_OFFICER, tree.department))
    clock.advance(50)
    assert await viewings.report(officer, recording.id, WatchReport(((0.0, 50.0),))) == CoverageView(
        0, 0, (), 0
    )


async def test_what_one_may_not_watch_is_not_there(
    viewings: Viewings, records: Records, tree: Tree, recording: Recording, database: Database
) -> None:
    stranger = await records.actor(member=await records.member(tree.cousin))
    for recording_id in (recording.id, "0" * 32, "no id", ""):
        with pytest.raises(Problem) as refused:
            await viewings.report(stranger, recording_id, WatchReport(()))
        assert (refused.value.kind, refused.value.code) == (Kind.NOT_FOUND, "recording_not_found")
    async with database.reading() as session:
        assert await session.scalar(select(Viewing)) is None


async def test_what_is_not_composed_cannot_be_watched(
    viewings: Viewings, actor: Actor, recording: Recording, database: Database
) -> None:
    async with database.transaction() as session:
        row = await repository.get(session, recording.id)
        assert row is not None
        row.state = RecordingState.COMPOSING
    with pytest.raises(Problem) as refused:
        await viewings.report(actor, recording.id, WatchReport(()))
    assert (refused.value.code, refused.value.details) == ("recording_not_playable", {"state": "composing"})


LIES: list[tuple[str, list[tuple[float, WatchReport]], float]] = [
    ("honest", [(10, WatchReport(((0, 10),)))], 10),
    ("the same again", [(10, WatchReport(((0, 10),))), (0, WatchReport(((0, 10),)))], 10),
    ("replayed later", [(10, WatchReport(((0, 10),))), (10, WatchReport(((0, 10),)))], 10),
    ("overlapping", [(10, WatchReport(((0, 8), (4, 12), (2, 6))))], 8),
    ("in one report more than passed", [(10, WatchReport(((0, 99),)))], 10),
    ("backwards", [(10, WatchReport(((9, 3),)))], 0),
    ("before the beginning", [(10, WatchReport(((-50, -1),)))], 0),
    ("from before the beginning", [(10, WatchReport(((-50, 5),)))], 5),
    ("behind the end", [(10, WatchReport(((LENGTH, LENGTH + 50),)))], 0),
    ("no number", [(10, WatchReport(((float("nan"), 5), (0, float("nan")))))], 0),
    ("without end", [(10, WatchReport(((float("-inf"), float("inf")),)))], 0),
    ("from the future: claimed before it can be", [(0, WatchReport(((0, 90),))), (10, WatchReport(()))], 0),
    ("slow words for fast play", [(10, WatchReport(((0, 20),), 1.0))], 10),
    ("no rate", [(10, WatchReport(((0, 10),), float("nan")))], 10),
    ("a rate below nothing", [(10, WatchReport(((0, 10),), -2.0))], 10),
    ("hardly any rate", [(10, WatchReport(((0, 10),), 1e-12))], 0),
    ("crumbs", [(10, WatchReport(tuple((at / 20, at / 20 + 0.04) for at in range(500))))], 0),
    ("every piece at once", [(10, WatchReport(tuple((float(at), at + 1.0) for at in range(100))))], 10),
    ("a number that is hardly one", [(10, WatchReport(((0, 1e308), (1e308, 1e309))))], 10),
    ("twice the pace of what was twice as fast", [(10, WatchReport(((0, 40),), 2.0))], 20),
    (
        "saved up by saying nothing",
        [(5, WatchReport(())), (5, WatchReport(())), (0, WatchReport(((0, 99),)))],
        5,
    ),
    ("a page that slept", [(86_400, WatchReport(((0, LENGTH),)))], LENGTH),
    ("a clock set back", [(10, WatchReport(((0, 10),))), (-3_600, WatchReport(((10, 90),)))], 10),
    (
        "a clock set back and forth",
        [(10, WatchReport(((0, 10),))), (-60, WatchReport(((10, 90),))), (60, WatchReport(((10, 90),)))],
        10,
    ),
]


@pytest.mark.parametrize(("reports", "counted"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
async def test_no_lie_is_counted(
    viewings: Viewings,
    clock: FakeClock,
    actor: Actor,
    recording: Recording,
    reports: list[tuple[float, WatchReport]],
    counted: float,
) -> None:
    view = await viewings.report(actor, recording.id, WatchReport(()))
    for after, report in reports:
        clock.advance(after)
        view = await viewings.report(actor, recording.id, report)
    assert view.seconds == pytest.approx(counted)


@pytest.mark.parametrize("rate", [2.01, 16.0, float("inf")])
async def test_faster_than_twice_is_refused(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, rate: float
) -> None:
    await viewings.report(actor, recording.id, WatchReport(()))
    clock.advance(10)
    with pytest.raises(Problem) as refused:
        await viewings.report(actor, recording.id, WatchReport(((0.0, 20.0),), rate))
    assert (refused.value.code, refused.value.details["field"]) == ("viewing_too_fast", "rate")
    assert (await viewings.report(actor, recording.id, WatchReport(()))).seconds == 0


async def another(database: Database, make_meeting: MakeMeeting, clock: FakeClock) -> Recording:
    """Of another meeting of the branch."""
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        made = repository.add(session, meeting, clock())
        made.state, made.duration_seconds, made.ended_at = RecordingState.READY, 3_600.0, clock()
    return made


@pytest.mark.parametrize("first_empty", [False, True], ids=["in turn", "with empty reports before"])
async def test_nobody_watches_two_recordings_at_once(
    viewings: Viewings, clock: FakeClock, actor: Actor, database: Database, make_meeting: MakeMeeting,
    first_empty: bool,
) -> None:  # fmt: skip
    films = [await another(database, make_meeting, clock) for _ in range(3)]
    for film in films:
        await viewings.report(actor, film.id, WatchReport(()))
    views = []
    for step in range(6):
        clock.advance(10)
        if first_empty:
            for film in films:
                await viewings.report(actor, film.id, WatchReport(()))
        claim = WatchReport(((step * 20.0, step * 20.0 + 20),), 2.0)
        views = [await viewings.report(actor, film.id, claim) for film in films]
    assert sum(view.seconds for view in views) <= 2 * 60 + 1e-6


async def test_who_goes_on_with_another_recording_loses_nothing(
    viewings: Viewings, clock: FakeClock, actor: Actor, database: Database, make_meeting: MakeMeeting
) -> None:
    first, second = [await another(database, make_meeting, clock) for _ in range(2)]
    await viewings.report(actor, second.id, WatchReport(()))  # both pages are open
    assert (await play(viewings, clock, actor, first, 0, 33)).seconds == pytest.approx(33)
    assert (await play(viewings, clock, actor, second, 0, 27)).seconds == pytest.approx(27)
    assert (await play(viewings, clock, actor, first, 33, 50)).seconds == pytest.approx(50)


async def test_looking_at_another_page_while_one_watches_costs_nothing(
    viewings: Viewings, clock: FakeClock, actor: Actor, database: Database, make_meeting: MakeMeeting
) -> None:
    first, second = [await another(database, make_meeting, clock) for _ in range(2)]
    await viewings.report(actor, first.id, WatchReport(()))
    clock.advance(6)
    await viewings.report(actor, second.id, WatchReport(()))
    clock.advance(4)
    assert (await viewings.report(actor, first.id, WatchReport(((0.0, 10.0),)))).seconds == pytest.approx(10)


async def test_a_clock_that_ran_ahead_and_was_set_right_stops_nobody(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await change(database, recording, prompt_minutes=5, duration_seconds=3_600.0)
    await viewings.report(actor, recording.id, WatchReport(()))
    clock.advance(86_400)
    view = await viewings.report(actor, recording.id, WatchReport(((0.0, 10.0),)))
    assert view.seconds == pytest.approx(10)
    clock.advance(-86_400)
    view = await viewings.report(actor, recording.id, WatchReport(((10.0, 20.0),)))
    assert view.seconds <= 10 + 5, "no more than what was carried over"
    before = view.seconds
    clock.advance(10)
    view = await viewings.report(actor, recording.id, WatchReport(((20.0, 30.0),)))
    assert view.seconds == pytest.approx(before + 10)


async def test_what_a_clock_that_ran_ahead_says_of_another_recording_stops_nobody(
    viewings: Viewings, clock: FakeClock, actor: Actor, database: Database, make_meeting: MakeMeeting
) -> None:
    first, second, third = [await another(database, make_meeting, clock) for _ in range(3)]
    await viewings.report(actor, third.id, WatchReport(()))
    right = clock()
    clock.advance(86_400)
    await play(viewings, clock, actor, first, 0, 20)
    clock.now = right
    assert (await play(viewings, clock, actor, second, 0, 30)).seconds == pytest.approx(30)
    view = await viewings.report(actor, third.id, WatchReport(((0.0, 30.0),)))
    assert view.seconds == 0, "nobody watches two at once"


async def test_a_restart_gives_and_takes_nothing(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database,
    attendance: Attendance, cards: Cards,
) -> None:  # fmt: skip
    await viewings.report(actor, recording.id, WatchReport(()))
    clock.advance(10)
    claim = WatchReport(((0.0, 10.0),))
    await viewings.report(actor, recording.id, claim)
    started_anew = Viewings(database, attendance, cards, clock)
    assert (await started_anew.report(actor, recording.id, WatchReport(((10.0, 90.0),)))).seconds == 10
    clock.advance(10)
    assert (await started_anew.report(actor, recording.id, claim)).seconds == 10, "the same again"
    clock.advance(10)
    assert (await started_anew.report(actor, recording.id, WatchReport(((10.0, 20.0),)))).seconds == 20


async def test_what_was_played_of_an_earlier_film_says_nothing_about_this_one(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await viewings.report(actor, recording.id, WatchReport((), version=0))
    await change(database, recording, version=1)
    clock.advance(10)
    with pytest.raises(Problem) as refused:
        await viewings.report(actor, recording.id, WatchReport(((0.0, 10.0),), version=0))
    assert (refused.value.kind, refused.value.code) == (Kind.CONFLICT, "recording_renewed")
    view = await viewings.report(actor, recording.id, WatchReport(((0.0, 10.0),), version=1))
    assert view.seconds == pytest.approx(10)
