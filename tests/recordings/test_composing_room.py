"""What compositions take of the disk: known before they begin, promised once, and never what capture needs."""

import os
import shutil
from datetime import timedelta
from typing import Any

import pytest

from database import Database, new_id
from members.policy import RoleName
from recordings.compose.brief import Brief
from recordings.compose.report import Finished
from recordings.composing import process, service
from recordings.composing.room import NoRoom, Room, bytes_wanted
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, Folders
from recordings.library import Library
from recordings.models import Recording
from recordings.notices import NoticeKind, Notices
from recordings.renditions import COMPOSING_FOLDER, Outputs, Rendition
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from recordings.uploads.room import bytes_made
from tests.factories import FakeClock, Records, Tree
from tests.recordings.attempts import SILENT, a_child, children, job_of, put_off
from tests.recordings.conftest import ENDS, Centers, Heard, ToCompose, until

pytestmark = pytest.mark.one_engine

MEGA = 1_000_000
GIGA = 1_000 * MEGA
HOUR = 3600.0
SIZES_FROM = Brief(hls_seconds=HOUR)
STANDING = Brief(
    standing=Finished(HOUR, Outputs({Rendition.FILM: 400, Rendition.SOUND: 30, Rendition.POSTER: 2}), None)
)


@pytest.fixture
def folders(settings: RecordingSettings) -> Folders:
    settings.folder.mkdir(parents=True, exist_ok=True)
    return Folders(settings.folder)


def captured(folders: Folders, clock: FakeClock, size: int, seconds: float = 0.0) -> Recording:
    """A recording of so many bytes, none of which takes room here."""
    row = Recording(id=new_id(), started_at=clock(), ended_at=clock() + timedelta(seconds=seconds))
    grow(folders, row, "segment-0001/track.mkv", size)
    return row


def grow(folders: Folders, row: Recording, name: str, size: int) -> None:
    path = folders.of(row.id) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, size)


def leaving(settings: RecordingSettings, room: int) -> None:
    """The disk has no more than this left for compositions."""
    object.__setattr__(settings, "min_free_bytes", (shutil.disk_usage(settings.folder).free - room) // 2)


@pytest.mark.parametrize(
    ("size", "seconds", "brief", "wanted"),
    [
        pytest.param(9 * GIGA, HOUR - 1, SIZES_FROM, 990 * MEGA, id="cameras"),
        pytest.param(9 * GIGA, HOUR, SIZES_FROM, 1_980 * MEGA, id="in all sizes"),
        pytest.param(9 * GIGA, 60.0, Brief(hls_seconds=0.0), 33 * MEGA, id="a lecture"),
        pytest.param(20 * MEGA, HOUR - 1, SIZES_FROM, 80 * MEGA, id="voices alone"),
        pytest.param(20 * MEGA, -HOUR, SIZES_FROM, 80 * MEGA, id="the clock was wrong"),
        pytest.param(20 * MEGA, HOUR, STANDING, 32, id="sound and poster are lost"),
    ],
)
def test_what_a_composition_takes_is_told_by_its_length_and_what_was_captured(
    folders: Folders, clock: FakeClock, size: int, seconds: float, brief: Brief, wanted: int
) -> None:
    row = captured(folders, clock, size, seconds)
    if brief is STANDING:
        grow(folders, row, "meeting.mp4", 400)
    assert bytes_wanted(row, brief, folders) == pytest.approx(wanted, rel=0.001)


@pytest.mark.parametrize(
    ("brief", "sizes"),
    [(SIZES_FROM, False), (Brief(hls_seconds=60.0), True)],
    ids=["one size", "three sizes"],
)
def test_an_uploaded_film_takes_what_was_promised_when_it_came(
    folders: Folders, clock: FakeClock, brief: Brief, *, sizes: bool
) -> None:
    """Not by how long ago it was filmed."""
    row = captured(folders, clock, 0, 9 * HOUR)
    row.uploader_account_id, row.source_seconds = new_id(), 60.0
    grow(folders, row, f"{SOURCE_FOLDER}/{SOURCE_NAME}", 20 * MEGA)
    assert bytes_wanted(row, brief, folders) == bytes_made(20 * MEGA, 60.0, in_all_sizes=sizes)


async def test_room_is_promised_once_and_what_is_written_of_it_is_not_asked_for_twice(
    folders: Folders, settings: RecordingSettings, clock: FakeClock
) -> None:
    room = Room(folders, settings)
    first, second = [captured(folders, clock, GIGA // 2) for _ in range(2)]  # two each
    leaving(settings, 3 * GIGA)
    async with room.promised(first, Brief()):
        with pytest.raises(NoRoom):
            async with room.promised(second, Brief()):
                pass
        grow(folders, first, f"{COMPOSING_FOLDER}/720p-00000.mp4", 3 * GIGA // 2)
        async with room.promised(second, Brief()):
            pass
    leaving(settings, GIGA)
    async with room.promised(first, Brief()):  # it goes on with what it had
        await room.require_rest()
        leaving(settings, -GIGA)
        with pytest.raises(NoRoom):
            await room.require_rest()


async def test_a_composition_that_does_not_fit_waits_and_officers_are_told(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
    records: Records,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secretary = await records.actor((RoleName.SECRETARY, tree.branch))
    meeting, row = await to_compose(0.2)
    begun: list[object] = []
    command = process.command

    def begin(*given: Any) -> list[str]:
        begun.append(given)
        return command(*given)

    monkeypatch.setattr(process, "command", begin)
    leaving(settings, -GIGA)
    center = await centers.start()
    due = await put_off(database, row, clock())
    assert (
        await Library(database, Shelf(settings.folder, None), clock).get(secretary, row.id)
    ).waits_for_room
    (notice,) = await Notices(database, clock).of(secretary)
    assert (notice.kind, notice.reason) == (NoticeKind.RECORDING_WAITS, Failure.DISK_FULL)
    assert begun == []
    assert (await job_of(database, row)).attempts == 0
    leaving(settings, GIGA)
    clock.now = due
    center.wake()
    assert (await heard.reaches(meeting.id, *ENDS)).state is RecordingState.READY


async def test_a_composition_that_takes_more_is_stopped_before_capture_is(
    centers: Centers,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    to_compose: ToCompose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, row = await to_compose(0.2)
    monkeypatch.setattr(process, "command", lambda *_: SILENT)
    monkeypatch.setattr(service, "_PROGRESS_SECONDS", 0.02)
    await centers.start()
    child = await a_child()
    leaving(settings, -GIGA)
    await until(lambda: child not in children())
    await put_off(database, row, clock())
    job = await job_of(database, row)
    assert (job.attempts, job.worker, job.no_room_since) == (0, None, clock())
