"""One recording of which no sense is to be made keeps no other back, whatever is done for all of them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from database import Database
from errors import Kind, Problem
from members.cards import Cards
from members.people import Member
from recordings.apart import Apart
from recordings.composing.service import Compositions
from recordings.folders import Folders
from recordings.inspection import Inspection
from recordings.models import CompositionJob, Recording, Viewing
from recordings.reconciliation import Reconciliation
from recordings.searching.models import RecordingText
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.models import StorageJob, Task
from recordings.storage.publisher import Publisher
from recordings.storage.repository import _enqueue
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.keeper import HOUR, Keeper
from recordings.upkeep.uptime import UptimeCounter
from recordings.viewing.service import Viewings
from rooms.attendance.models import AttendanceRecord
from rooms.attendance.rules import AttendanceState
from rooms.attendance.service import Attendance
from rooms.meetings.states import MeetingState
from rooms.persons import member_key
from tests.factories import FakeClock
from tests.recordings.conftest import MakeMeeting, ToCompose
from tests.recordings.rows import change
from tests.recordings.test_library import recorded

pytestmark = pytest.mark.one_engine


@pytest.fixture
def folders(settings: RecordingSettings) -> Folders:
    return Folders(settings.folder)


@pytest.fixture
async def rows(database: Database, make_meeting: MakeMeeting, clock: FakeClock) -> list[Recording]:
    """Three that are ready, of which the second is senseless; in the order of their ids."""
    made = [await recorded(database, await make_meeting(state=MeetingState.ENDED), clock) for _ in range(3)]
    for row in made:
        await change(database, row, ended_at=clock())
    made.sort(key=lambda row: row.id)
    await make_senseless(database, made[1])
    return made


async def make_senseless(database: Database, row: Recording) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE recordings SET failure = 'of a later version' WHERE id = :id"), {"id": row.id}
        )


async def make_sense(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE recordings SET failure = NULL"))


async def states(database: Database, rows: Sequence[Recording]) -> list[RecordingState]:
    await make_sense(database)
    async with database.reading() as session:
        return [(await session.get_one(Recording, row.id)).state for row in rows]


def told(logs: Sequence[object]) -> list[object]:
    entries = [entry for entry in logs if isinstance(entry, dict)]
    return [entry["recording_id"] for entry in entries if entry["event"] == "recording_not_kept"]


@pytest.mark.parametrize("before", [RecordingState.READY, RecordingState.FAILED])
async def test_films_that_are_lost_and_that_are_back_are_found_beside_it(
    database: Database, rows: list[Recording], clock: FakeClock, folders: Folders, before: RecordingState
) -> None:
    for row in (rows[0], rows[2]):
        failure = Failure.FILES_MISSING if before is RecordingState.FAILED else None
        await change(database, row, state=before, failure=failure)
        folders.of(row.id).mkdir(parents=True)
        if failure:
            folders.film(row.id).write_bytes(b"film")
    reconciliation = Reconciliation(database, folders, Shelf(folders.root, None), clock, lambda _: False)
    with capture_logs() as logs:
        found = [await reconciliation.run() for _ in range(2)]
    assert [one.lost_films + one.returned for one in found] == [2, 0]
    assert told(logs) == [rows[1].id], "once, not every hour"
    assert reconciliation.apart.failures == 2, "but counted"
    assert RecordingState.READY not in await states(database, [rows[0], rows[2]])


async def test_a_disk_that_does_not_say_what_lies_there_keeps_nothing_else_back(
    database: Database, rows: list[Recording], clock: FakeClock, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def refuse() -> set[str]:
        raise OSError(5, "Input/output error")

    await change(database, rows[0], state_since=clock() - timedelta(days=2))
    work = folders.of(rows[0].id) / "work"
    work.mkdir(parents=True)
    folders.film(rows[0].id).write_bytes(b"film")
    reconciliation = Reconciliation(database, folders, Shelf(folders.root, None), clock, lambda _: False)
    monkeypatch.setattr(reconciliation._folders, "names", refuse)
    assert (await reconciliation.run()).cleared == 1
    assert not work.exists()


async def test_the_others_are_indexed_and_deleted_by_the_rules(
    database: Database, rows: list[Recording], clock: FakeClock, viewings: Viewings
) -> None:
    ran = [0.0]
    deletions = Deletions(database, clock, default_days=1)
    uptime = UptimeCounter(database, lambda: ran[0])
    keeper = Keeper(database, deletions, viewings, uptime, clock, lambda: ran[0])
    clock.now = clock.now.astimezone().replace(hour=3) + timedelta(days=3)
    with capture_logs() as logs:
        await keeper.do_what_is_due()
        async with database.reading() as session:
            indexed = set(await session.scalars(select(RecordingText.recording_id)))
        ran[0] += 15 * 24 * HOUR
        for _ in range(2):
            await keeper.do_what_is_due()
            ran[0] += HOUR
    assert indexed == {rows[0].id, rows[2].id}
    assert told(logs) == [rows[1].id] * 2, "of each step once"
    counted = keeper.unkept()
    assert (counted["index"] >= 2, counted["apply_rules"] >= 2, counted["settle"]) == (True, True, 0)
    gone, ready = RecordingState.DELETED, RecordingState.READY
    assert await states(database, rows) == [gone, ready, gone]


async def test_what_others_have_studied_is_settled(
    database: Database, rows: list[Recording], clock: FakeClock, cards: Cards, member: Member
) -> None:
    await make_sense(database)

    class Deaf(Attendance):
        async def made_up(self, member_ids: Iterable[str], meeting_id: str, recording_id: str) -> set[str]:
            if recording_id == rows[1].id:
                raise ValueError(recording_id)
            return await super().made_up(member_ids, meeting_id, recording_id)

    async with database.transaction() as session:
        for row in rows:
            session.add(
                AttendanceRecord(
                    meeting_id=row.meeting_id, person_key=member_key(member.id), member_id=member.id,
                    name=member.name, expected=True, state=AttendanceState.ABSENT, seconds=0.0, place=1,
                )
            )  # fmt: skip
            session.add(
                Viewing(
                    recording_id=row.id, member_id=member.id, intervals=[], seconds=60.0, resume_at=0.0,
                    credit_seconds=0.0, reported_at=clock(), completed_at=clock.advance(1), settled=False,
                )
            )  # fmt: skip
    viewings = Viewings(database, Deaf(database, cards, clock), cards, clock)
    with capture_logs() as logs:
        assert await viewings.settle_left(most=1) == 2
    assert told(logs) == [rows[1].id]


async def test_the_operator_sees_the_others(
    database: Database, rows: list[Recording], clock: FakeClock, folders: Folders
) -> None:
    inspection = Inspection(database, folders, Shelf(folders.root, None), clock)
    with capture_logs() as logs:
        listed = [one.id async for one in inspection.recordings()]
        looked = [one.recording.id async for one in inspection.films()]
    assert set(listed) == {rows[0].id, rows[2].id}
    assert looked == sorted(listed)
    assert told(logs) == [rows[1].id]


async def test_a_composition_of_which_not_even_the_failure_can_be_noted_comes_again_later_and_is_told_once(
    database: Database, settings: RecordingSettings, clock: FakeClock, folders: Folders, to_compose: ToCompose
) -> None:  # fmt: skip
    _, row = await to_compose(0.2)
    await make_senseless(database, row)
    compositions = Compositions(database, settings, Shelf(folders.root, None), clock, lambda *_: None)
    with capture_logs() as logs:
        for _ in range(3):
            assert await compositions._work_once("a" * 32)
            assert not await compositions._work_once("a" * 32), "not at once"
            clock.advance(601)
    assert told(logs) == [row.id]
    async with database.reading() as session:
        job = await session.get_one(CompositionJob, row.id)
    assert (job.worker, job.attempts) == (None, 0)


async def test_a_recording_that_cannot_be_stored_waits_behind_the_others(
    database: Database, rows: list[Recording], clock: FakeClock, folders: Folders
) -> None:
    publisher = Publisher(database, folders, Shelf(folders.root, None), None, clock)
    async with database.transaction() as session:
        for row in (rows[1], rows[0]):
            await _enqueue(session, row.id, Task.PUBLISH, clock.advance(1))
    with capture_logs() as logs:
        assert [await publisher.work_once(Task.PUBLISH) for _ in range(3)] == [True, True, False]
    assert told(logs) == [rows[1].id]
    async with database.reading() as session:
        assert list(await session.scalars(select(StorageJob.recording_id))) == [rows[1].id]


async def test_whose_fault_it_is_is_found_by_halves_and_a_database_that_is_away_is_nobody_s() -> None:
    asked: list[int] = []

    async def work(ids: Sequence[str]) -> list[str]:
        asked.append(len(ids))
        if "bad" in ids:
            raise KeyError("somebody's name")
        return [*ids]

    apart, ids = Apart("test"), [*map(str, range(63)), "bad"]
    with capture_logs() as logs:
        assert await apart.many(ids, work) == ids[:-1]
    assert len(asked) == 1 + 2 * 6
    assert [(entry["step"], entry["error"].split(" at ")[0]) for entry in logs] == [("test", "KeyError")]
    assert "somebody" not in str(logs)

    async def away(_ids: Sequence[str]) -> list[str]:
        raise Problem(Kind.UNAVAILABLE, "database_busy")

    with pytest.raises(Problem):
        await apart.many(ids, away)
    with pytest.raises(Problem), apart.one("any"):
        raise Problem(Kind.UNAVAILABLE, "database_busy")
