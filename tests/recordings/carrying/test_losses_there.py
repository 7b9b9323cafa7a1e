"""What is lost of films in a remote store, found and seen to. Against a real S3-speaking server."""

import os
from pathlib import Path

import pytest

from database import Database
from recordings.folders import Folders, bytes_of
from recordings.models import CompositionJob, Recording
from recordings.reconciliation import Reconciliation
from recordings.renditions import Outputs, Rendition, renditions_out
from recordings.states import RecordingState
from recordings.storage.shelf import Shelf
from tests.factories import FakeClock
from tests.recordings.carrying.carrier import Carrier
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.test_library import recorded
from tests.recordings.test_storage import Memory
from tests.s3 import S3Server

pytestmark = pytest.mark.one_engine


async def test_all_films_are_looked_for_with_one_list_of_the_store_by_pages(
    database: Database, folders: Folders, s3: S3Server, clock: FakeClock, make_meeting: MakeMeeting, tmp_path: Path
) -> None:  # fmt: skip
    shelf = Shelf(folders.root, s3.settings.model_copy(update={"keep_local": False, "prefix": "listed/"}))
    store = shelf.remote
    assert store is not None
    sizes, file, asked = {Rendition.FILM: 4, Rendition.POSTER: 4}, tmp_path / "file", 0
    file.write_bytes(b"file")
    rows = [await recorded(database, await make_meeting(), clock) for _ in range(8)]
    for row in rows:
        await change(
            database, row, ended_at=clock(), stored_version=1, size_bytes=4, renditions=renditions_out(Outputs(sizes))
        )  # fmt: skip
        for name in ("meeting.mp4", "poster.jpg"):
            await store.put(shelf.remote_key(row.id, 1, name), file, "video/mp4", Memory())
    await store.delete(shelf.remote_key(rows[3].id, 1, "poster.jpg"))

    def ask(params: dict[str, object], **_: object) -> None:
        nonlocal asked
        asked += 1
        params["MaxKeys"] = 6

    async with store._asking() as client:
        client.meta.events.register("before-parameter-build.s3.ListObjectsV2", ask)
    reconciliation = Reconciliation(database, folders, shelf, clock, lambda _: False)
    assert (await reconciliation.run()).lost_films == 1
    async with database.reading() as session:
        states = [(await session.get_one(Recording, row.id)).state for row in rows]
    assert states == [RecordingState.MENDING if row is rows[3] else RecordingState.READY for row in rows], (
        "its poster alone is not there"
    )
    assert asked == 3 + 1, "15 files, and the folders"
    s3.kill()
    assert (await reconciliation.run()).lost_films == 0
    assert asked == 3 + 1 + 1, "who does not answer is not asked again in the same round"
    await shelf.close()


async def test_what_is_broken_on_the_disk_gives_way_to_the_whole_in_the_store_and_is_lost_where_there_is_none(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    film, hls = folders.film(row.id), folders.rendition(row.id, Rendition.HLS)
    hls.mkdir()
    for name in ("master.m3u8", "240p.m4s"):
        (hls / name).write_bytes(name.encode())
    sizes = {Rendition.FILM: film.stat().st_size, Rendition.POSTER: 3, Rendition.HLS: bytes_of(hls)}
    await change(
        database, row, size_bytes=sizes[Rendition.FILM], renditions=renditions_out(Outputs(sizes)), ended_at=clock()
    )  # fmt: skip
    carrier = Carrier(database, folders, s3, clock)
    await carrier.work()
    os.truncate(film, 5)
    (hls / "240p.m4s").unlink()
    reconciliation = Reconciliation(database, folders, carrier.shelf, clock, lambda _: False)
    assert (await reconciliation.run()).lost_films == 0
    assert (film.exists(), hls.exists()) == (False, False)
    assert folders.rendition(row.id, Rendition.POSTER).exists(), "it is whole"
    async with database.reading() as session:
        assert (await session.get_one(Recording, row.id)).state is RecordingState.READY
    assert carrier.shelf.remote is not None
    await carrier.shelf.remote.delete(carrier.shelf.remote_key(row.id, 1, "hls/240p.m4s"))
    assert (await reconciliation.run()).lost_films == 1
    async with database.reading() as session:
        left = await session.get_one(Recording, row.id)
        job = await session.get_one(CompositionJob, row.id)
    assert (left.state, left.failure, job.mends) == (RecordingState.MENDING, None, True)
    await carrier.shelf.close()
