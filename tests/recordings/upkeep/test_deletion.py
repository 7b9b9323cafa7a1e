"""Deletions by people, in the records and on the disk."""

from functools import partial

import pytest
from sqlalchemy import Executable, delete, select, update
from sqlalchemy.exc import DBAPIError

from database import Database, PageRequest, new_id
from members.policy import Actor
from recordings.captions.models import RecordingCaptions
from recordings.captions.service import Captions
from recordings.folders import Folders
from recordings.library import Library
from recordings.models import CompositionJob, PictureWish, Recording, Viewing
from recordings.reconciliation import Reconciliation
from recordings.renditions import Chapter, chapters_out
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.storage.models import StorageJob, Task
from recordings.storage.publisher import Publisher
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.models import Cause, RecordingDeletion
from recordings.upkeep.retention import NOTICE
from recordings.upkeep.rules import Rules
from recordings.viewing import repository as viewings_of
from recordings.views import MeetingRecording
from recordings.wishes import Wishes
from tests.factories import FakeClock, Tree
from tests.recordings.rows import change
from tests.recordings.running import RunningServer
from tests.recordings.upkeep.outcomes import entries, refused


async def test_a_deletion_leaves_its_entry_and_nothing_else(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording, folders: Folders,
    settings: RecordingSettings, clock: FakeClock,
) -> None:  # fmt: skip
    said = "WEBVTT\n\n00:00.000 --> 00:02.000\n今天讨论的事\n"
    await Captions(database, clock).put(people["secretary"], recording.id, "zh-CN", "中文", said)
    shared = chapters_out([Chapter(0.0, "王秀兰共享的屏幕")])
    await change(database, recording, chapters=shared, losses=[{"name": "王秀兰"}])
    member = people["member"].member_id
    assert member is not None
    assert recording.meeting_id is not None
    await Wishes(database, clock).note(recording.meeting_id, "member", hidden=True)
    async with database.transaction() as session:
        watched = await viewings_of.open_and_lock(session, recording.id, member, clock())
        watched.intervals, watched.seconds, watched.completed_at = [[0.0, 60.0]], 60.0, clock()
    await deletions.delete(people["secretary"], recording.id, "误录，重复")
    async with database.reading() as session:
        job = await session.scalar(select(StorageJob))
        assert (await session.scalars(select(PictureWish))).all() == []
        viewing = (await session.scalars(select(Viewing))).one()
        assert (viewing.intervals, viewing.seconds) == ([], 60.0), "that it was studied stays"
        assert viewing.completed_at is not None
        kept = await session.get_one(Recording, recording.id)
        assert (await session.scalars(select(RecordingCaptions))).all() == []
    assert (kept.chapters, kept.losses) == ([], [])
    assert job is not None
    assert (job.recording_id, job.task) == (recording.id, Task.REMOVE), "in the same transaction"
    shelf = Shelf(settings.folder, None)
    assert await Publisher(database, folders, shelf, None, clock).work_once(Task.REMOVE)
    assert not folders.of(recording.id).exists()
    (entry,) = await entries(database)
    assert (entry.cause, entry.deleted_by, entry.reason) == (
        Cause.PERSON, people["secretary"].account_id, "误录，重复",
    )  # fmt: skip
    assert (entry.title, entry.organization_name, entry.deleted_by_name) == (
        recording.title, "东湖村党支部", people["secretary"].name,
    )  # fmt: skip
    library = Library(database, shelf, clock)
    for actor in (people["secretary"], people["district"], None):
        code = "not_signed_in" if actor is None else "recording_not_found"
        await refused(code, partial(library.get, actor, recording.id))
    await refused("recording_not_found", lambda: deletions.delete(people["secretary"], recording.id, "again"))
    for who, seen in (("secretary", 1), ("committee", 1), ("other secretary", 0), ("member", 0)):
        assert len((await deletions.list(people[who], PageRequest())).items) == seen, who


async def test_what_an_earlier_deletion_has_left_of_what_was_said_is_forgotten(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording, folders: Folders,
    settings: RecordingSettings, clock: FakeClock,
) -> None:  # fmt: skip
    reconciliation = Reconciliation(database, folders, Shelf(settings.folder, None), clock, lambda _: False)
    await deletions.delete(people["secretary"], recording.id, "误录，重复")
    assert (await reconciliation.catch_up()).forgotten == 0
    left = RecordingCaptions(
        recording_id=recording.id, language="zh-CN", label="中文", text="WEBVTT", uploaded_by=new_id(),
        uploaded_at=clock(),
    )  # fmt: skip
    async with database.transaction() as session:
        session.add(left)
    assert (await reconciliation.catch_up()).forgotten == 1
    async with database.reading() as session:
        assert (await session.scalars(select(RecordingCaptions))).all() == []
    await change(database, recording, chapters=chapters_out([Chapter(0.0, "王秀兰共享的屏幕")]))
    assert [(await reconciliation.catch_up()).forgotten for _ in range(2)] == [1, 0]


async def test_who_might_have_watched_a_deleted_recording_reads_its_entry_and_nobody_else(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording,
    settings: RecordingSettings, clock: FakeClock,
) -> None:  # fmt: skip
    library = Library(database, Shelf(settings.folder, None), clock)
    meeting = recording.meeting_id
    assert meeting is not None
    watched = {who for who, actor in people.items() if await library.of_meetings(actor, [meeting])}
    assert {"member", "secretary"} <= watched < set(people)
    for actor in people.values():
        await refused("recording_not_found", partial(deletions.of, actor, recording.id))
    await deletions.delete(people["secretary"], recording.id, "误录")
    for who, actor in people.items():
        if who not in watched:
            await refused("recording_not_found", partial(deletions.of, actor, recording.id))
            assert await library.of_meetings(actor, [meeting]) == {}
            continue
        entry = await deletions.of(actor, recording.id)
        assert (entry.reason, entry.deleted_by_name) == ("误录", people["secretary"].name)
        assert await library.of_meetings(actor, [meeting]) == {
            meeting: MeetingRecording(recording.id, deleted=True)
        }


@pytest.mark.parametrize("state", [RecordingState.COMPOSING, RecordingState.MENDING])
async def test_what_waits_for_room_can_be_deleted_to_make_it_and_what_somebody_works_on_cannot(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording, clock: FakeClock,
    settings: RecordingSettings, state: RecordingState,
) -> None:  # fmt: skip
    secretary, library = people["secretary"], Library(database, Shelf(settings.folder, None), clock)
    await change(database, recording, state=state)

    async def queued(worker: str | None, *, no_room: bool) -> None:
        job = CompositionJob(recording_id=recording.id, queued_at=clock(), not_before=clock(), attempts=0)
        job.worker, job.no_room_since = worker, clock() if no_room else None
        async with database.transaction() as session:
            await session.merge(job)

    async def can_be_deleted() -> bool:
        said = (await deletions.keeping(secretary, recording.id)).can_delete
        assert (await library.get(secretary, recording.id)).can_delete is said
        return said

    for worker, no_room in ((None, False), (new_id(), True)):
        await queued(worker, no_room=no_room)
        assert not await can_be_deleted()
        await refused(
            "recording_in_work", lambda: deletions.delete(secretary, recording.id, "为其他录像腾空间")
        )
    await queued(None, no_room=True)
    await change(database, recording, ended_at=None)
    await refused("recording_in_work", lambda: deletions.delete(secretary, recording.id, "为其他录像腾空间"))
    await change(database, recording, ended_at=clock())
    assert await can_be_deleted()
    await refused("forbidden", lambda: deletions.delete(people["member"], recording.id, "为其他录像腾空间"))
    await deletions.delete(secretary, recording.id, "为其他录像腾空间")
    async with database.reading() as session:
        assert await session.get(CompositionJob, recording.id) is None
        assert (await session.get_one(StorageJob, recording.id)).task is Task.REMOVE


@pytest.mark.parametrize(
    "statement", [delete(RecordingDeletion), update(RecordingDeletion).values(reason="nothing happened")]
)
async def test_an_entry_cannot_be_changed_or_taken_away(
    database: Database,
    deletions: Deletions,
    people: dict[str, Actor],
    recording: Recording,
    statement: Executable,
) -> None:
    await deletions.delete(people["secretary"], recording.id, "误录")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.execute(statement)
    assert [entry.reason for entry in await entries(database)] == ["误录"]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("member", "forbidden"), ("guest member", "forbidden"), ("other secretary", "recording_not_found"),
        ("other committee", "recording_not_found"), ("resident", "recording_not_found"),
    ],
)  # fmt: skip
async def test_only_officers_delete_and_hold(
    deletions: Deletions, people: dict[str, Actor], recording: Recording, who: str, code: str
) -> None:
    await refused(code, lambda: deletions.delete(people[who], recording.id, "why"))
    await refused(code, lambda: deletions.hold(people[who], recording.id, "why"))
    await refused(code, lambda: deletions.keeping(people[who], recording.id))


@pytest.mark.parametrize(
    ("state", "live"),
    [
        (RecordingState.CAPTURING, True), (RecordingState.COMPOSING, False), (RecordingState.MENDING, False),
        (RecordingState.FAILED, True),  # the disk is full, and the meeting goes on
    ],
)  # fmt: skip
async def test_what_is_being_made_is_deleted_by_nobody(
    database: Database, deletions: Deletions, rules: Rules, people: dict[str, Actor], recording: Recording, tree: Tree,
    settings: RecordingSettings, clock: FakeClock, server: RunningServer, state: RecordingState, live: bool,
) -> None:  # fmt: skip
    secretary = people["secretary"]
    await change(database, recording, state=state, ended_at=None if live else clock())
    await refused("recording_in_work", lambda: deletions.delete(secretary, recording.id, "why"))
    assert not (await deletions.keeping(secretary, recording.id)).can_delete
    library = Library(database, Shelf(settings.folder, None), clock)
    assert not (await library.get(secretary, recording.id)).can_delete
    await rules.put(people["committee"], tree.committee.id, 1, {}, None)
    for _ in range(2):
        await server.runs(NOTICE)
        assert await deletions.apply_rules() == 0
    assert (await deletions.keeping(secretary, recording.id)).deletes_at is None
    assert await entries(database) == []
