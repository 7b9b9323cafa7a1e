"""The composing process. Ends by itself when the one that started it is gone: its standard input closes then."""

import argparse
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from recordings.background import make_way
from recordings.compose import isolation
from recordings.compose.brief import LONGEST_LINE, Brief, read_brief
from recordings.compose.composer import NothingToCompose, compose
from recordings.compose.mending import Unmendable, mend
from recordings.compose.report import Exit, Failed, Finished, Progress, Report, write
from recordings.compose.work import PutOff
from recordings.faults import is_full
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME
from recordings.states import Failure
from recordings.uploads.conversion import convert


def main() -> int:
    """Parse the command line, compose, say how it went."""
    parser = argparse.ArgumentParser(
        prog="recordings.compose", description="Compose one recording into one MP4 and what goes with it."
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="the recording's folder, which holds its segments"
    )
    parser.add_argument("--nice", type=int, default=0, help="lower the priority by so much (0..19)")
    parser.add_argument(
        "--supervised", action="store_true", help="read the brief from standard input, and end when it closes"
    )
    options = parser.parse_args()
    make_way(options.nice)
    brief = Brief()
    if options.supervised:
        brief = read_brief(sys.stdin.buffer.readline(LONGEST_LINE))
        threading.Thread(target=_end_with_supervisor, daemon=True).start()
    try:
        return _compose(options.folder, brief)
    finally:
        isolation.end()


def _compose(folder: Path, brief: Brief) -> int:
    try:
        finished = _work(folder, brief, lambda share: _say(Progress(share)))
    except NothingToCompose as found:
        _say(Failed(found.failure, "no media"))
        return Exit.NOT_COMPOSABLE
    except Unmendable as found:
        _say(Failed(Failure.FILES_MISSING, str(found)))
        return Exit.NOT_COMPOSABLE
    except (OSError, ValueError) as error:
        full = is_full(error)
        failure = Failure.DISK_FULL if full else Failure.COMPOSITION_FAILED
        _say(Failed(failure, f"{type(error).__name__}: {error}"))
        return Exit.DISK_FULL if full else 1
    except PutOff as reason:
        _say(Failed(Failure.COMPOSITION_FAILED, str(reason), counts=False))
        return Exit.PUT_OFF
    _say(finished)
    return Exit.COMPOSED


def _work(folder: Path, brief: Brief, report: Callable[[float], None]) -> Finished:
    if brief.standing is not None:
        return mend(folder, brief.standing, report)
    source = folder / SOURCE_FOLDER / SOURCE_NAME
    return convert(folder, source, report, brief) if source.is_file() else compose(folder, report, brief)


def _say(report: Report) -> None:
    print(write(report), flush=True)  # noqa: T201 - the supervisor reads it


def _end_with_supervisor() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
