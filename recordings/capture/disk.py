"""Files that say at once what the disk says, and the question whether and how much more it takes."""

import errno
import os
import shutil
from pathlib import Path
from typing import Final

# Less is no room, whatever the operator allows: a second of a large meeting.
_LEAST_FREE: Final = 1024 * 1024
# Before capture goes on there must be more than when it stopped, so that it does not stop again at once: this share.
_SPARE_SHARE: Final = 4
_TRIAL_NAME: Final = ".trial"
_TRIAL_BYTES: Final = 1024 * 1024


class AppendedFile:
    """A file that is only appended to, without a buffer: what was written survives the process."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self.path = path
        self.size = 0
        self.synced = 0  # bytes that were given to the disk itself, and when
        self.synced_us = 0

    def write(self, data: bytes) -> None:
        """Append all of `data`; OSError where the disk refuses, and then a part of it may stand there."""
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def close(self) -> None:
        """Twice is harmless."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def sync(path: Path) -> None:
    """Give a file, or a folder's names, to the disk itself; OSError where that refuses, or refused before.

    A kill loses nothing that was written, only a power cut could. But what a disk that fails says of it, and a remote
    one that is full, comes out here alone: a write only goes into the memory of the kernel.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Every file in it and the folder: when all are whole, by a thread that capture does not wait for."""
    for path in [*folder.iterdir(), folder]:
        sync(path)


def free_bytes(folder: Path) -> int:
    """What is left for us on the folder's disk."""
    return shutil.disk_usage(folder).free


def require_room(folder: Path, min_free_bytes: int) -> None:
    """OSError ENOSPC where less than this is free, or next to nothing."""
    if free_bytes(folder) < max(min_free_bytes, _LEAST_FREE):
        raise OSError(errno.ENOSPC, "less than the threshold is free")


def try_out(folder: Path, min_free_bytes: int) -> None:
    """Whether a disk that refused takes something again, with some room to go on: OSError where it does not."""
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, min_free_bytes + min_free_bytes // _SPARE_SHARE)
    path = folder / _TRIAL_NAME
    try:
        path.write_bytes(bytes(_TRIAL_BYTES))
        sync(path)
    finally:
        path.unlink(missing_ok=True)
