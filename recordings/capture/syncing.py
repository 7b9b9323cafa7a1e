"""The thread on which captured files are given to the disk itself, one after the other."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from recordings.capture.disk import sync

# The disk has other work: after each file as much again of its time, three times over, is left to that.
_REST_SHARE: Final = 3
_LONGEST_REST: Final = 1.0


class SyncThread:
    """Capture never waits for it. Bounded by who orders: a segment orders one file at a time."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Path, Callable[[OSError | None], None]] | None] = (
            queue.SimpleQueue()
        )
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture_sync", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the file that is under way; blocks for as long as the disk takes for it."""
        self._ending.set()
        self._orders.put(None)
        self._thread.join()

    def order(self, path: Path, done: Callable[[OSError | None], None]) -> None:
        """Sync the file soon, then call `done` on this thread with what the disk said."""
        self._orders.put((path, done))

    def _run(self) -> None:
        while (order := self._orders.get()) is not None and not self._ending.is_set():
            path, done = order
            began = time.monotonic()
            try:
                sync(path)
            except OSError as error:
                done(error)
            else:
                done(None)
            self._ending.wait(min(_LONGEST_REST, _REST_SHARE * (time.monotonic() - began)))
