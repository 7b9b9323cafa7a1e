"""What comes of having watched enough: the entry on the card, and the absence made up."""

import pytest
from sqlalchemy import select, update

from database import Database, PageRequest
from members.cards import CardEntryKind, Cards
from members.policy import Actor, RoleName
from recordings.curation import Curation
from recordings.models import Recording, Viewing
from recordings.requests import RecordingChanges
from recordings.viewing.service import Viewings
from recordings.views import WatchReport
from rooms.attendance.models import AttendanceRecord
from rooms.attendance.rules import AttendanceState
from tests.factories import FakeClock, Records, Tree
from tests.recordings.rows import change
from tests.recordings.watching import LENGTH, play
from tests.statements import statements


async def state_of(database: Database, recording: Recording) -> tuple[AttendanceRecord, Viewing]:
    async with database.reading() as session:
        row = await session.scalar(
            select(AttendanceRecord).where(AttendanceRecord.meeting_id == recording.meeting_id)
        )
        viewing = await session.scalar(select(Viewing).where(Viewing.recording_id == recording.id))
    assert row is not None
    assert viewing is not None
    return row, viewing


async def test_watching_nine_tenths_makes_the_absence_up_once(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database, cards: Cards
) -> None:
    view = await play(viewings, clock, actor, recording, 0, 85)
    assert view.share == pytest.approx(0.85)
    row, viewing = await state_of(database, recording)
    assert (row.made_up_at, viewing.completed_at) == (None, None)
    await play(viewings, clock, actor, recording, 80, 100)
    _, first = await state_of(database, recording)
    await play(viewings, clock, actor, recording, 80, 100)
    row, viewing = await state_of(database, recording)
    assert viewing.completed_at == first.completed_at
    assert row.made_up_recording_id == recording.id
    assert viewing.settled
    assert viewing.completed_at is not None
    assert actor.member_id is not None
    (entry,) = (await cards.list(actor, actor.member_id, PageRequest())).items
    assert (entry.kind, entry.source, entry.reference) == (
        CardEntryKind.RECORDING_STUDIED,
        "recording",
        recording.id,
    )
    assert (entry.title, entry.organization_name) == ("十一月主题党日", "东湖村党支部")
    assert 90 <= entry.duration_seconds <= 100


async def test_a_recording_says_how_much_is_enough(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await change(database, recording, required_share=0.5)
    assert (await play(viewings, clock, actor, recording, 0, 49)).studied_at is None
    assert (await play(viewings, clock, actor, recording, 49, 51)).studied_at == clock()


async def test_all_that_a_player_can_show_of_a_film_is_all_of_it(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await change(database, recording, required_share=1.0)
    assert (await play(viewings, clock, actor, recording, 0, 98.8)).studied_at is None
    assert (await play(viewings, clock, actor, recording, 98, 99.8)).studied_at == clock()
    async with database.transaction() as session:
        await session.execute(update(Viewing).values(completed_at=None, settled=False))
        await session.execute(update(AttendanceRecord).values(made_up_at=None))
    assert await viewings.settle_left() == 1, "the records agree"


async def test_who_has_watched_enough_when_less_is_asked_for_need_not_play_it_again(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database, cards: Cards,
    records: Records, tree: Tree,
) -> None:  # fmt: skip
    secretary = await records.actor((RoleName.SECRETARY, tree.branch))
    others = [await records.actor(member=await records.member(tree.branch)) for _ in range(2)]
    for one in (actor, others[0]):
        await play(viewings, clock, one, recording, 0, 80)
    await play(viewings, clock, others[1], recording, 0, 79)
    clock.advance(3600)
    assert await viewings.settle_left() == 0
    assert (await cards.list(actor, actor.member_id or "", PageRequest())).items == []
    await Curation(database).update(secretary, recording.id, RecordingChanges(required_share=0.8))
    assert await viewings.settle_left() == 1, "the others were not expected"
    for one, count in ((actor, 1), (others[0], 1), (others[1], 0)):
        entries = (await cards.list(one, one.member_id or "", PageRequest())).items
        assert [(entry.occurred_at, entry.duration_seconds) for entry in entries] == [(clock(), 80)] * count
    async with database.reading() as session:
        (row,) = await session.scalars(select(AttendanceRecord))
    assert row.made_up_recording_id == recording.id
    assert await viewings.settle_left() == 0
    asked = []
    for watchers in (1, 3):
        await change(database, recording, required_share=1.0)
        for _ in range(watchers):
            one = await records.actor(member=await records.member(tree.branch))
            await viewings.report(one, recording.id, WatchReport(()))
        async with database.transaction() as session:
            await session.execute(update(Viewing).values(intervals=[[0, 80]], seconds=80.0))
        await change(database, recording, required_share=0.8)
        with statements(database) as these:
            await viewings.settle_left()
        asked.append(len(these))
    assert asked[0] == asked[1], "no query a member"


async def test_what_was_studied_stays_so_when_the_film_grows_or_shrinks(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database, cards: Cards
) -> None:
    first = await play(viewings, clock, actor, recording, 0, 95)
    await change(database, recording, duration_seconds=4 * LENGTH, version=2)
    longer = await play(viewings, clock, actor, recording, 100, 400)
    assert longer.studied_at == first.studied_at is not None
    await change(database, recording, duration_seconds=LENGTH / 2, version=3)
    shorter = await viewings.report(actor, recording.id, WatchReport(()))
    assert (shorter.seconds, shorter.share, shorter.intervals) == (LENGTH / 2, 1.0, ((0.0, LENGTH / 2),))
    assert len((await cards.list(actor, actor.member_id or "", PageRequest())).items) == 1


async def test_what_was_only_in_a_longer_film_of_before_makes_nobody_complete(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database, cards: Cards
) -> None:
    await play(viewings, clock, actor, recording, 30, 85)
    await change(database, recording, duration_seconds=LENGTH / 2, version=2)
    assert await viewings.settle_left() == 0
    view = await viewings.report(actor, recording.id, WatchReport(()))
    assert view.share == pytest.approx(0.4)
    assert view.studied_at is None
    assert (await cards.list(actor, actor.member_id or "", PageRequest())).items == []
    assert (await play(viewings, clock, actor, recording, 0, 25)).studied_at == clock()
    (entry,) = (await cards.list(actor, actor.member_id or "", PageRequest())).items
    assert (entry.duration_seconds, entry.details["share"]) == (45, 0.9)


async def test_attendance_that_did_not_hear_of_it_is_told_again(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    """As after a kill between the two."""
    await play(viewings, clock, actor, recording, 0, 95)
    async with database.transaction() as session:
        viewing = await session.scalar(select(Viewing))
        row = await session.scalar(select(AttendanceRecord))
        assert viewing is not None
        assert row is not None
        viewing.settled, row.made_up_at, row.made_up_recording_id = False, None, None
    await viewings.report(actor, recording.id, WatchReport(()))
    row_after, viewing_after = await state_of(database, recording)
    assert row_after.made_up_recording_id == recording.id
    assert viewing_after.settled


async def test_attendance_that_is_judged_after_the_viewing_is_made_up_once(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database, cards: Cards
) -> None:
    async with database.transaction() as session:
        row = await session.scalar(select(AttendanceRecord))
        assert row is not None
        row.state = None
    await play(viewings, clock, actor, recording, 0, 95)
    assert await viewings.settle_left() == 0, "nobody has judged it yet"
    async with database.transaction() as session:
        row = await session.scalar(select(AttendanceRecord))
        assert row is not None
        row.state, row.corrected_state, row.corrected_at = (
            AttendanceState.PRESENT,
            AttendanceState.ABSENT,
            clock.advance(60),
        )
    clock.advance(60)
    assert await viewings.settle_left() == 1
    made_up, viewing = await state_of(database, recording)
    assert (made_up.made_up_at, viewing.settled) == (clock(), True)
    async with database.transaction() as session:
        row = await session.scalar(select(AttendanceRecord))
        assert row is not None
        row.corrected_state, row.corrected_at = AttendanceState.ABSENT, clock.advance(60)
    assert await viewings.settle_left() == 0, "what the secretary says after it stands"
    await viewings.report(actor, recording.id, WatchReport(()))
    assert (await state_of(database, recording))[0].made_up_at == made_up.made_up_at
    assert len((await cards.list(actor, actor.member_id or "", PageRequest())).items) == 1
