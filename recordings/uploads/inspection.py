"""Has a file looked at by a process that may fail in any way."""

import asyncio
import contextlib
import errno
import json
import sys
from pathlib import Path
from signal import SIGKILL
from typing import Final

import structlog

import recordings
from errors import Kind, Problem
from recordings.environment import environment_of_decoders
from recordings.uploads.rules import Facts, Refusal

AT_ONCE: Final = 2
"""Each may take three gibibytes, and a processor for half a minute."""
MOST_WAITING: Final = 50
RETRY_SECONDS: Final = 10

_PROGRAM_FOLDER: Final = Path(recordings.__file__).resolve().parent.parent
# More than its processor time, for a busy machine.
_SECONDS: Final = 120.0
_LONGEST_ANSWER: Final = 16 * 1024
# So often memory or time may be wanting before it is the film that wants too much of them.
_MOST_HINDRANCES: Final = 3

_log = structlog.get_logger(__name__)


class _Hindered(Exception):  # noqa: N818 - the machine was in the way
    """Nothing was said of the file. `by_film`: by what the film itself asks for, maybe."""

    def __init__(self, detail: str, *, by_film: bool) -> None:
        super().__init__(detail)
        self.by_film = by_film


class Inspector:
    """Looks at AT_ONCE files at a time; the others wait in the order in which they came, so many at most."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked: set[Path] = set()
        self._hindrances: dict[Path, int] = {}  # so often in a row; the oldest first

    async def inspect(self, path: Path) -> Facts | Refusal:
        """What the file is, or why it is refused; a probe that crashes says that the file costs too much.

        Problem upload_being_checked, to be asked again: where it is looked at already, for an answer that was lost, too
        many wait, or the machine was in the way, its disk, its memory or what else it had to do.
        """
        if path in self._asked or len(self._asked) >= MOST_WAITING:
            raise _later()
        self._asked.add(path)
        try:
            async with self._turns:
                found = await _inspect(path)
        except _Hindered as hindered:
            if not self._is_the_film_s(path, hindered):
                _log.warning("upload_not_checked", detail=str(hindered))
                raise _later() from hindered
            found = Refusal.TOO_COSTLY
        finally:
            self._asked.discard(path)
        self._hindrances.pop(path, None)
        return found

    def _is_the_film_s(self, path: Path, hindered: _Hindered) -> bool:
        """Whether that has happened to this film so often that it is not the machine's fault."""
        if not hindered.by_film:
            return False
        times = self._hindrances[path] = self._hindrances.pop(path, 0) + 1
        if len(self._hindrances) > MOST_WAITING:
            del self._hindrances[next(iter(self._hindrances))]
        return times >= _MOST_HINDRANCES


def command(path: Path) -> list[str]:
    """What looks at a file."""
    return [sys.executable, "-m", "recordings.uploads", str(path)]


async def _inspect(path: Path) -> Facts | Refusal:
    try:
        process = await asyncio.create_subprocess_exec(
            *command(path),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            cwd=_PROGRAM_FOLDER, env=environment_of_decoders(), limit=_LONGEST_ANSWER,
        )  # fmt: skip
    except OSError as error:  # no memory, no process, no file more
        raise _Hindered(error.strerror or str(error), by_film=False) from error
    try:
        async with asyncio.timeout(_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError as error:
        raise _Hindered(f"no answer in {_SECONDS:.0f} s", by_film=True) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == -SIGKILL:
        raise _Hindered(SIGKILL.name, by_film=True)
    return _parse(said) if process.returncode == 0 else Refusal.TOO_COSTLY


def _parse(said: bytes) -> Facts | Refusal:
    try:
        answer = json.loads(said)
        if "hindered" not in answer:
            return Refusal(answer["refused"]) if "refused" in answer else Facts(**answer)
        number = int(answer["hindered"])
    except (ValueError, TypeError):
        return Refusal.TOO_COSTLY
    raise _Hindered(errno.errorcode.get(number, str(number)), by_film=number == errno.ENOMEM)


def _later() -> Problem:
    return Problem(Kind.UNAVAILABLE, "upload_being_checked", {"retryAfter": RETRY_SECONDS})
