"""A broken recording is made anew by those who manage it, as long as there is something to make it of."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from database import Database
from errors import Problem
from recordings import repository
from recordings.capture.journal import Journal
from recordings.composing.service import Compositions
from recordings.folders import Folders
from recordings.library import Library
from recordings.models import CompositionJob, Recording
from recordings.remaking import Remaking
from recordings.renditions import COMPOSING_FOLDER
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.uploads.service import _take_place
from recordings.wishes import Wishes
from rooms.meetings.states import MeetingState
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.test_library import everybody, recorded


@pytest.fixture
async def broken(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, settings: RecordingSettings
) -> Recording:
    """A recording that failed, with what was captured."""
    row = await recorded(database, await make_meeting(state=MeetingState.ENDED), clock, RecordingState.FAILED)
    await change(database, row, ended_at=clock(), failure=Failure.COMPOSITION_FAILED)
    segment = Folders(settings.folder).segment(row.id, 1)
    segment.mkdir(parents=True)
    (segment / "track.mkv").write_bytes(b"packets")
    half_made(settings, row).mkdir()
    return row


def half_made(settings: RecordingSettings, recording: Recording) -> Path:
    """What the attempt that failed has left."""
    return Folders(settings.folder).of(recording.id) / COMPOSING_FOLDER


@pytest.mark.parametrize(
    ("state", "ended", "captured", "code"),
    [
        (RecordingState.FAILED, True, True, None),
        (RecordingState.DAMAGED, True, True, None),
        (RecordingState.READY, True, True, "recording_whole"),
        (RecordingState.COMPOSING, True, True, "recording_not_settled"),
        (RecordingState.MENDING, True, True, "recording_not_settled"),
        (RecordingState.CAPTURING, False, True, "recording_not_settled"),
        (RecordingState.FAILED, False, True, "recording_not_settled"),
        (RecordingState.FAILED, True, False, "originals_missing"),
        (RecordingState.DELETED, True, True, "recording_not_found"),
    ],
)
async def test_only_what_is_broken_and_has_its_tracks_is_made_anew(
    database: Database, records: Records, tree: Tree, settings: RecordingSettings, clock: FakeClock, broken: Recording,
    state: RecordingState, ended: bool, captured: bool, code: str | None,
) -> None:  # fmt: skip
    secretary = (await everybody(records, tree))["secretary"]
    shelf, woken = Shelf(settings.folder, None), list[str]()
    remaking = Remaking(database, shelf.folders, clock, lambda: woken.append("awake"))
    await change(database, broken, state=state, ended_at=clock() if ended else None)
    if not captured:
        (Folders(settings.folder).segment(broken.id, 1) / "track.mkv").unlink()
    if state is not RecordingState.DELETED:
        shown = await Library(database, shelf, clock).get(secretary, broken.id)
        assert shown.can_remake is (code is None)
    if code is not None:
        with pytest.raises(Problem) as refused:
            await remaking.remake(secretary, broken.id)
        assert (refused.value.code, woken) == (code, [])
        assert half_made(settings, broken).exists()
        return
    await remaking.remake(secretary, broken.id)
    assert woken == ["awake"]
    assert not half_made(settings, broken).exists(), "from nothing"
    async with database.reading() as session:
        row = await session.get_one(Recording, broken.id)
        assert (row.state, row.progress) == (RecordingState.COMPOSING, 0.0)
        assert await session.scalar(select(CompositionJob.recording_id)) == broken.id


async def test_it_takes_an_officer_of_the_branch_or_above(
    database: Database,
    records: Records,
    tree: Tree,
    settings: RecordingSettings,
    clock: FakeClock,
    broken: Recording,
) -> None:
    shelf = Shelf(settings.folder, None)
    remaking = Remaking(database, shelf.folders, clock, lambda: None)
    library = Library(database, shelf, clock)
    codes = {}
    for who, actor in (await everybody(records, tree)).items():
        try:
            assert (await library.get(actor, broken.id)).can_remake is (
                who in {"secretary", "committee", "district"}
            ), who
            await remaking.remake(actor, broken.id)
        except Problem as problem:
            codes[who] = problem.code
        else:
            codes[who] = "done"
            await change(database, broken, state=RecordingState.FAILED)
    assert codes == {
        "member": "forbidden", "guest member": "forbidden", "sibling": "recording_not_found",
        "cousin": "recording_not_found", "secretary": "done", "other secretary": "recording_not_found",
        "committee": "done", "other committee": "recording_not_found", "district": "done",
        "resident": "recording_not_found",
    }  # fmt: skip


async def test_who_hid_stays_hidden_where_the_recording_made_way_for_another_film_of_its_meeting(
    database: Database, records: Records, tree: Tree, settings: RecordingSettings, clock: FakeClock, broken: Recording,
    make_meeting: MakeMeeting,
) -> None:  # fmt: skip
    meeting_id, folders = broken.meeting_id, Folders(settings.folder)
    assert meeting_id is not None
    journal = Journal(folders.segment(broken.id, 1))
    journal.add("segment", meetingId=meeting_id, us=0)
    journal.close()
    await Wishes(database, clock).note(meeting_id, "member:x", hidden=True)  # when the disk was full already
    uploaded = await recorded(database, await make_meeting(state=MeetingState.ENDED), clock)
    secretary = (await everybody(records, tree))["secretary"]
    async with database.transaction() as session:
        await _take_place(session, meeting_id)
    await change(
        database, uploaded, meeting_id=meeting_id, uploader_account_id=secretary.account_id, ended_at=clock()
    )
    await Deletions(database, clock).delete(secretary, uploaded.id, "画面太暗")
    await Remaking(database, folders, clock, lambda: None).remake(secretary, broken.id)
    async with database.reading() as session:
        job = await session.get_one(CompositionJob, broken.id)
    compositions = Compositions(database, settings, Shelf(folders.root, None), clock, lambda *_: None)
    _, brief = await compositions._brief(job)
    assert [(wish.person, wish.hidden) for wish in brief.wishes] == [("member:x", True)]


async def test_a_recording_that_is_being_made_anew_by_now_makes_way_for_nothing(
    database: Database, broken: Recording
) -> None:
    if database.is_sqlite:
        pytest.skip("one writer at a time")
    assert broken.meeting_id is not None
    async with database.transaction() as session:
        assert await repository.of_meeting(session, broken.meeting_id) is not None, "as it was a moment ago"
        await asyncio.create_task(change(database, broken, state=RecordingState.COMPOSING))
        with pytest.raises(Problem, match="meeting_has_recording"):
            await _take_place(session, broken.meeting_id)
