"""What a crash has left between two states is sent on its way, each recording by itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from database import Database
from recordings import repository
from recordings.center import RecordingCenter
from recordings.composing.briefing import standing_of
from recordings.folders import Folders
from recordings.models import CompositionJob, Recording
from recordings.reconciliation import Reconciliation
from recordings.renditions import FILE_NAMES, Outputs, PreviewStrip, Rendition, renditions_out
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.s3 import S3Store
from recordings.storage.settings import StorageSettings
from recordings.storage.shelf import Shelf
from recordings.storage.store import Entry, Fault, StoreError
from rooms.meetings.states import MeetingState
from tests.factories import FakeClock
from tests.patience import PATIENCE_SECONDS
from tests.recordings.conftest import Centers, MakeMeeting, recording_of, until
from tests.recordings.loop import asked_by_the_loop
from tests.recordings.rows import change
from tests.recordings.test_library import recorded

pytestmark = pytest.mark.one_engine

AWAY = StorageSettings(bucket="films", endpoint_url="http://127.0.0.1:9", access_key="a", secret_key="b")


async def left_open(database: Database, make_meeting: MakeMeeting, clock: FakeClock) -> Recording:
    """A recording whose capture a crash has ended, of a meeting that is over."""
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        return repository.add(session, meeting, clock())


async def test_a_recording_of_which_no_sense_is_to_be_made_keeps_back_neither_the_others_nor_the_start(
    centers: Centers, database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    senseless, *others = [await left_open(database, make_meeting, clock) for _ in range(3)]
    absent = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE recordings SET failure = 'of a later version' WHERE id = :id"), {"id": senseless.id}
        )
    with capture_logs() as logs:
        await centers.start()
    assert [entry["recording_id"] for entry in logs if entry["event"] == "recording_not_kept"] == [
        senseless.id
    ]
    async with database.reading() as session:
        ended = [(await session.get_one(Recording, row.id)).ended_at for row in others]
    assert all(ended)
    assert (await recording_of(database, absent)).state is RecordingState.FAILED


@pytest.fixture
def folders(settings: RecordingSettings) -> Folders:
    return Folders(settings.folder)


@pytest.fixture
def reconciliation(database: Database, folders: Folders, clock: FakeClock) -> Reconciliation:
    return Reconciliation(database, folders, Shelf(folders.root, None), clock, lambda _: False)


async def finished(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    *,
    captured: bool = True,
) -> Recording:
    """A recording that is ready in every form, four bytes of each file."""
    row = await recorded(database, await make_meeting(state=MeetingState.ENDED), clock)
    files = [
        name if rendition is not Rendition.HLS else f"{name}/240p.m4s"
        for rendition, name in FILE_NAMES.items()
    ]
    for name in [*files, *(["segment-0001/track.mkv"] if captured else [])]:
        path = folders.of(row.id) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"file")
    outputs = Outputs(dict.fromkeys(Rendition, 4), (), PreviewStrip(1.0, 1, 1, 1, 1))
    await change(database, row, ended_at=clock(), renditions=renditions_out(outputs))
    return row


async def states(database: Database, rows: list[Recording]) -> list[RecordingState]:
    async with database.reading() as session:
        return [(await session.get_one(Recording, row.id)).state for row in rows]


async def test_whatever_of_a_film_is_gone_or_shorter_than_it_was_is_found_and_made_anew(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    reconciliation: Reconciliation,
) -> None:
    whole, unanswered = [await finished(database, make_meeting, clock, folders) for _ in range(2)]
    folders.film(unanswered.id).unlink()
    folders.film(unanswered.id).symlink_to(folders.film(unanswered.id))  # nobody can say whether it is there
    gone = [await finished(database, make_meeting, clock, folders) for _ in Rendition]
    cut = [await finished(database, make_meeting, clock, folders) for _ in Rendition]
    for row, rendition in zip(gone, Rendition, strict=True):
        folders.drop(row.id, rendition)
    for row, rendition in zip(cut, Rendition, strict=True):
        path = folders.rendition(row.id, rendition)
        (path / "240p.m4s" if path.is_dir() else path).write_bytes(b"fil")
    with asked_by_the_loop(folders.root) as asked:
        found = await reconciliation.run()
    assert asked == set()
    beside = [RecordingState.MENDING] * (len(Rendition) - 1)  # whoever watches the film goes on
    assert await states(database, [*gone, *cut]) == [RecordingState.COMPOSING, *beside] * 2
    assert await states(database, [whole, unanswered]) == [RecordingState.READY] * 2
    assert found.lost_films == 2 * len(Rendition)


async def test_what_is_lost_for_good_is_offered_to_nobody_any_more(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    reconciliation: Reconciliation,
) -> None:
    row = await finished(database, make_meeting, clock, folders, captured=False)
    folders.drop(row.id, Rendition.SOUND)
    folders.drop(row.id, Rendition.HLS)
    folders.film(row.id).write_bytes(b"fil")  # nor can the sound be made of it
    assert (await reconciliation.run()).lost_films == 1
    async with database.reading() as session:
        kept = await session.get_one(Recording, row.id)
    assert (kept.state, kept.failure) == (RecordingState.DAMAGED, Failure.FILES_MISSING)
    assert [entry["name"] for entry in kept.renditions] == ["film", "poster", "preview"]
    assert (await reconciliation.run()).lost_films == 0, "what is left is all there will be"


@pytest.mark.parametrize("captured", [True, False])
@pytest.mark.parametrize("rendition", Rendition)
async def test_what_is_lost_of_a_film_is_made_of_what_there_is_of_it(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    reconciliation: Reconciliation,
    rendition: Rendition,
    *,
    captured: bool,
) -> None:
    row = await finished(database, make_meeting, clock, folders, captured=captured)
    folders.drop(row.id, rendition)
    await reconciliation.run()
    async with database.reading() as session:
        job = await session.get(CompositionJob, row.id)
        kept = await session.get_one(Recording, row.id)
    assert job is not None
    assert job.mends is (rendition is not Rendition.FILM or not captured), "its stream holds the film too"
    film = standing_of(kept)
    assert film is not None
    assert film.outputs.sizes == dict.fromkeys(Rendition, 4)


async def test_a_film_that_was_given_up_and_is_there_again_is_taken_back(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    reconciliation: Reconciliation,
) -> None:
    """Of few nobody can tell whether their disk is away or they are."""
    row = await finished(database, make_meeting, clock, folders)
    away = folders.root.rename(folders.root.with_name("away"))
    await reconciliation.run()
    async with database.reading() as session:
        gone = await session.get_one(Recording, row.id)
    assert (gone.state, gone.failure) == (RecordingState.FAILED, Failure.FILES_MISSING)
    assert (await reconciliation.run()).returned == 0
    away.rename(folders.root)
    assert (await reconciliation.run()).returned == 1
    async with database.reading() as session:
        job = await session.get_one(CompositionJob, row.id)
        film = standing_of(await session.get_one(Recording, row.id))
    assert job.mends
    assert film is not None
    assert film.outputs.sizes == dict.fromkeys(Rendition, 4), "as it was"
    assert film.failure is None


class Silent(S3Store):
    """A store that is away; counts how often it is asked for what lies in it."""

    asked = 0

    async def between(self, first: str, last: str) -> AsyncIterator[Entry]:
        self.asked += 1
        if last:
            raise StoreError(Fault.UNREACHABLE, last)
        yield Entry(first, 0)

    async def folders(self) -> set[str]:
        self.asked += 1
        raise StoreError(Fault.UNREACHABLE)


async def test_a_store_that_is_away_is_asked_once_a_round_and_not_once_a_film(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    reconciliation: Reconciliation,
) -> None:
    """Each time it takes a second or ten to find out."""
    for _ in range(3):
        row = await finished(database, make_meeting, clock, folders)
        await change(database, row, stored_version=1)
        folders.drop_finished(row.id)
    shelf = reconciliation._shelf
    shelf.remote = silent = Silent(AWAY)
    for round_ in (1, 2):
        assert (await reconciliation.run()).lost_films == 0
        assert silent.asked == round_
    await silent.close()


class Mute(S3Store):
    """A store to which the way is open, and which says nothing."""

    def __init__(self) -> None:
        super().__init__(AWAY)
        self.asked: set[str] = set()

    async def check(self) -> None:
        await self._wait("check")

    async def between(self, first: str, last: str) -> AsyncIterator[Entry]:
        await self._wait("between")
        yield Entry(first, len(last))

    async def folders(self) -> set[str]:
        await self._wait("folders")
        return set()

    async def _wait(self, asked: str) -> None:
        self.asked.add(asked)
        await asyncio.Event().wait()


async def test_a_start_does_not_wait_for_the_store(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    settings: RecordingSettings,
) -> None:
    """Neither it, nor a meeting that is to be recorded then, be there films that lie in the store alone."""
    row = await finished(database, make_meeting, clock, folders)
    await change(database, row, stored_version=1)
    folders.drop_finished(row.id)
    live = await make_meeting()
    center = RecordingCenter(database, settings, clock)
    center.shelf.remote = mute = Mute()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await center.start()
        assert await center.open(live.id) is not None
        await until(lambda: mute.asked == {"check", "between"})
        await center.stop()
    assert await states(database, [row]) == [RecordingState.READY]


async def test_a_disk_that_is_not_mounted_costs_no_film(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    reconciliation: Reconciliation,
) -> None:
    rows = [await finished(database, make_meeting, clock, folders) for _ in range(10)]
    away = folders.root.rename(folders.root.with_name("away"))
    since = await finished(database, make_meeting, clock, folders)  # on the disk beneath
    with capture_logs() as logs:
        assert (await reconciliation.run()).lost_films == 0
    assert [entry["films"] for entry in logs if entry["event"] == "recordings_folder_gone"] == [10]
    assert set(await states(database, [*rows, since])) == {RecordingState.READY}
    for row in rows[:5]:
        (away / row.id).rename(folders.of(row.id))
    assert (await reconciliation.run()).lost_films == 5, "those are lost"
