"""Stores: what holds for both kinds, and what only a network can spoil. Against a real S3-speaking server."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from recordings.storage.local import LocalStore
from recordings.storage.s3 import S3Store
from recordings.storage.store import CHUNK_BYTES, Entry, Fault, Ledger, Part, PartialUpload, Store, StoreError
from tests.patience import PATIENCE_SECONDS
from tests.recordings.loop import asked_by_the_loop
from tests.recordings.test_reading_ahead import take
from tests.s3 import PART_BYTES, SECRET_KEY, S3Server

pytestmark = pytest.mark.one_engine


encrypted_or_not = pytest.mark.parametrize(
    "s3_server", [False, True], ids=["plain", "encrypted"], indirect=True
)


class Memory(Ledger):
    """A ledger without a database."""

    def __init__(self) -> None:
        self.uploads: dict[str, PartialUpload] = {}
        self.bytes = 0

    async def unfinished(self, key: str) -> PartialUpload | None:
        return self.uploads.get(key)

    async def begun(self, upload: PartialUpload) -> None:
        self.uploads[upload.key] = upload

    async def arrived(self, key: str, number: int, part: Part) -> None:
        self.uploads[key].parts[number] = part

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
    return await part_of(store, found, begin, end)


async def part_of(store: Store, entry: Entry, begin: int, end: int) -> bytes:
    return b"".join([piece async for piece in store.read(entry, begin, end)])


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


async def put_bytes(remote: S3Store, key: str, data: bytes, folder: Path) -> Entry:
    path = folder / "file"
    path.write_bytes(data)
    await remote.put(key, path, "video/mp4", Memory())
    found = await remote.stat(key)
    assert found is not None
    return found


async def test_any_number_who_read_slowly_keep_nobody_from_the_store(remote: S3Store, tmp_path: Path) -> None:
    film = os.urandom(2 * CHUNK_BYTES)
    entry = await put_bytes(remote, "d/film.mp4", film, tmp_path)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_SECONDS):
        reading = [aclosing(remote.read(entry, 0, entry.size)) for _ in range(300)]
        readers = [await stack.enter_async_context(one) for one in reading]
        firsts = await asyncio.gather(*map(anext, readers))
        assert await remote.stat(entry.key) == entry
    assert set(map(bytes, firsts)) == {film[:CHUNK_BYTES]}


@encrypted_or_not
async def test_of_a_film_that_is_replaced_meanwhile_nothing_more_is_read(
    remote: S3Store, tmp_path: Path
) -> None:
    film = os.urandom(8 * CHUNK_BYTES)
    entry = await put_bytes(remote, "e/film.mp4", film, tmp_path)
    async with aclosing(remote.read(entry, 0, entry.size)) as pieces:
        read = bytearray(await anext(pieces))
        await put_bytes(remote, entry.key, bytes(len(film)), tmp_path)
        with pytest.raises(StoreError) as ended:
            await take(pieces, read)
    assert ended.value.fault is Fault.MISSING
    assert read == film[: len(read)], "half of one film and half of another is none"
    for begin in (0, CHUNK_BYTES):  # as for the second of several parts
        with pytest.raises(StoreError) as ended:
            await part_of(remote, entry, begin, entry.size)
        assert ended.value.fault is Fault.MISSING
    await put_bytes(remote, entry.key, bytes(CHUNK_BYTES + 1), tmp_path)
    with pytest.raises(StoreError) as ended:
        await part_of(remote, entry, 0, entry.size)
    assert ended.value.fault is Fault.MISSING


LONG = 8 * 1024 * 1024
HEAD = f"HTTP/1.1 206 Partial Content\r\nContent-Length: {LONG}\r\nContent-Range: bytes 0-{CHUNK_BYTES - 1}/{LONG}\r\n"


@pytest.mark.parametrize(
    "head",
    ["", HEAD[:9], f"{HEAD}\r\n"],
    ids=["says nothing", "trickles its answer", "trickles the film"],
)
async def test_who_watches_and_who_carries_films_there_hear_within_seconds_that_a_store_gives_and_takes_nothing(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    """It takes connections, and what is asked; it begins an answer at most, and takes and gives a byte now and then."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(asyncio.current_task())
        with suppress(asyncio.CancelledError, ConnectionError):
            writer.write(head.encode())
            while head and await reader.read(1):
                await asyncio.sleep(0.005)
                writer.write(b"a")
            await reader.read()
        writer.close()

    heard: list[asyncio.Task[None] | None] = []
    film = tmp_path / "film"
    film.write_bytes(bytes(LONG))
    for name in ("_PATIENCE_SECONDS", "_SILENT_SECONDS", "_ANSWER_SECONDS"):
        monkeypatch.setattr(f"recordings.storage.s3.{name}", 0.05)
    async with await asyncio.start_server(hear, "127.0.0.1", limit=1) as mute:
        port = mute.sockets[0].getsockname()[1]
        there = {"endpoint_url": f"http://127.0.0.1:{port}", "part_bytes": 2 * LONG}
        store = S3Store(s3.settings.model_copy(update=there))
        async with asyncio.timeout(PATIENCE_SECONDS):
            for asked in (
                store.stat("f"),
                part_of(store, Entry("f", LONG), 0, LONG),
                store.put("f", film, "video/mp4", Memory()),
                store.check(),
            ):
                with pytest.raises(StoreError) as silent:
                    await asked
                assert silent.value.fault is Fault.UNREACHABLE
        await store.close()
        for connection in filter(None, heard):
            if head:  # all that was sent there is still to be read, a byte now and then
                connection.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*filter(None, heard))


class Interrupted(Memory):
    """So many parts arrive, then the line is gone."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    async def sent(self, size: int) -> None:
        await super().sent(size)
        self.parts -= 1
        if not self.parts:
            raise StoreError(Fault.UNREACHABLE)


@encrypted_or_not
async def test_parts_are_sent_again_only_where_they_are_not_what_arrived(remote: S3Store, film: Path) -> None:
    size, ledger = film.stat().st_size, Interrupted(2)
    with pytest.raises(StoreError):
        await remote.put("g/film.mp4", film, "video/mp4", ledger)
    assert ledger.bytes == 2 * PART_BYTES
    with film.open("r+b") as changed:
        changed.write(b"other")
    await remote.put("g/film.mp4", film, "video/mp4", ledger)
    assert ledger.bytes == 2 * PART_BYTES + PART_BYTES + size - 2 * PART_BYTES
    assert await content(remote, "g/film.mp4", 0, size) == film.read_bytes()
