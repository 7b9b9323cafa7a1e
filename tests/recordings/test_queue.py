"""The queue of compositions, on both databases."""

import asyncio
from datetime import datetime, timedelta

import pytest

from database import Database, new_id
from members.policy import Audience
from recordings import jobs, repository
from recordings.models import CompositionJob, Recording
from recordings.reconciliation import Reconciliation
from recordings.settings import RecordingSettings
from recordings.states import TRANSITIONS, Failure, RecordingState, check_transition
from recordings.storage.models import StorageJob, StoredUpload
from recordings.storage.repository import enqueue_unpublished, left_behind, remove_soon
from recordings.storage.shelf import Shelf
from recordings.uploads.models import Upload
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock
from tests.recordings.conftest import MakeMeeting

LEASE = timedelta(seconds=60)


async def queued(database: Database, make_meeting: MakeMeeting, clock: FakeClock) -> Recording:
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        row = repository.add(session, meeting, clock())
        row.ended_at = clock()
        await session.flush()
        await repository.enqueue(session, row, clock())
    clock.advance(1)
    return row


async def claim(database: Database, clock: FakeClock, worker: str = "a" * 32) -> CompositionJob | None:
    async with database.transaction() as session:
        return await jobs.claim(session, CompositionJob, worker, clock(), LEASE)


async def test_the_longest_waiting_comes_first_and_nobody_gets_it_twice(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    rows = [await queued(database, make_meeting, clock) for _ in range(3)]
    jobs = [await claim(database, clock, new_id()) for _ in range(4)]
    assert [job and job.recording_id for job in jobs] == [*(row.id for row in rows), None]


async def test_workers_that_ask_at_once_get_different_jobs(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    rows = {(await queued(database, make_meeting, clock)).id for _ in range(3)}
    jobs = await asyncio.gather(*(claim(database, clock, new_id()) for _ in range(3)))
    got = [job.recording_id for job in jobs if job is not None]
    assert len(set(got)) == len(got)
    assert set(got) <= rows


async def test_a_claim_that_is_not_renewed_falls_to_another_and_counts(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    row = await queued(database, make_meeting, clock)
    assert await claim(database, clock) is not None
    clock.advance(59)
    assert await claim(database, clock, "b" * 32) is None
    clock.advance(1)
    job = await claim(database, clock, "b" * 32)
    assert job is not None
    assert job.attempts == 2
    async with database.transaction() as session:
        assert await jobs.claimed(session, CompositionJob, row.id, "a" * 32) is None
        assert await jobs.claimed(session, CompositionJob, row.id, "b" * 32) is not None


async def test_a_job_that_is_put_off_waits(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    row = await queued(database, make_meeting, clock)
    due = clock() + timedelta(seconds=30)
    async with database.transaction() as session:
        job = await session.get(CompositionJob, row.id)
        assert job is not None
        job.not_before = due
    assert await claim(database, clock) is None
    assert await next_due(database) == due
    clock.advance(30)
    assert await claim(database, clock) is not None
    assert await next_due(database) == clock() + LEASE, "unless whoever has it comes back"
    await queued(database, make_meeting, clock)
    assert await next_due(database) == clock() - timedelta(seconds=1), "another is to be had now"


@pytest.mark.parametrize("ahead", [timedelta(hours=8), timedelta(days=366)])
async def test_what_a_clock_that_was_ahead_queued_and_claimed_is_to_be_had_when_it_is_set_right(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, ahead: timedelta
) -> None:
    right = clock()
    clock.advance(ahead)
    first, second = [(await queued(database, make_meeting, clock)).id for _ in range(2)]
    claimed = await claim(database, clock, "d" * 32)
    assert claimed is not None
    assert claimed.recording_id == first
    async with database.transaction() as session:
        await remove_soon(session, first, clock())
    clock.now = right
    later = (await queued(database, make_meeting, clock)).id
    async with database.transaction() as session:
        assert await jobs.waiting(session, CompositionJob, clock(), LEASE) == 3
        removal = await jobs.claim(session, StorageJob, "c" * 32, clock(), LEASE)
    assert removal is not None
    assert [await claimed_id(database, clock) for _ in range(4)] == [first, second, later, None]


async def claimed_id(database: Database, clock: FakeClock) -> str | None:
    job = await claim(database, clock)
    return job.recording_id if job is not None else None


async def next_due(database: Database) -> datetime | None:
    async with database.reading() as session:
        return await repository.next_due(session)


async def test_what_waits_nowhere_and_what_was_never_ended_is_found(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    live = await make_meeting()
    ended, deleted, unheard = [await make_meeting(state=MeetingState.ENDED) for _ in range(3)]
    row = await queued(database, make_meeting, clock)
    async with database.transaction() as session:
        open_rows = [repository.add(session, meeting, clock()) for meeting in (live, ended, deleted)]
        open_rows[2].state = RecordingState.DELETED  # while its meeting went on
        upload = Upload(
            id=new_id(), account_id=live.organizer_account_id, organization_id=live.organization_id, kind=live.kind,
            title="党史讲座", audience=Audience.ORGANIZATION, held_at=clock(), size_bytes=1, created_at=clock(),
            touched_uptime=0,
        )  # fmt: skip
        session.add(upload)
        await repository.drop_job(session, row.id)
    async with database.reading() as session:
        assert await repository.left_open(session, clock(), None) == [open_rows[1].id]
        assert await repository.without_job(session) == [row.id]
        assert await repository.without_recording(session) == [unheard.id]
        there_are = [upload.id, row.id, *(each.id for each in open_rows)]
        assert await repository.unknown_among(session, ["lost+found", *there_are]) == {"lost+found"}


@pytest.mark.parametrize(("ended_in", "over"), [(-600, True), (-60, False), (60, False), (86_400, True)])
async def test_a_meeting_is_over_that_ended_a_while_ago_or_by_a_clock_that_was_ahead(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, ended_in: int, over: bool
) -> None:
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        row = repository.add(session, meeting, clock())
        (await session.get_one(Meeting, meeting.id)).ended_at = clock() + timedelta(seconds=ended_in)
    async with database.reading() as session:
        found = await repository.left_open(session, clock(), timedelta(minutes=5))
    assert found == ([row.id] if over else [])


async def test_what_lies_about_of_deleted_recordings_is_removed_and_nothing_of_those_that_stand(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    stands, forgotten, half_sent, waiting = [
        (await queued(database, make_meeting, clock)).id for _ in range(4)
    ]
    async with database.transaction() as session:
        for each in (stands, forgotten, half_sent, waiting):
            row = await session.get_one(Recording, each)
            row.state = RecordingState.READY if each == stands else RecordingState.DELETED
            row.version = 1
        session.add(StoredUpload(key=f"{half_sent}/v1/meeting.mp4", upload_id="1", size=9, part_bytes=9))
        await remove_soon(session, waiting, clock())
        assert await enqueue_unpublished(session, clock()) == 1
    async with database.reading() as session:
        found = await left_behind(session, ["lost+found", stands, forgotten, waiting])
    assert set(found) == {forgotten, half_sent}


async def test_what_another_node_may_still_be_closing_is_not_composed_yet(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, settings: RecordingSettings
) -> None:
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        repository.add(session, meeting, clock())
    shelf = Shelf(settings.folder, None)
    reconciliation = Reconciliation(database, shelf.folders, shelf, clock, lambda _: False)
    found = []
    for _ in range(2):
        found.append((await reconciliation.run()).interrupted)
        clock.advance(timedelta(minutes=5))
    assert found == ([1, 0] if database.is_sqlite else [0, 1]), "with SQLite there is no other"


async def test_a_family_visit_is_not_recorded_even_where_its_row_asks_for_it(
    database: Database, make_meeting: MakeMeeting
) -> None:
    visits = [
        (await make_meeting(MeetingKind.FAMILY_VISIT, state)).id
        for state in (MeetingState.LIVE, MeetingState.ENDED)
    ]
    async with database.reading() as session:
        assert [await repository.recorded_meeting(session, visit) for visit in visits] == [None, None]
        assert await repository.without_recording(session) == []


def test_states_follow_each_other_as_the_table_says() -> None:
    for old in RecordingState:
        for new in RecordingState:
            if new in TRANSITIONS[old]:
                check_transition(old, new)
            else:
                with pytest.raises(ValueError, match=old.value):
                    check_transition(old, new)


async def test_a_failure_of_capture_survives_until_the_film(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    meeting = await make_meeting()
    async with database.transaction() as session:
        row = repository.add(session, meeting, clock())
        await session.flush()
        repository.turn(row, RecordingState.FAILED, clock(), Failure.DISK_FULL)
        await repository.enqueue(session, row, clock())
        await repository.enqueue(session, row, clock())  # twice is harmless
    assert (row.state, row.failure) == (RecordingState.COMPOSING, Failure.DISK_FULL)
