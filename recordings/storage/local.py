"""The local store: files in a folder of this machine."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar, TypeVarTuple

from recordings.storage.buffers import Buffers
from recordings.storage.open_files import OpenFile, OpenFiles
from recordings.storage.store import CHUNK_BYTES, Entry, Fault, Ledger, Piece, StoreError

_PART_SUFFIX: Final = ".part"

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class LocalStore:
    """Under `root`; blocking calls run in threads."""

    def __init__(self, root: Path) -> None:
        self._files = OpenFiles()
        self._buffers = Buffers()
        self._root = root.resolve()
        self._inside = os.path.join(self._root, "")  # noqa: PTH118 - with a slash at the end

    def path(self, key: str) -> Path:
        """Where the file lies; StoreError for a key that leads out of the root."""
        return Path(self._place(key))

    def _place(self, key: str) -> str:
        """The same for each piece of a film: making a Path takes as long as all the rest of looking for the file."""
        place = os.path.normpath(os.path.join(self._inside, key))  # noqa: PTH118
        if not place.startswith(self._inside):
            raise StoreError(Fault.REFUSED, "a key that leads out of the folder")
        return place

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:  # noqa: ARG002
        """Copy a file; one that lies there already stays as it is."""
        target = self.path(key)
        await ledger.sent(await asyncio.to_thread(_guarded, _copy, path, target))

    async def stat(self, key: str) -> Entry | None:
        """The file, or None."""
        try:
            file = await self._open(key)  # whoever asks will read it
            return Entry(key, file.size, file.tag)
        except StoreError as error:
            if error.fault is Fault.MISSING:
                return None
            raise

    async def read(self, entry: Entry, begin: int, end: int) -> AsyncGenerator[Piece]:
        """The bytes, a piece at a time: at once what is in memory, by a thread what must come from the disk."""
        file = await self._open(entry.key)
        # Made anew meanwhile: half of one film and half of another is none.
        if file.size != entry.size or file.tag != (entry.tag or file.tag):
            raise StoreError(Fault.MISSING, "another file")
        while begin < end:
            size = min(CHUNK_BYTES, end - begin)
            buffer = self._buffers.lend()
            try:
                read = await _fill(memoryview(buffer)[:size], file, begin)
                if not read:
                    raise StoreError(Fault.MISSING, "shorter than it was")
                yield memoryview(buffer)[:read]
            finally:
                self._buffers.take_back(buffer)
            begin += read

    async def entries(self, prefix: str) -> AsyncIterator[Entry]:
        """Every file under a folder, or the one file of that name."""
        for entry in await asyncio.to_thread(_guarded, self._entries, prefix):
            yield entry

    async def folders(self) -> set[str]:
        """What lies directly under the root."""
        return await asyncio.to_thread(_guarded, self._names)

    async def delete(self, prefix: str) -> int:
        """Remove a folder with all that is in it."""
        count = len(await asyncio.to_thread(_guarded, self._entries, prefix))
        await asyncio.to_thread(_guarded, _remove, self.path(prefix))
        return count

    async def signed_url(self, key: str, seconds: int) -> str | None:  # noqa: ARG002
        """Nobody else can read this machine's files."""
        return None

    async def check(self) -> None:
        """The folder is there and can be written."""
        if not await asyncio.to_thread(os.access, self._root, os.W_OK):
            raise StoreError(Fault.FORBIDDEN, "the folder cannot be written")

    async def close(self) -> None:
        """Close what is open still."""
        self._files.close()

    async def _open(self, key: str) -> OpenFile:
        with _refusals():
            return await self._files.get(self._place(key))

    def _names(self) -> set[str]:
        return {path.name for path in self._root.iterdir()} if self._root.is_dir() else set()

    def _entries(self, prefix: str) -> list[Entry]:
        top = self.path(prefix)
        found = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else []
        return [Entry(path.relative_to(self._root).as_posix(), path.stat().st_size) for path in found]


def _guarded(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    with _refusals():
        return work(*arguments)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(Fault.MISSING) from error
    except OSError as error:
        raise StoreError(Fault.REFUSED, error.strerror or str(error)) from error


def _copy(source: Path, target: Path) -> int:
    """Answers the bytes."""
    if target == source.resolve():
        return target.stat().st_size
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + _PART_SUFFIX)
    shutil.copyfile(source, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    return part.replace(target).stat().st_size


async def _fill(place: memoryview, file: OpenFile, begin: int) -> int:
    """As many bytes as could be read; the view is gone only when the thread that may still write to it has ended."""
    return _at_hand(place, file, begin) or await asyncio.to_thread(_guarded, _from_disk, place, file, begin)


def _at_hand(place: memoryview, file: OpenFile, begin: int) -> int:
    """What the kernel has in memory; nothing of what it would have to fetch, or cannot say (preadv2(2), RWF_NOWAIT).

    A film that many watch is in memory, and there a thread costs more than the copy.
    """
    try:
        return os.preadv(file.descriptor, [place], begin, os.RWF_NOWAIT)
    except OSError:
        return 0


def _from_disk(place: memoryview, file: OpenFile, begin: int) -> int:
    return os.preadv(file.descriptor, [place], begin)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
