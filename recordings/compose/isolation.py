"""Decodes what strangers have sent in processes of their own: one that crashes or hangs takes nothing else with it.

Each is forked from a process that has everything loaded already, so that it begins within milliseconds, and ends with
whoever began it.
"""

import contextlib
import fcntl
import io
import multiprocessing
import os
import pickle
import select
import signal
import threading
from collections.abc import Callable, Iterable
from enum import Enum, auto
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

from recordings.faults import is_starved

Item = TypeVar("Item")

# Whoever works says so every few seconds. Time for which the machine let it wait for a processor does not count.
SILENCE_SECONDS: Final = 120.0
# As much as Linux gives everybody: six pictures of one of nine, so that nobody waits for a picture that could be ready.
_PIPE_BYTES: Final = 1 << 20
_END_SECONDS: Final = 5.0
# What a process does to itself. Any other signal was sent: by the kernel when memory ran out, by a person.
_CRASHES: Final = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGTRAP,
        signal.SIGSYS,
    }
)


class Broken(Exception):  # noqa: N818 - it says what the process is
    """What was to be done killed the process, or failed in it; the text is for the log."""


class Interrupted(Broken):
    """It was killed, was refused memory, or said nothing any more: maybe what was to be done, maybe the machine."""


class _Mark(Enum):
    """What a process hands over beside items."""

    END = auto()


class _Refused(NamedTuple):
    """What the disk refused."""

    errno: int | None
    text: str


class _Starved(NamedTuple):
    """What the machine had no memory or no file for."""

    text: str


class _Failed(NamedTuple):
    """What else went wrong."""

    text: str


class Isolated(Generic[Item]):
    """An iterator of what `work` yields, given these arguments, in a process of its own; all of it can be pickled.

    `work` yields None where it has nothing to hand over and goes on all the same. Iterating raises Broken (Interrupted
    where it may be nobody's fault), the OSError that `work` met, or ChildProcessError where the machine has no process
    to give. Who has begun closes: `close` ends the process, whatever it is at.
    """

    def __init__(
        self, work: Callable[..., Iterable[Item | None]], *arguments: object, silence: float = SILENCE_SECONDS
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["recordings.compose.pictures", "recordings.compose.sound"])
        self._over = False
        self._pipe, theirs = context.Pipe(duplex=False)
        with contextlib.suppress(OSError):  # somebody has used up what the machine gives one account
            fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._process = context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._words = io.BufferedReader(_Arrivals(self._pipe.fileno(), self.pid, silence))

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid or 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        item = _Mark.END if self._over else self._receive()
        while item is None:
            item = self._receive()
        if item is _Mark.END:
            self._over = True
            raise StopIteration
        if isinstance(item, _Refused):
            raise OSError(item.errno, item.text)
        if isinstance(item, _Starved):
            raise Interrupted(item.text)
        if isinstance(item, _Failed):
            raise Broken(item.text)
        return item  # type: ignore[no-any-return] # what `work` yields

    def close(self) -> None:
        """End the process; twice is harmless."""
        if self._pipe.closed:
            return
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def _receive(self) -> Any:
        try:
            return pickle.load(self._words)  # noqa: S301 - what `_say` wrote
        except (EOFError, OSError, pickle.UnpicklingError):
            self._process.join(_END_SECONDS)
            code = self._process.exitcode
            if code is None or code >= 0:  # it never came so far as to do anything
                raise ChildProcessError(f"a process for decoding ended with {code}") from None
            cause = signal.Signals(-code)
            raise (Broken if cause in _CRASHES else Interrupted)(cause.name) from None


class _Arrivals(io.RawIOBase):
    """What a process writes into a pipe.

    Reading raises Interrupted where nothing comes for `silence` seconds, be it in the middle of a word.
    """

    def __init__(self, pipe: int, pid: int, silence: float) -> None:
        self._pipe, self._pid, self._silence = pipe, pid, silence
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._wait()
        return os.readv(self._pipe, [buffer])

    def _wait(self) -> None:
        left = self._silence
        if self._poll.poll(0):  # as most often: to look how long it has waited costs more than to read
            return
        while left > 0:
            queued = self._queued_seconds()
            if self._poll.poll(left * 1000):
                return
            left = min(left, self._queued_seconds() - queued)
        raise Interrupted(f"no word for {self._silence:.0f} s")

    def _queued_seconds(self) -> float:
        """How long the process has waited for a processor so far; 0 where the system does not say.

        The second figure of `schedstat`, in nanoseconds (the kernel's Documentation/scheduler/sched-stats.rst).
        """
        try:
            return int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0


def end() -> None:
    """Wait for the process that others are forked from, when no more are wanted: their time counts as ours then."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way


def _serve(pipe: Connection, work: Callable[..., Iterable[object]], arguments: tuple[object, ...]) -> None:
    """The process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for item in work(*arguments):
            _say(pipe, item)
    except BrokenPipeError:
        return  # nobody listens any more
    except Exception as error:  # noqa: BLE001 - whoever iterates hears of it
        _say(pipe, _told(error))
    else:
        _say(pipe, _Mark.END)


def _say(pipe: Connection, item: object) -> None:
    left = memoryview(pickle.dumps(item, pickle.HIGHEST_PROTOCOL))
    while left:  # whoever was stopped in the middle has written a part
        left = left[os.write(pipe.fileno(), left) :]


def _told(error: Exception) -> _Starved | _Refused | _Failed:
    text = f"{type(error).__name__}: {error}"
    if is_starved(error):
        return _Starved(text)
    return _Refused(error.errno, str(error)) if isinstance(error, OSError) else _Failed(text)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
