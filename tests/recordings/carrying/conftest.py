"""Fixtures of the tests of carrying recordings to a remote store."""

from pathlib import Path

import pytest

from database import Database
from recordings.folders import Folders
from recordings.models import Recording
from recordings.renditions import Outputs, Rendition, renditions_out
from tests.factories import FakeClock
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
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
    sizes = {Rendition.FILM: film.stat().st_size, Rendition.POSTER: 3}
    kept = renditions_out(Outputs(sizes))
    await change(database, made, size_bytes=sizes[Rendition.FILM], renditions=kept, ended_at=clock())
    folders.of(made.id).mkdir(parents=True)
    film.rename(folders.film(made.id))
    folders.rendition(made.id, Rendition.POSTER).write_bytes(b"jpg")
    return made


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "recordings")
