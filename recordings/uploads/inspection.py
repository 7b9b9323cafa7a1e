"""Has a file looked at by a process that may fail in any way."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Final

import recordings
from errors import Kind, Problem
from recordings.environment import environment_of_decoders
from recordings.uploads.rules import Refusal

AT_ONCE: Final = 2
"""Each may take three gibibytes, and a processor for half a minute."""
MOST_WAITING: Final = 50
RETRY_SECONDS: Final = 10

_PROGRAM_FOLDER: Final = Path(recordings.__file__).resolve().parent.parent
# More than its processor time, for a busy machine.
_SECONDS: Final = 120.0
_LONGEST_ANSWER: Final = 16 * 1024


class Inspector:
    """Looks at AT_ONCE files at a time; the others wait in the order in which they came, so many at most."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked: set[Path] = set()

    async def inspect(self, path: Path) -> Refusal | None:
        """Why the file is refused, or None; a probe that crashes or does not end says that the file costs too much.

        Problem upload_being_checked where it is looked at already, for an answer that was lost, or too many wait.
        """
        if path in self._asked or len(self._asked) >= MOST_WAITING:
            raise Problem(Kind.UNAVAILABLE, "upload_being_checked", {"retryAfter": RETRY_SECONDS})
        self._asked.add(path)
        try:
            async with self._turns:
                return await _inspect(path)
        finally:
            self._asked.discard(path)


async def _inspect(path: Path) -> Refusal | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "recordings.uploads", str(path),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        cwd=_PROGRAM_FOLDER, env=environment_of_decoders(), limit=_LONGEST_ANSWER,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        return Refusal.TOO_COSTLY
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _parse(said) if process.returncode == 0 else Refusal.TOO_COSTLY


def _parse(said: bytes) -> Refusal | None:
    try:
        answer = json.loads(said)
        return Refusal(answer["refused"]) if "refused" in answer else None
    except (ValueError, TypeError):
        return Refusal.TOO_COSTLY
