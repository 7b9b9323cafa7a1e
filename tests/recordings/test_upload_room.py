"""What uploads take of the disk: promised once, and never what capture of running meetings needs."""

import os
import shutil
from pathlib import Path

import pytest

from database import Database, new_id
from errors import Problem
from members.policy import Actor, Audience, RoleName
from recordings import repository
from recordings.compose.film import LARGE, SMALLER
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, Folders
from recordings.settings import RecordingSettings
from recordings.uploads import files
from recordings.uploads.room import ALL_BITS, LARGE_BITS, bytes_made
from recordings.uploads.service import Uploads
from recordings.uploads.views import NewFilm
from rooms.meetings.states import MeetingKind
from tests.factories import FakeClock, Records, Tree
from tests.recordings.test_library import uploaded

MEGA = 1_000_000
GIGA = 1_000 * MEGA
FILM_BYTES, FILM_SECONDS = 4 * GIGA, 3600.0
WHOLE_BYTES = FILM_BYTES + bytes_made(FILM_BYTES, FILM_SECONDS, in_all_sizes=True)


@pytest.fixture
async def secretary(records: Records, tree: Tree) -> Actor:
    return await records.actor((RoleName.SECRETARY, tree.branch))


def test_a_disk_without_room_is_told_before_the_first_byte(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert files.has_room(tmp_path, 2048, 0)
    assert not files.has_room(tmp_path, free + 1024**3, 0)
    assert not files.has_room(tmp_path, 1024, free)


@pytest.mark.parametrize(
    ("size", "seconds", "in_all_sizes", "made"),
    [
        pytest.param(100 * MEGA, 1000.0, False, 600 * MEGA, id="few bits, copied or not"),
        pytest.param(100 * MEGA, 1000.0, True, 700 * MEGA, id="few bits in all sizes"),
        pytest.param(700 * MEGA, 1000.0, True, 1795 * MEGA, id="copied, in all sizes"),
        pytest.param(2000 * MEGA, 1000.0, True, 1_407_500_000, id="encoded, in all sizes"),
        pytest.param(2000 * MEGA, 1000.0, False, 825 * MEGA, id="encoded"),
        pytest.param(500 * MEGA, None, False, 825 * MEGA, id="nobody knows how long"),
    ],
)
def test_what_is_made_of_a_film_is_told_by_its_size_and_length(
    size: int, seconds: float | None, made: int, *, in_all_sizes: bool
) -> None:
    assert bytes_made(size, seconds, in_all_sizes=in_all_sizes) == made
    assert (LARGE.bits, sum(one.bits for one in (LARGE, *SMALLER))) == (LARGE_BITS, ALL_BITS)


async def test_room_is_promised_once_and_what_capture_needs_is_left(
    database: Database, tree: Tree, clock: FakeClock, settings: RecordingSettings, secretary: Actor
) -> None:
    """Of two films that fit singly one is taken; and no chunk more of it where the disk has filled otherwise."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.folder).free
    film = NewFilm(
        tree.branch.id, "党史讲座", MeetingKind.LECTURE, Audience.ORGANIZATION, clock(), size_bytes=FILM_BYTES,
        duration_seconds=FILM_SECONDS,
    )  # fmt: skip

    def leaving(room: int) -> Uploads:
        tight = settings.model_copy(update={"min_free_bytes": (free - room) // 2})
        return Uploads(database, tight, clock, lambda: None)

    uploads = leaving(WHOLE_BYTES * 3 // 2)
    begun = await uploads.begin(secretary, film)
    with pytest.raises(Problem) as refused:
        await uploads.begin(secretary, film)
    assert refused.value.code == "storage_full"
    with pytest.raises(Problem) as refused:
        await leaving(-GIGA).append(secretary, begun.id, 0, b"x")
    assert refused.value.code == "storage_full"
    assert (await uploads.append(secretary, begun.id, 0, b"x")).offset == 1


async def test_what_is_made_of_a_film_that_waits_for_its_turn_is_promised_still(
    database: Database, tree: Tree, clock: FakeClock, settings: RecordingSettings, secretary: Actor
) -> None:
    assert secretary.account_id is not None
    waiting = await uploaded(database, tree, secretary.account_id, clock, kind=MeetingKind.LECTURE)
    async with database.transaction() as session:
        row = await session.merge(waiting)
        row.source_seconds = FILM_SECONDS
        await repository.enqueue(session, row, clock())
    source = Folders(settings.folder).of(waiting.id) / SOURCE_FOLDER / SOURCE_NAME
    files.make(source)
    os.truncate(source, FILM_BYTES)  # which takes no room here
    free = shutil.disk_usage(settings.folder).free
    film = NewFilm(
        tree.branch.id, new_id(), MeetingKind.LECTURE, Audience.ORGANIZATION, clock(), size_bytes=MEGA,
        duration_seconds=1.0,
    )  # fmt: skip
    made = WHOLE_BYTES - FILM_BYTES
    for room, taken in ((made, False), (made + 10 * MEGA, True)):
        tight = settings.model_copy(update={"min_free_bytes": (free - room) // 2})
        uploads = Uploads(database, tight, clock, lambda: None)
        if taken:
            await uploads.begin(secretary, film)
        else:
            with pytest.raises(Problem) as refused:
                await uploads.begin(secretary, film)
            assert refused.value.code == "storage_full"
