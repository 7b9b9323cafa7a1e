"""Fixtures of the tests of rules, holds and deletions."""

import pytest

from database import Database
from members.policy import Actor
from recordings.folders import Folders
from recordings.models import Recording
from recordings.settings import RecordingSettings
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.rules import Rules
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.running import RunningServer
from tests.recordings.test_library import everybody, recorded


@pytest.fixture
def folders(settings: RecordingSettings) -> Folders:
    return Folders(settings.folder)


@pytest.fixture
def deletions(database: Database, clock: FakeClock) -> Deletions:
    return Deletions(database, clock)


@pytest.fixture
def server(database: Database, clock: FakeClock) -> RunningServer:
    return RunningServer(database, clock)


@pytest.fixture
def rules(database: Database, clock: FakeClock) -> Rules:
    return Rules(database, clock)


@pytest.fixture
async def people(records: Records, tree: Tree) -> dict[str, Actor]:
    return await everybody(records, tree)


@pytest.fixture
async def recording(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders
) -> Recording:
    """A lecture that is ready, with files."""
    row = await recorded(database, await make_meeting(MeetingKind.LECTURE, MeetingState.ENDED), clock)
    await change(database, row, ended_at=clock())
    segment = folders.segment(row.id, 1)
    segment.mkdir(parents=True)
    (segment / "track.mkv").write_bytes(b"track")
    folders.film(row.id).write_bytes(b"film")
    return row
