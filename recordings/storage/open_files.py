"""Files that stay open for a while after their last use: the next piece of a film that is watched needs no thread.

A name may come to mean another file, or none: each use compares the file with what has its name now.
"""

import asyncio
import os
from collections import OrderedDict
from stat import S_ISREG
from typing import Final

# So long a file that was removed may still take its place on the disk.
KEPT_SECONDS: Final = 10.0
# A film is one file; of a stream each two seconds are another one.
MOST_OPEN: Final = 64


class OpenFile:
    """A descriptor for reading, closed when nobody refers to it any more."""

    __slots__ = ("_identity", "descriptor", "tag", "used")

    def __init__(self, path: str) -> None:
        """Blocks; OSError where it cannot be opened, or is no file."""
        self.used = 0.0
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self.descriptor)
        self._identity = _identity(status)
        # With the time: a number may be given again to the file after it.
        self.tag = f"{status.st_ino:x}-{status.st_mtime_ns:x}"
        if not S_ISREG(status.st_mode):
            raise FileNotFoundError(path)

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)

    @property
    def size(self) -> int:
        """In bytes, now."""
        return os.fstat(self.descriptor).st_size

    def is_at(self, path: str) -> bool:
        """Whether the name still means this very file; what is open keeps its path in memory, so no disk is asked."""
        try:
            return _identity(os.stat(path)) == self._identity  # noqa: PTH116 - for each piece; a Path takes longer
        except OSError:
            return False


class OpenFiles:
    """By path; the one longest unused is let go first. Of one event loop."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, OpenFile] = OrderedDict()
        self._sweeping: asyncio.TimerHandle | None = None

    async def get(self, path: str) -> OpenFile:
        """The file that has this name now; OSError for none."""
        file = self._known(path)
        if file is None:
            file = await asyncio.to_thread(OpenFile, path)
        loop = asyncio.get_running_loop()
        file.used = loop.time()
        self._files[path] = file
        self._files.move_to_end(path)
        if len(self._files) > MOST_OPEN:
            _let_go([self._files.popitem(last=False)[1]])
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEPT_SECONDS, self._sweep)
        return file

    def close(self) -> None:
        """Let go of all."""
        self._files.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def _known(self, path: str) -> OpenFile | None:
        known = self._files.get(path)
        if known is None or known.is_at(path):
            return known
        del known  # or it would be closed here
        _let_go([self._files.pop(path)])
        return None

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        unused = [path for path, file in self._files.items() if file.used <= loop.time() - KEPT_SECONDS]
        _let_go([self._files.pop(path) for path in unused])
        self._sweeping = loop.call_later(KEPT_SECONDS, self._sweep) if self._files else None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _let_go(files: list[OpenFile]) -> None:
    """In a thread: whoever is the last to close a film that was removed gives its place back, which takes time."""
    asyncio.get_running_loop().run_in_executor(None, files.clear)
