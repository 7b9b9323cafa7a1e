"""Fixtures of the tests of carrying recordings to a remote store."""

from pathlib import Path

import pytest

from database import Database
from recordings.folders import Folders
from recordings.models import Recording
from recordings.renditions import Rendition
from tests.factories import FakeClock
from tests.recordings.conftest import MakeMeeting
from tests.recordings.test_library import recorded


@pytest.fixture
async def row(
    database: Database,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    folders: Folders,
    film: Path,
) -> Recording:
    """A recording that is ready, with its film and a poster on the disk."""
    made = await recorded(database, await make_meeting(), clock)
    folders.of(made.id).mkdir(parents=True)
    film.rename(folders.film(made.id))
    folders.rendition(made.id, Rendition.POSTER).write_bytes(b"jpg")
    return made


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "recordings")
