"""What uploads take of the disk: promised once, and never what capture of running meetings needs."""

import shutil
from pathlib import Path

import pytest

from database import Database
from errors import Problem
from members.policy import Actor, Audience, RoleName
from recordings.settings import RecordingSettings
from recordings.uploads import files
from recordings.uploads.service import Uploads
from recordings.uploads.views import NewFilm
from rooms.meetings.states import MeetingKind
from tests.factories import FakeClock, Records, Tree

FILM_BYTES = 4 * 1024**3


@pytest.fixture
async def secretary(records: Records, tree: Tree) -> Actor:
    return await records.actor((RoleName.SECRETARY, tree.branch))


def test_a_disk_without_room_is_told_before_the_first_byte(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert files.has_room(tmp_path, 2048, 0)
    assert not files.has_room(tmp_path, free + 1024**3, 0)
    assert not files.has_room(tmp_path, 1024, free)


async def test_room_is_promised_once_and_what_capture_needs_is_left(
    database: Database, tree: Tree, clock: FakeClock, settings: RecordingSettings, secretary: Actor
) -> None:
    """Of two films that fit singly one is taken; and no chunk more of it where the disk has filled otherwise."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.folder).free
    film = NewFilm(
        tree.branch.id, "党史讲座", MeetingKind.LECTURE, Audience.ORGANIZATION, clock(), size_bytes=FILM_BYTES
    )

    def leaving(least: int) -> Uploads:
        tight = settings.model_copy(update={"min_free_bytes": least})
        return Uploads(database, tight, clock, lambda: None)

    uploads = leaving((free - 3 * FILM_BYTES) // 2)  # a film and what is made of it, and half of that again
    begun = await uploads.begin(secretary, film)
    with pytest.raises(Problem) as refused:
        await uploads.begin(secretary, film)
    assert refused.value.code == "storage_full"
    with pytest.raises(Problem) as refused:
        await leaving(free).append(secretary, begun.id, 0, b"x")
    assert refused.value.code == "storage_full"
    assert (await uploads.append(secretary, begun.id, 0, b"x")).offset == 1
