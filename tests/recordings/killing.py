"""Processes that are killed while they make a film."""

import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from recordings.compose.brief import Brief, write_brief
from recordings.composing import process
from tests.patience import PATIENCE_SECONDS

_FORKING: Final = multiprocessing.get_context("forkserver")
# The one server of this process, which `Isolated` forks from too: to load all this anew takes a second each time.
_LOADED: Final = (
    "recordings.compose.pictures", "recordings.compose.sound",
    "tests.recordings.killed_composition", "tests.recordings.refused_mending", "tests.recordings.killed_server",
)  # fmt: skip


def in_a_process(work: Any, *arguments: object) -> int:
    """Its exit code."""
    _FORKING.set_forkserver_preload(list(_LOADED))
    process = _FORKING.Process(target=work, args=arguments)
    process.start()
    process.join(PATIENCE_SECONDS)
    code = process.exitcode
    process.kill()
    process.join()
    process.close()
    assert code is not None, "it hangs"
    return code


def open_under(folder: Path) -> list[str]:
    """Files of the folder that any process has open."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = entry.readlink()
        except OSError:
            continue
        if target.is_relative_to(folder):
            found.append(str(target))
    return found


def killed_after(folder: Path, work: str, parts: int, brief: Brief) -> None:
    """Make the film of a recording's folder in a process that is killed when so many parts stand in `work`."""
    child = subprocess.Popen(
        process.command(folder, 0), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=Path.cwd()
    )
    assert child.stdin is not None
    child.stdin.write(write_brief(brief))
    child.stdin.flush()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(list((folder / work).glob("720p-*.mp4"))) < parts:
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)  # another process's files tell of no change
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdin.close()
