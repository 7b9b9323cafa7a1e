"""What an operator is told of recordings, and what is cleared away without being asked."""

import argparse
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

import recording_commands
from config import Config
from database import Database
from errors import Problem
from recordings import repository
from recordings.folders import Folders, bytes_of
from recordings.inspection import Inspection
from recordings.losses import Loss, losses_out
from recordings.models import CompositionJob, Recording
from recordings.reconciliation import Reconciliation
from recordings.renditions import COMPOSING_FOLDER, CONVERTING_FOLDER, Outputs, Rendition, renditions_out
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from rooms.meetings.states import MeetingState
from startup import database_of, prepare_folder, recordings_folder
from tests.factories import FakeClock
from tests.recordings.conftest import MakeMeeting
from tests.recordings.films import overwrite, playable, repackaged, streamed
from tests.recordings.rows import change
from tests.statements import statements

FILM_BYTES = 3 << 20


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """The one that the commands find."""
    config = Config(data_dir=tmp_path / "data")
    prepare_folder(config.data_dir)
    database = database_of(config)
    await database.migrate(lambda _: None)
    yield database
    await database.dispose()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path / "data")


@pytest.fixture
def folders(config: Config) -> Folders:
    return Folders(recordings_folder(config))


async def row_of(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, state: RecordingState,
    failure: Failure | None = None,
) -> Recording:  # fmt: skip
    """A recording with something captured."""
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        row = repository.add(session, meeting, clock())
        row.state, row.failure, row.ended_at, row.state_since = state, failure, clock(), clock()
        row.version, row.duration_seconds, row.size_bytes = 1, 2.0, FILM_BYTES
    track = folders.segment(row.id, 1) / "track.mkv"
    track.parent.mkdir(parents=True)
    track.write_bytes(b"packets")
    clock.advance(1)
    return row


def of_size(path: Path, size: int) -> None:
    """A file of so many bytes, whatever they are."""
    path.touch()
    os.truncate(path, size)


async def test_the_operator_is_told_which_films_do_not_play_and_has_one_made_anew(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole, cut, gone, failed = [
        await row_of(database, make_meeting, clock, folders, state, failure)
        for state, failure in (
            (RecordingState.READY, None),
            (RecordingState.READY, None),
            (RecordingState.DAMAGED, Failure.DISK_FULL),
            (RecordingState.FAILED, Failure.COMPOSITION_FAILED),
        )
    ]
    film = playable(folders.film(whole.id)).read_bytes()
    folders.film(cut.id).write_bytes(film[: len(film) * 2 // 3])
    for row in (whole, cut):
        await change(database, row, size_bytes=len(film))
    (folders.root / "lost+found").mkdir()
    (folders.root / "lost+found" / "1").write_bytes(bytes(1 << 20))
    (folders.of(failed.id) / COMPOSING_FOLDER).mkdir()
    (folders.of(failed.id) / COMPOSING_FOLDER / "720p-00000.mp4").write_bytes(bytes(1 << 21))

    assert (
        await recording_commands.check_recordings(config, argparse.Namespace()) == recording_commands.BROKEN
    )
    said = capsys.readouterr().out
    broken = {line.split()[1] for line in said.splitlines() if line.startswith("broken:")}
    assert broken == {cut.id, gone.id}
    assert "3 films, 2 broken" in said
    assert "of no recording: lost+found  1.0 MiB" in said
    assert f"temporary: {failed.id}/{COMPOSING_FOLDER}  2.0 MiB" in said

    assert await recording_commands.recompose(config, argparse.Namespace(id=cut.id)) == 0
    async with database.reading() as session:
        assert await session.get(CompositionJob, cut.id) is not None
    capsys.readouterr()
    assert await recording_commands.list_recordings(config, argparse.Namespace()) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[1], line[2], line[3]) for line in lines[1:]] == [
        (failed.id, "failed", "composition_failed", "3.0"), (gone.id, "damaged", "disk_full", "3.0"),
        (cut.id, "composing", "-", "0.0"), (whole.id, "ready", "-", "0.0"),
    ]  # fmt: skip
    assert whole.meeting_id in lines[4]


@pytest.mark.parametrize("broken", [None, "meeting.mp4", "sound.m4a", "hls/240p.m4s"])
async def test_what_of_a_film_does_not_play_is_named_be_it_as_large_as_it_was(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, broken: str | None
) -> None:
    row = await row_of(database, make_meeting, clock, folders, RecordingState.READY)
    film = playable(folders.film(row.id))
    sound = repackaged(film, folders.rendition(row.id, Rendition.SOUND), "audio", movflags="+faststart")
    streamed(film, folders.rendition(row.id, Rendition.HLS))
    size = film.stat().st_size
    sizes = {Rendition.FILM: size, Rendition.SOUND: sound.stat().st_size}
    sizes[Rendition.HLS] = bytes_of(folders.rendition(row.id, Rendition.HLS))
    await change(database, row, size_bytes=size, renditions=renditions_out(Outputs(sizes)))
    if broken is not None:
        path = folders.of(row.id) / broken
        overwrite(path, path.stat().st_size // 2, b"\xff" * (path.stat().st_size // 3))
    inspection = Inspection(database, folders, Shelf(folders.root, None), clock)
    (fault,) = [one.fault async for one in inspection.films()]
    named = None if fault is None else fault.partition(":")[0].replace("m3u8", "m4s")
    assert named == broken


@pytest.mark.parametrize(
    ("state", "captured", "code"),
    [
        (RecordingState.READY, False, "originals_missing"),
        (RecordingState.COMPOSING, True, "recording_not_settled"),
        (RecordingState.CAPTURING, True, "recording_not_settled"),
        (RecordingState.DELETED, True, "recording_not_found"),
        (None, True, "recording_not_found"),
    ],
)
async def test_what_cannot_be_made_anew_says_why(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, state: RecordingState | None,
    captured: bool, code: str,
) -> None:  # fmt: skip
    inspection = Inspection(database, folders, Shelf(folders.root, None), clock)
    recording_id = "../../etc"
    if state is not None:
        recording_id = (await row_of(database, make_meeting, clock, folders, state)).id
        if not captured:
            (folders.segment(recording_id, 1) / "track.mkv").unlink()
    with pytest.raises(Problem) as refused:
        await inspection.recompose(recording_id)
    assert refused.value.code == code


async def test_half_made_films_go_a_day_after_nobody_goes_on_with_them(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders
) -> None:
    async def half_made(state: RecordingState, folder: str = COMPOSING_FOLDER) -> Path:
        row = await row_of(database, make_meeting, clock, folders, state)
        if state.playable:
            of_size(folders.film(row.id), FILM_BYTES)
        path = folders.of(row.id) / folder
        path.mkdir()
        (path / "part").write_bytes(b"half")
        return path

    old = [
        await half_made(RecordingState.FAILED),
        await half_made(RecordingState.READY, CONVERTING_FOLDER),
    ]
    worked_on = await half_made(RecordingState.COMPOSING)
    clock.advance(timedelta(days=1))
    fresh = await half_made(RecordingState.FAILED)
    (folders.root / "stranger" / COMPOSING_FOLDER).mkdir(parents=True)
    shelf = Shelf(folders.root, None)
    reconciliation = Reconciliation(database, folders, shelf, clock, lambda _: False)
    assert (await reconciliation.run()).cleared == 2
    assert [path.exists() for path in (*old, worked_on, fresh)] == [False, False, True, True]
    assert (folders.root / "stranger" / COMPOSING_FOLDER).exists()
    assert (folders.segment(old[0].parent.name, 1) / "track.mkv").exists(), "what was captured stays"
    with statements(database) as some:
        assert (await reconciliation.run()).cleared == 0
    for _ in range(2):
        await half_made(RecordingState.FAILED)
    with statements(database) as more:
        assert (await reconciliation.run()).cleared == 0
    assert len(more) == len(some), "none for a folder that is to stay"


async def test_a_film_that_was_cut_off_is_made_anew_or_is_what_is_left(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders
) -> None:
    whole, cut, last, gone = [
        await row_of(database, make_meeting, clock, folders, RecordingState.READY) for _ in range(4)
    ]
    for row, size in ((whole, FILM_BYTES), (cut, FILM_BYTES - 1), (last, FILM_BYTES - 1)):
        of_size(folders.film(row.id), size)
    for row in (last, gone):
        (folders.segment(row.id, 1) / "track.mkv").unlink()
    reconciliation = Reconciliation(database, folders, Shelf(folders.root, None), clock, lambda _: False)
    assert (await reconciliation.run()).lost_films == 3
    async with database.reading() as session:
        rows = [await repository.get(session, row.id) for row in (whole, cut, last, gone)]
    assert [(row.state, row.failure, row.size_bytes) for row in rows if row is not None] == [
        (RecordingState.READY, None, FILM_BYTES), (RecordingState.COMPOSING, None, FILM_BYTES),
        (RecordingState.DAMAGED, Failure.FILES_MISSING, FILM_BYTES - 1),
        (RecordingState.FAILED, Failure.FILES_MISSING, FILM_BYTES),
    ]  # fmt: skip
    assert (await reconciliation.run()).lost_films == 0, "what is left is all there will be"


async def test_the_operator_is_told_what_of_a_meeting_is_not_in_its_film(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders, config: Config,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    row = await row_of(
        database, make_meeting, clock, folders, RecordingState.DAMAGED, Failure.CAPTURE_UNREADABLE
    )
    lost = Loss("segment-0001/2", "camera", "SIGSEGV"), Loss("segment-0001/3", "microphone", "damaged", 4.25)
    await change(database, row, losses=losses_out(lost))
    await recording_commands.list_recordings(config, argparse.Namespace())
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"of {row.id} is not in the film: segment-0001/2 (camera): SIGSEGV",
        f"of {row.id} is not in the film: segment-0001/3 (microphone): damaged, 4.2 s",
    ]
