"""Recordings carried to a remote store, taken from it, and removed. Against a real S3-speaking server."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from database import Database, new_id
from members.policy import RoleName
from recordings.folders import Folders, bytes_of
from recordings.library import Library
from recordings.models import Recording
from recordings.reconciliation import Reconciliation
from recordings.renditions import PLAYLIST_TYPE, SEGMENT_TYPE, Outputs, Rendition, renditions_out
from recordings.states import Failure, RecordingState
from recordings.storage import repository
from recordings.storage.models import StorageJob, Task
from recordings.storage.publisher import Publisher
from recordings.storage.s3 import S3Store
from recordings.storage.settings import StorageSettings
from recordings.storage.shelf import Shelf
from recordings.storage.store import Entry, Fault, Ledger
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.recordings.conftest import MakeMeeting, until
from tests.recordings.loop import asked_by_the_loop
from tests.recordings.rows import change
from tests.recordings.test_library import recorded
from tests.recordings.test_storage import Memory, content, encrypted_or_not
from tests.s3 import PART_BYTES, SECRET_KEY, S3Server

pytestmark = pytest.mark.one_engine


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


class Carrier:
    """A publisher on the test's folder and server."""

    def __init__(
        self, database: Database, folders: Folders, s3: S3Server, clock: FakeClock, **change: object
    ) -> None:
        settings = s3.settings.model_copy(update=change)
        self.shelf = Shelf(folders.root, settings)
        self.publisher = Publisher(database, folders, self.shelf, settings, clock)

    async def work(self) -> None:
        """Take one job of each kind, as after a start."""
        await self.publisher.start()
        await self.publisher.stop()
        for task in Task:
            await self.publisher.work_once(task)
        await self.shelf.close()


async def stored_version(database: Database, row: Recording) -> int:
    async with database.reading() as session:
        return (await session.get_one(Recording, row.id)).stored_version


@encrypted_or_not
async def test_an_upload_goes_on_after_the_process_was_killed(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    settings = s3.settings.model_dump_json().replace("**********", SECRET_KEY)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.recordings.killed_upload",
        database.url.render_as_string().replace("+aiosqlite", ""), str(folders.root), settings, "2",
    )  # fmt: skip
    assert await process.wait() == -9
    assert await stored_version(database, row) == 0
    size = folders.film(row.id).stat().st_size
    carrier = Carrier(database, folders, s3, clock, keep_local=False)
    clock.now += timedelta(days=365)  # the killed process had the machine's own clock
    await carrier.work()
    assert carrier.publisher.counters.sent_bytes == size - 2 * PART_BYTES + 3, (
        "what had arrived was sent again"
    )
    assert await stored_version(database, row) == 1
    assert not folders.film(row.id).exists()
    found = await carrier.shelf.find(row.id, 1, 1, "meeting.mp4")
    assert found is not None
    assert found.entry.size == size
    last = await content(found.store, found.entry.key, size - 4, size)
    assert int.from_bytes(last, "big") == size // 4 - 1
    await carrier.shelf.close()


async def test_a_store_that_is_away_is_tried_again_and_nothing_is_lost(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    s3.kill()
    carrier = Carrier(database, folders, s3, clock, keep_local=False)
    pauses = []
    for _ in range(3):
        assert await carrier.publisher.work_once(Task.PUBLISH)
        async with database.reading() as session:
            job = await session.get_one(StorageJob, row.id)
            assert job.fault is Fault.UNREACHABLE
            pauses.append((job.not_before - clock()).total_seconds())
        assert not await carrier.publisher.work_once(Task.PUBLISH), "not before its time"
        clock.advance(pauses[-1])
    assert pauses == [10, 20, 40]
    assert folders.film(row.id).exists()
    await s3.start()
    await carrier.work()
    assert await stored_version(database, row) == 1


class Tidied(S3Store):
    """Does something when it is asked what can go, after everything was sent."""

    then: Callable[[], Awaitable[None]]
    asked = 0

    async def entries(self, prefix: str) -> AsyncIterator[Entry]:
        self.asked += 1
        if self.asked == 2:
            await self.then()
        async for entry in super().entries(prefix):
            yield entry


@pytest.mark.parametrize(
    "then", ["the store goes away", "it is composed anew", "that begins, and fails", "it is mended"]
)
async def test_the_local_film_goes_when_all_is_done_and_never_a_newer_one(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock, then: str
) -> None:
    async def away() -> None:
        s3.kill()

    async def anew() -> None:
        await change(database, row, version=2)

    async def composing() -> None:
        mends = then == "it is mended"
        await change(database, row, state=RecordingState.MENDING if mends else RecordingState.COMPOSING)

    carrier = Carrier(database, folders, s3, clock, keep_local=False)
    carrier.shelf.remote = Tidied(s3.settings)
    carrier.shelf.remote.then = {"the store goes away": away, "it is composed anew": anew}.get(
        then, composing
    )
    assert await carrier.publisher.work_once(Task.PUBLISH)
    assert (await stored_version(database, row), folders.film(row.id).exists()) == (1, True)
    await s3.start()
    clock.advance(60)
    await carrier.work()
    if then in {"that begins, and fails", "it is mended"}:
        reconciliation = Reconciliation(database, folders, carrier.shelf, clock, lambda _: False)
        await reconciliation.run()
        assert folders.film(row.id).exists(), "what is composed may stand here"
        size = folders.film(row.id).stat().st_size
        await change(database, row, state=RecordingState.DAMAGED, ended_at=clock(), size_bytes=size)
        assert (await reconciliation.run()).lost_films == 0
    assert not folders.film(row.id).exists()
    assert await stored_version(database, row) == (2 if then == "it is composed anew" else 1)
    await carrier.shelf.close()


async def test_a_removed_recording_leaves_every_store_however_often_it_is_interrupted(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    carrier = Carrier(database, folders, s3, clock, archive_originals=True)
    original = folders.segment(row.id, 1) / "track.mkv"
    original.parent.mkdir()
    original.write_bytes(b"packets")
    await carrier.work()
    remote = carrier.shelf.remote
    assert remote is not None
    assert {entry.key async for entry in remote.entries(f"{row.id}/")} == {
        f"{row.id}/v1/meeting.mp4", f"{row.id}/v1/poster.jpg", f"{row.id}/originals/segment-0001/track.mkv",
    }  # fmt: skip
    async with database.transaction() as session:
        await session.delete(await session.get_one(Recording, row.id))
        await repository.remove_soon(session, row.id, clock())
    s3.kill()
    assert await carrier.publisher.work_once(Task.REMOVE)
    assert not folders.of(row.id).exists()
    await s3.start()
    clock.advance(60)
    await carrier.work()
    assert [entry async for entry in remote.entries(f"{row.id}/")] == []
    async with database.reading() as session:
        assert await session.get(StorageJob, row.id) is None
    await carrier.shelf.close()


class Killed(BaseException):
    """The process is gone from one moment to the next."""


class Late(S3Store):
    """Something happens while a file is on its way; it arrives all the same, for it was read before."""

    late: str
    meanwhile: Callable[[], Awaitable[None]]
    after: type[BaseException] | None

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:
        if key != self.late:
            await super().put(key, path, content_type, ledger)
            return
        read = path.rename(path.parents[2] / "read")
        await self.meanwhile()
        await super().put(key, read, content_type, ledger)
        if self.after is not None:
            raise self.after


@pytest.mark.parametrize(
    ("late", "after"),
    [("meeting.mp4", None), ("poster.jpg", None), ("poster.jpg", Killed)],
    ids=["who misses the next file", "who is at the end", "who never comes back"],
)
async def test_nothing_is_left_of_a_recording_that_is_deleted_while_another_publisher_sends_it(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock, make_meeting: MakeMeeting,
    late: str, after: type[BaseException] | None,
) -> None:  # fmt: skip
    stands = await recorded(database, await make_meeting(), clock)
    await change(database, stands, ended_at=clock(), size_bytes=5, renditions=[])
    folders.of(stands.id).mkdir()
    folders.film(stands.id).write_bytes(b"films")
    sending, other = Carrier(database, folders, s3, clock), Carrier(database, folders, s3, clock)
    sending.shelf.remote = store = Late(s3.settings)

    async def delete() -> None:
        async with database.transaction() as session:
            (await session.get_one(Recording, row.id)).state = RecordingState.DELETED
            await repository.remove_soon(session, row.id, clock())
        assert await other.publisher.work_once(Task.REMOVE)
        assert not folders.of(row.id).exists()
        async with database.reading() as session:
            assert await session.get(StorageJob, row.id) is None, "it is removed"

    store.late, store.meanwhile, store.after = f"{row.id}/v1/{late}", delete, after
    with contextlib.suppress(Killed):
        while await sending.publisher.work_once(Task.PUBLISH):
            pass
    reconciliation = Reconciliation(database, folders, other.shelf, clock, lambda _: False)
    found = await reconciliation.run()
    assert (found.left_behind, found.strangers) == (0 if after is None else 1, 0)
    clock.advance(120)
    assert await other.publisher.work_once(Task.REMOVE)
    await other.publisher.work_once(Task.PUBLISH)
    assert [entry async for entry in store.entries(f"{row.id}/")] == []
    assert [entry.key async for entry in store.entries(f"{stands.id}/")] == [f"{stands.id}/v1/meeting.mp4"]
    assert (await reconciliation.run()).left_behind == 0
    await store.close()
    await other.shelf.close()


@pytest.mark.parametrize("serve", ["proxy", "signed"])
async def test_a_stream_is_read_from_the_store_and_its_playlists_never_by_another_address(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock, tree: Tree,
    records: Records, serve: str,
) -> None:  # fmt: skip
    hls = folders.rendition(row.id, Rendition.HLS)
    hls.mkdir()
    for name in ("master.m3u8", "240p.m3u8", "240p-init.mp4", "240p-00000.m4s"):
        (hls / name).write_bytes(name.encode())
    carrier = Carrier(database, folders, s3, clock, keep_local=False, serve=serve)
    await carrier.work()
    assert not hls.exists()
    library = Library(database, carrier.shelf, clock)
    actor = await records.actor((RoleName.SECRETARY, tree.branch))
    opened = await library.open(actor, row.id)
    for name, kind in (
        ("master.m3u8", PLAYLIST_TYPE), ("240p.m3u8", PLAYLIST_TYPE), ("240p-init.mp4", "video/mp4"),
        ("240p-00000.m4s", SEGMENT_TYPE),
    ):  # fmt: skip
        found = await library.file(opened, Rendition.HLS, name)
        assert found.content_type == kind
        assert await content(found.store, found.entry.key, 0, found.entry.size) == name.encode()
        assert (found.signed_seconds is not None) is (serve == "signed" and kind != PLAYLIST_TYPE)
        if found.signed_seconds:
            address = await found.store.signed_url(found.entry.key, found.signed_seconds)
            async with ClientSession() as session, session.get(address or "") as answered:
                assert (await answered.read(), answered.content_type) == (name.encode(), kind)
    await carrier.shelf.close()


async def test_a_recording_composed_anew_is_carried_anew_and_the_old_one_leaves(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    carrier = Carrier(database, folders, s3, clock)
    with asked_by_the_loop(folders.root) as asked:
        await carrier.work()
    assert asked == set()
    folders.film(row.id).write_bytes(b"shorter")
    async with database.transaction() as session:
        again = await session.get_one(Recording, row.id)
        again.version, again.state = 2, RecordingState.DAMAGED
    await carrier.work()
    assert await stored_version(database, row) == 2
    assert carrier.shelf.remote is not None
    keys = {entry.key: entry.size async for entry in carrier.shelf.remote.entries(f"{row.id}/")}
    assert keys == {f"{row.id}/v2/meeting.mp4": 7, f"{row.id}/v2/poster.jpg": 3}
    await carrier.shelf.close()


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
    assert states == [RecordingState.DAMAGED if row is rows[3] else RecordingState.READY for row in rows], (
        "its poster alone is not there"
    )
    assert asked == 3 + 1, "15 files, and the folders"
    s3.kill()
    assert (await reconciliation.run()).lost_films == 0
    assert asked == 3 + 1 + 1, "who does not answer is not asked again in the same round"
    await shelf.close()


class Slow(S3Store):
    """Has not taken the whole of any film before it is told to."""

    def __init__(self, settings: StorageSettings) -> None:
        super().__init__(settings)
        self.sending, self.may_end = asyncio.Event(), asyncio.Event()

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:
        self.sending.set()
        await self.may_end.wait()
        await super().put(key, path, content_type, ledger)


async def test_a_film_that_is_sent_for_longer_than_a_lease_is_sent_by_one_node_and_by_nobody_who_lost_it(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    shelf = Shelf(folders.root, s3.settings)
    shelf.remote = store = Slow(s3.settings)
    one, other = (Publisher(database, folders, shelf, s3.settings, clock, 0.01) for _ in range(2))

    async def leased_for(seconds: float) -> bool:
        async with database.reading() as session:
            until = (await session.get_one(StorageJob, row.id)).lease_until
        return until is not None and (until - clock()).total_seconds() >= seconds

    async with asyncio.timeout(PATIENCE_SECONDS):
        sending = asyncio.create_task(one.work_once(Task.PUBLISH))
        await store.sending.wait()
        for _ in range(2):
            clock.advance(100)
            while not await leased_for(120):  # noqa: ASYNC110 - the records tell nobody
                await asyncio.sleep(0.01)
        assert not await other.work_once(Task.PUBLISH)
        async with database.transaction() as session:
            job = await session.get_one(StorageJob, row.id)
            job.worker = new_id()
        await sending  # though the store has taken nothing
        assert await stored_version(database, row) == 0
        clock.advance(200)
        store.may_end.set()
        assert await other.work_once(Task.PUBLISH), "whoever took it did not come back"
    assert await stored_version(database, row) == 1
    await shelf.close()


async def test_who_makes_room_does_not_wait_for_a_film_that_is_carried_away(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock
) -> None:
    carrier = Carrier(database, folders, s3, clock)
    carrier.shelf.remote = store = Slow(s3.settings)
    gone = new_id()
    folders.film(gone).parent.mkdir()
    folders.film(gone).write_bytes(b"deleted")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await carrier.publisher.start()
        await store.sending.wait()
        async with database.transaction() as session:
            await repository.remove_soon(session, gone, clock())
        carrier.publisher.wake()
        await until(lambda: carrier.publisher.counters.removed == 1)
        assert not folders.of(gone).exists()
        store.may_end.set()
        await until(lambda: carrier.publisher.counters.published == 1)
    assert await stored_version(database, row) == 1
    await carrier.publisher.stop()
    await carrier.shelf.close()


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
    assert [entry["name"] for entry in left.renditions] == ["film", "poster"]
    assert (left.state, left.failure) == (RecordingState.DAMAGED, Failure.FILES_MISSING)
    await carrier.shelf.close()
