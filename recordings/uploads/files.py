"""The one file of an upload. Every function blocks and is called in a thread."""

import fcntl
import os
import shutil
from pathlib import Path


class OutOfPlace(ValueError):  # noqa: N818 - what the chunk is
    """The chunk does not begin where the file ends, or another is being written; `offset` is where it ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(str(offset))
        self.offset = offset


def make(path: Path) -> None:
    """An empty file in a folder of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


def length(path: Path) -> int:
    """How much is there."""
    return path.stat().st_size if path.is_file() else 0


def append(path: Path, offset: int, data: bytes) -> int:
    """Write a chunk behind what is there, durably; answers the new length.

    Raises OutOfPlace, OSError of the disk; then the file is as long as before.
    """
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # two tabs, or a phone that was thought gone
        except BlockingIOError:
            raise OutOfPlace(length(path)) from None
        end = file.seek(0, os.SEEK_END)
        if end != offset:
            raise OutOfPlace(end)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), end)
            raise
        return end + len(data)


def has_room(root: Path, wanted: int, reserve: int) -> bool:
    """Whether the disk takes so many bytes and has the reserve left."""
    return shutil.disk_usage(root).free - reserve >= wanted
