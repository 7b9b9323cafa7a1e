"""Recordings carried to a remote store, and taken from it. Against a real S3-speaking server."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from database import Database, new_id
from members.policy import RoleName
from recordings.folders import Folders
from recordings.library import Library
from recordings.models import Recording
from recordings.reconciliation import Reconciliation
from recordings.renditions import PLAYLIST_TYPE, SEGMENT_TYPE, Rendition
from recordings.states import RecordingState
from recordings.storage import repository
from recordings.storage.models import StorageJob, Task
from recordings.storage.publisher import Publisher
from recordings.storage.s3 import S3Store
from recordings.storage.shelf import Shelf
from recordings.storage.store import Entry, Fault, Ledger
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.recordings.carrying.carrier import Carrier, Slow, stored_version
from tests.recordings.loop import asked_by_the_loop
from tests.recordings.rows import change
from tests.recordings.test_storage import content, encrypted_or_not
from tests.s3 import PART_BYTES, SECRET_KEY, S3Server

pytestmark = pytest.mark.one_engine


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
        if self.asked == 4:  # what is there before, twice, and after
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
        again.version, again.state, again.size_bytes = 2, RecordingState.DAMAGED, 7
        again.renditions = [
            {**entry, "size": 7} if entry["name"] == "film" else entry for entry in again.renditions
        ]
    await carrier.work()
    assert await stored_version(database, row) == 2
    assert carrier.shelf.remote is not None
    keys = {entry.key: entry.size async for entry in carrier.shelf.remote.entries(f"{row.id}/")}
    assert keys == {f"{row.id}/v2/meeting.mp4": 7, f"{row.id}/v2/poster.jpg": 3}
    await carrier.shelf.close()


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


class Forgetful(S3Store):
    """Takes a file and does not have it."""

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:
        if not key.endswith("poster.jpg"):
            await super().put(key, path, content_type, ledger)


@pytest.mark.parametrize(
    ("lacking", "fault"),
    [("here", Fault.MISSING), ("there", Fault.CORRUPTED), ("the end of its making", None)],
)
async def test_nothing_is_called_stored_of_which_the_store_has_less_than_the_records_say(
    database: Database, row: Recording, folders: Folders, s3: S3Server, clock: FakeClock, lacking: str,
    fault: Fault | None,
) -> None:  # fmt: skip
    carrier = Carrier(database, folders, s3, clock, keep_local=False)
    async with database.transaction() as session:
        await repository.enqueue_unpublished(session, clock())
    if lacking == "here":
        folders.drop(row.id, Rendition.POSTER)
    elif lacking == "there":
        carrier.shelf.remote = Forgetful(s3.settings)
    else:
        await change(database, row, state=RecordingState.COMPOSING)
    assert await carrier.publisher.work_once(Task.PUBLISH)
    assert (await stored_version(database, row), folders.film(row.id).exists()) == (0, True)
    async with database.reading() as session:
        job = await session.get(StorageJob, row.id)
    assert (job and job.fault) is fault, "it is tried again, or when the film stands"
    remote = carrier.shelf.remote
    assert remote is not None
    sent = {entry.key async for entry in remote.entries(f"{row.id}/")}
    assert sent == ({f"{row.id}/v1/meeting.mp4"} if lacking == "there" else set())
    await carrier.shelf.close()
