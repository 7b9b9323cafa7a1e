"""What a process may be given to do, and how it may end, in a module that takes no time to load."""

import os
import signal
import threading
import time
from collections.abc import Iterator


def counting(to: int) -> Iterator[int | None]:
    for number in range(to):
        yield None
        yield number


def stuck() -> Iterator[int]:
    yield 1
    threading.Event().wait()


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


def leaving() -> Iterator[int]:
    yield 1
    os._exit(7)
