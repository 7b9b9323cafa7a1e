"""Processes that mend a film on a machine that refuses, real in all but the machine."""

import contextlib
import errno
import os
import platform
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from recordings.compose.mending import mend
from recordings.compose.report import Finished
from recordings.faults import is_full, passes
from recordings.folders import bytes_of
from recordings.renditions import COMPOSING_FOLDER
from tests.recordings.refusing_disk import refuse

# Python asks for both, as the system has them.
_LINK: Final = {"x86_64": (86, 265), "aarch64": (37,)}


def mend_on_full_disks(folder: Path, standing: Finished, limits: Iterable[int]) -> None:
    """No file can grow beyond each limit, in bytes: that is told, and nothing is changed."""
    there = _files(folder)
    for limit in limits:
        with _limited(resource.RLIMIT_FSIZE, limit):
            error = _refused(folder, standing)
        assert is_full(error), (limit, repr(error))
        assert _files(folder) == there


def mend_without_files(folder: Path, standing: Finished, most: int) -> None:
    """With so few more than are open already that each in turn is the one that cannot be opened."""
    there, free = _files(folder), os.dup(0)
    os.close(free)
    for more in range(most):
        with _limited(resource.RLIMIT_NOFILE, free + more):
            error = _refused(folder, standing)
        assert passes(error), (more, repr(error))
        assert _files(folder) == there


def mend_without_links(folder: Path, standing: Finished) -> None:
    """On a disk that has no second names for a file."""
    for call in _LINK[platform.machine()]:
        refuse(call, errno.EPERM)
    mend(folder, standing, lambda _share: None)


def _refused(folder: Path, standing: Finished) -> BaseException:
    try:
        mend(folder, standing, lambda _share: None)
    except BaseException as error:  # noqa: BLE001 - whoever asks looks at it
        return error
    raise AssertionError("it was not refused")


@contextlib.contextmanager
def _limited(what: int, limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (soft, hard))


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """Those in their places."""
    return {
        path: (path.stat().st_ino, bytes_of(path))
        for path in folder.rglob("*")
        if path.is_file() and COMPOSING_FOLDER not in path.relative_to(folder).parts
    }
