"""Files that say at once what the disk says, and the question how much room there is."""

import os
import shutil
from pathlib import Path


class AppendedFile:
    """A file that is only appended to, without a buffer: what was written survives the process."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self.size = 0

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


def sync_folder(folder: Path) -> None:
    """Give every file in it to the disk itself; OSError where that refuses.

    A kill loses nothing that was written, only a power cut could, and the kernel writes back within 30 seconds by
    itself. So files are synced once, when all are whole, by a thread that capture does not wait for
    and that a slow disk may hold up.
    """
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def free_bytes(folder: Path) -> int:
    """What is left for us on the folder's disk."""
    return shutil.disk_usage(folder).free
