"""Brings a film back from the remote store that is to be mended and does not lie here."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from recordings.capture.disk import sync
from recordings.folders import bytes_of
from recordings.models import Recording
from recordings.renditions import FETCHING_FOLDER, FILE_NAMES, Rendition, is_hls_file
from recordings.stock import look_here
from recordings.storage.s3 import S3Store
from recordings.storage.shelf import Shelf
from recordings.storage.store import Entry, Fault, StoreError


async def fetch(recording: Recording, shelf: Shelf) -> None:
    """Every file that the store has of this film and that is not whole here; each appears whole or not at all.

    Whoever watches gets the same bytes from here meanwhile. StoreError, OSError of the disk; KeyError, TypeError or
    ValueError where the records make no sense.
    """
    remote, stock = shelf.remote, await look_here(recording, shelf)
    if recording.stored_version != recording.version:
        return
    if remote is None:
        if not stock.is_here(Rendition.FILM):  # nobody is to take it for lost
            raise StoreError(Fault.REFUSED, "this machine knows of no store")
        return
    whole = {FILE_NAMES[one] for one in stock.wanted if stock.is_here(one)}
    top = shelf.remote_key(recording.id, recording.version, "")
    folder = shelf.folders.of(recording.id)
    async for entry in remote.entries(top):
        name = entry.key.removeprefix(top)
        path = folder / name
        if not _is_a_file_of_ours(name) or name.partition("/")[0] in whole:
            continue
        if await asyncio.to_thread(bytes_of, path) != entry.size:
            await _bring(remote, entry, folder / FETCHING_FOLDER / path.name, path)


def _is_a_file_of_ours(name: str) -> bool:
    """Nobody else's name leads out of the folder."""
    top, _, piece = name.partition("/")
    return is_hls_file(piece) if top == FILE_NAMES[Rendition.HLS] else name in FILE_NAMES.values()


async def _bring(remote: S3Store, entry: Entry, part: Path, path: Path) -> None:
    def begin() -> None:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"")

    def add(piece: bytes | memoryview) -> None:
        with part.open("ab") as file:
            file.write(piece)

    def place() -> None:
        sync(part)
        path.parent.mkdir(exist_ok=True)
        part.replace(path)

    await asyncio.to_thread(begin)
    async with aclosing(remote.read(entry, 0, entry.size)) as pieces:
        async for piece in pieces:
            await asyncio.to_thread(add, piece)
    await asyncio.to_thread(place)
