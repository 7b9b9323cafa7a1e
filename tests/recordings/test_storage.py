"""Stores: what holds for both kinds, and what only a network can spoil. Against a real S3-speaking server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from recordings.storage.local import LocalStore
from recordings.storage.s3 import S3Store
from recordings.storage.store import Entry, Fault, Ledger, PartialUpload, Store, StoreError
from tests.recordings.loop import asked_by_the_loop
from tests.s3 import PART_BYTES, SECRET_KEY, S3Server

pytestmark = pytest.mark.one_engine


class Memory(Ledger):
    """A ledger without a database."""

    def __init__(self) -> None:
        self.uploads: dict[str, PartialUpload] = {}
        self.bytes = 0

    async def unfinished(self, key: str) -> PartialUpload | None:
        return self.uploads.get(key)

    async def begun(self, upload: PartialUpload) -> None:
        self.uploads[upload.key] = upload

    async def ended(self, key: str) -> None:
        self.uploads.pop(key, None)

    async def sent(self, size: int) -> None:
        self.bytes += size


@pytest.fixture
async def remote(s3: S3Server) -> AsyncIterator[S3Store]:
    store = S3Store(s3.settings)
    yield store
    await store.close()


async def content(store: Store, key: str, begin: int, end: int) -> bytes:
    found = await store.stat(key)
    assert found is not None
    return b"".join([piece async for piece in store.read(found, begin, end)])


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_what_is_put_is_found_listed_read_and_deleted(
    kind: str, remote: S3Store, tmp_path: Path, film: Path
) -> None:
    store: Store = remote if kind == "remote" else LocalStore(tmp_path / "store")
    small = tmp_path / "poster.jpg"
    small.write_bytes(b"jpg")
    ledger = Memory()
    with asked_by_the_loop(tmp_path) as asked:
        await store.put("a1/film.mp4", film, "video/mp4", ledger)
    assert asked == set()
    await store.put("a1/hls/1.m4s", small, "video/iso.segment", ledger)
    await store.put("a10/poster.jpg", small, "image/jpeg", ledger)
    await store.check()
    size = film.stat().st_size
    found = await store.stat("a1/film.mp4")
    assert found is not None
    assert (found.size, ledger.bytes, ledger.uploads) == (size, size + 6, {})
    assert await store.stat("a1/other") is None
    for begin, end in ((0, 10), (PART_BYTES - 3, PART_BYTES + 3), (size - 5, size), (0, size)):
        assert await content(store, "a1/film.mp4", begin, end) == film.read_bytes()[begin:end]
    assert {entry.key async for entry in store.entries("a1/")} == {"a1/film.mp4", "a1/hls/1.m4s"}
    assert await store.folders() >= {"a1", "a10"}
    assert await store.delete("a1/") == 2
    assert await store.delete("a1/") == 0, "deleting twice does nothing"
    assert await store.stat("a1/film.mp4") is None
    assert await store.stat("a10/poster.jpg") is not None, "another whose name begins the same"
    await store.delete("a10/")


@pytest.mark.parametrize("key", ["../out", "a/../../out", "/etc/passwd", ".", ""])
async def test_a_key_does_not_lead_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(StoreError):
        await LocalStore(tmp_path / "store").stat(key)


async def test_a_signed_address_opens_one_file_and_nothing_else(remote: S3Store, tmp_path: Path) -> None:
    file = tmp_path / "film"
    file.write_bytes(b"film")
    await remote.put("b/film.mp4", file, "video/mp4", Memory())
    address = await remote.signed_url("b/film.mp4", 60)
    assert address is not None
    assert SECRET_KEY not in address
    async with ClientSession() as session:
        async with session.get(address, headers={"Range": "bytes=1-2"}) as answered:
            assert (answered.status, await answered.read()) == (206, b"il")
        for changed in (address.replace("film.mp4", "other.mp4"), address.partition("?")[0]):
            async with session.get(changed) as answered:
                assert answered.status == 403


@pytest.mark.parametrize(
    ("change", "fault", "says"),
    [
        ({"secret_key": SecretStr("wrong")}, Fault.CREDENTIALS, "HUITANG_STORAGE__SECRET_KEY"),
        ({"access_key": "nobody"}, Fault.CREDENTIALS, "HUITANG_STORAGE__ACCESS_KEY"),
        ({"bucket": "another"}, Fault.BUCKET_MISSING, "HUITANG_STORAGE__BUCKET"),
        ({"endpoint_url": "http://127.0.0.1:1"}, Fault.UNREACHABLE, "HUITANG_STORAGE__ENDPOINT_URL"),
    ],
)
async def test_a_store_that_cannot_be_used_says_what_to_do(
    s3: S3Server, change: dict[str, object], fault: Fault, says: str
) -> None:
    store = S3Store(s3.settings.model_copy(update=change))
    try:
        with pytest.raises(StoreError) as refused:
            await store.check()
    finally:
        await store.close()
    assert refused.value.fault is fault
    assert says in refused.value.remedy
    assert SECRET_KEY not in str(refused.value)


async def test_a_read_goes_on_where_the_connection_broke(s3: S3Server, remote: S3Store, film: Path) -> None:
    await remote.put("c/film.mp4", film, "video/mp4", Memory())
    size = film.stat().st_size
    read = b""
    async for piece in remote.read(Entry("c/film.mp4", size), 0, size):
        if not read:
            s3.kill()
            await s3.start()
        read += piece
    assert read == film.read_bytes()
