"""Has a file looked at by a process that may fail in any way."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Final

import recordings
from recordings.uploads.rules import Refusal

_PROGRAM_FOLDER: Final = Path(recordings.__file__).resolve().parent.parent
# More than its processor time, for a busy machine.
_SECONDS: Final = 120.0
_LONGEST_ANSWER: Final = 16 * 1024


async def inspect(path: Path) -> Refusal | None:
    """Why the file is refused, or None; a probe that crashes or does not end says that the file costs too much."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "recordings.uploads", str(path),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        cwd=_PROGRAM_FOLDER, limit=_LONGEST_ANSWER,
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
