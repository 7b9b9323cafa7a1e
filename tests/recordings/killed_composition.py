"""A process that makes or mends one film and is killed, by SIGKILL, at the first change of the disk that is new."""

import os
import re
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from recordings.compose.brief import Brief
from recordings.compose.composer import compose
from recordings.compose.mending import mend
from recordings.compose.report import Finished

BRIEF: Final = Brief(part_seconds=2.0)
# What changes a folder (https://docs.python.org/3/library/audit_events.html); contents are written before one of them.
_CHANGES: Final = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir"})
# What an attempt before has left is removed file by file; whoever is killed at that leaves no more than it was.
_CHANGES_OF_MENDING: Final = frozenset({"os.rename", "os.rmdir", "os.mkdir", "os.link"})


def compose_until_something_new(folder: Path, log: Path) -> None:
    """Compose, and be killed at the first change of the recording's folder that the log has not got yet."""
    _die_of_something_new(folder, log, _CHANGES)
    compose(folder, lambda _share: None, BRIEF)


def mend_until_something_new(folder: Path, log: Path, standing: Finished) -> None:
    """The same of mending."""
    _die_of_something_new(folder, log, _CHANGES_OF_MENDING)
    mend(folder, standing, lambda _share: None)


def _die_of_something_new(folder: Path, log: Path, changes: Collection[str]) -> None:
    """One part is like another."""
    known = set(log.read_text().splitlines())
    writing = os.open(log, os.O_WRONLY | os.O_APPEND)

    def change(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in changes or not is_inside(arguments):
            return
        name = f"{event.removeprefix('os.')} {re.sub('[0-9]{3,}', '#', Path(arguments[0]).name)}"
        os.write(writing, f"{name}\n".encode())
        if name not in known:
            os.kill(os.getpid(), signal.SIGKILL)

    def is_inside(arguments: tuple[Any, ...]) -> bool:
        """Removing a tree names its files by the open folder that they are in."""
        return Path(arguments[0]).is_relative_to(folder) or arguments[-1] > 0

    sys.addaudithook(change)
