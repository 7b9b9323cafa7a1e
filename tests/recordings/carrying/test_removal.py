"""Recordings that leave every store. Against a real S3-speaking server."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from database import Database, new_id
from recordings.folders import Folders
from recordings.models import Recording
from recordings.reconciliation import Reconciliation
from recordings.states import RecordingState
from recordings.storage import repository
from recordings.storage.models import StorageJob, Task
from recordings.storage.s3 import S3Store
from recordings.storage.store import Ledger
from tests.factories import FakeClock
from tests.patience import PATIENCE_SECONDS
from tests.recordings.carrying.carrier import Carrier, Slow, stored_version
from tests.recordings.conftest import MakeMeeting, until
from tests.recordings.rows import change
from tests.recordings.test_library import recorded
from tests.s3 import S3Server

pytestmark = pytest.mark.one_engine


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
