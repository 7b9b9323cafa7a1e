"""What becomes of a recording while something beside its film is mended, and after."""

import asyncio

import pytest

from database import Database
from members.policy import RoleName
from recordings.folders import Folders
from recordings.library import Library
from recordings.models import CompositionJob, Recording
from recordings.renditions import Outputs, Rendition, renditions_out
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.recordings.attempts import job_that, use_up
from tests.recordings.conftest import ENDS, GLANCE_SECONDS, Centers, Heard, ToCompose, recording_of
from tests.recordings.rows import change

pytestmark = pytest.mark.one_engine

KNOWN = renditions_out(Outputs({Rendition.FILM: 4, Rendition.SOUND: 4}))


async def to_mend(database: Database, row: Recording, settings: RecordingSettings, **fields: object) -> None:
    """A film that stands, in a way, beside which something is lost."""
    Folders(settings.folder).film(row.id).write_bytes(b"film")
    film = {"version": 1, "size_bytes": 4, "duration_seconds": 0.2, "renditions": KNOWN}
    await change(database, row, **({"state": RecordingState.MENDING} | film | fields))
    async with database.transaction() as session:
        (await session.get_one(CompositionJob, row.id)).mends = True


@pytest.mark.parametrize("failure", [None, Failure.TRACK_LOST])
async def test_whoever_watches_a_film_that_is_mended_is_told_what_it_was(
    database: Database, settings: RecordingSettings, clock: FakeClock, records: Records, tree: Tree,
    to_compose: ToCompose, failure: Failure | None,
) -> None:  # fmt: skip
    _, row = await to_compose(0.2)
    await to_mend(database, row, settings, failure=failure, ended_at=clock())
    member = await records.actor(member=await records.member(tree.branch))
    library = Library(database, Shelf(settings.folder, None), clock)
    state = RecordingState.DAMAGED if failure else RecordingState.READY
    shown = await library.get(member, row.id)
    assert (shown.state, shown.mending) == (state, False)
    assert (await library.file(await library.open(member, row.id, 1), Rendition.FILM)).entry.size == 4
    assert list(await library.open_all([(member, row.id)])) == [(member, row.id)]
    officer = await library.get(await records.actor((RoleName.SECRETARY, tree.branch)), row.id)
    assert (officer.state, officer.mending, officer.can_delete, officer.can_remake) == (
        state, True, False, False,
    )  # fmt: skip


@pytest.mark.parametrize("failure", [None, Failure.TRACK_LOST])
async def test_a_mending_that_comes_to_nothing_leaves_the_film_as_it_was(
    centers: Centers, database: Database, settings: RecordingSettings, clock: FakeClock, heard: Heard,
    to_compose: ToCompose, failure: Failure | None,
) -> None:  # fmt: skip
    meeting, row = await to_compose(0.2)
    await to_mend(database, row, settings, failure=failure)
    await use_up(database, settings, clock)
    await centers.start()
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (
        RecordingState.DAMAGED if failure else RecordingState.READY, failure,
    )  # fmt: skip
    left = await recording_of(database, meeting)
    assert (left.renditions, left.version, left.state_since) == (KNOWN, 1, row.state_since), "it is no news"


async def test_a_film_that_is_not_whole_is_made_anew_and_watched_by_nobody_until_then(
    centers: Centers, database: Database, settings: RecordingSettings, heard: Heard, to_compose: ToCompose
) -> None:
    meeting, row = await to_compose(0.2)
    await to_mend(database, row, settings)
    await centers.start()
    states = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := await recording_of(database, meeting)).version == 1:
            states.add(now.state)
            await asyncio.sleep(GLANCE_SECONDS)
    assert states == {RecordingState.MENDING, RecordingState.COMPOSING}
    assert (await heard.reaches(meeting.id, *ENDS)).state is RecordingState.READY
    assert now.size_bytes == Folders(settings.folder).film(row.id).stat().st_size > 4


async def test_a_lost_picture_is_there_again_and_the_film_was_never_away(
    centers: Centers, database: Database, settings: RecordingSettings, heard: Heard, to_compose: ToCompose
) -> None:
    meeting, row = await to_compose(0.2)
    center = await centers.start()
    made = await heard.reaches(meeting.id, *ENDS)
    folders = Folders(settings.folder)
    folders.drop(row.id, Rendition.POSTER)
    film = folders.film(row.id).stat().st_ino
    assert (await center.reconcile()).lost_films == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := await recording_of(database, meeting)).version == 1:
            assert now.state is RecordingState.MENDING
            await asyncio.sleep(GLANCE_SECONDS)
    assert (now.state, now.failure, now.state_since) == (made.state, None, made.since)
    assert folders.rendition(row.id, Rendition.POSTER).exists()
    assert folders.film(row.id).stat().st_ino == film


async def test_records_of_which_no_sense_is_to_be_made_keep_no_job_for_ever(
    centers: Centers, database: Database, settings: RecordingSettings, clock: FakeClock, heard: Heard,
    to_compose: ToCompose,
) -> None:  # fmt: skip
    meeting, row = await to_compose(0.2)
    senseless = [{"name": "of a later version", "size": 4}]
    await to_mend(database, row, settings, renditions=senseless, state=RecordingState.COMPOSING)
    center = await centers.start()
    job = await job_that(lambda job: job.detail is not None, database, row)
    assert (job.detail, job.worker) == ("the supervisor: ValueError", None)
    clock.advance(10)
    center.wake()
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.FAILED, Failure.COMPOSITION_FAILED)
