"""What a process may be given to do, and how it may end, in a module that takes no time to load."""

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path


def counting(to: int) -> Iterator[int | None]:
    for number in range(to):
        yield None
        yield number


def stuck() -> Iterator[int]:
    yield 1
    threading.Event().wait()


def voluminous(size: int) -> Iterator[bytes]:
    yield bytes(size)


def dying(cause: int) -> Iterator[int]:
    yield 1
    os.kill(os.getpid(), cause)
    yield 2


def refused() -> Iterator[int]:
    yield 1
    raise OSError(28, "No space left on device")


def busy(seconds: float) -> Iterator[int]:
    while time.process_time() < seconds:
        yield 1


def crowded(core: int, seconds: float) -> Iterator[int]:
    """Works so long, on one core, without a word."""
    os.sched_setaffinity(0, {core})
    yield 1
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        pass
    yield 2


def mixing(*_: object) -> Iterator[None]:
    """Is killed at it."""
    yield None
    os.kill(os.getpid(), signal.SIGKILL)


def failing() -> Iterator[int]:
    yield 1
    raise KeyError("no such thing")


def hungry(error: Exception) -> Iterator[int]:
    yield 1
    raise error


def scanning_without_files(path: Path) -> Iterator[object]:
    """As where the machine has no file more to give."""
    from recordings.compose.scan import _scans  # noqa: PLC0415 - takes time to load

    resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    yield from _scans([(path, 1.0)])


def leaving() -> Iterator[int]:
    yield 1
    os._exit(7)
