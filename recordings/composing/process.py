"""One run of the composing process."""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Final

import recordings
from recordings.compose.brief import LONGEST_LINE, Brief, write_brief
from recordings.compose.report import Exit, Failed, Progress, Report, parse
from recordings.environment import environment_of_decoders
from recordings.states import Failure

_PROGRAM_FOLDER: Final = Path(recordings.__file__).resolve().parent.parent
_TERMINATE_SECONDS: Final = 5.0
# A second of film takes a second or two; joining hours of it takes minutes on a slow disk.
_STALL_SECONDS: Final = 900.0
_MOST_ERRORS: Final = 4_000


def command(folder: Path, niceness: int) -> list[str]:
    """What to run. Whoever gives way does so on the disk too, where the machine knows of it."""
    ionice = shutil.which("ionice") if niceness else None
    prefix = [ionice, "-c", "3", "-t"] if ionice else []
    return [
        *prefix, sys.executable, "-m", "recordings.compose",
        "--folder", str(folder), "--nice", str(niceness), "--supervised",
    ]  # fmt: skip


async def run(folder: Path, niceness: int, brief: Brief) -> AsyncGenerator[Report]:
    """Progress, and as the last item Finished or Failed; a crash comes as Failed too.

    The process does not outlive this generator, nor this program: it ends when its standard input closes. What it puts
    into its temporary folder is removed after it, however it ended.
    """
    async with _temporary_folder() as temporary:
        process = await asyncio.create_subprocess_exec(
            *command(folder, niceness),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=_PROGRAM_FOLDER,
            env=environment_of_decoders() | {"TMPDIR": temporary},
            limit=LONGEST_LINE,
            start_new_session=True,  # see recordings.background; and a terminal's Ctrl-C is for the server alone
        )
        errors = asyncio.create_task(_tail(process.stderr))
        last: Report | None = None
        try:
            await _tell(process.stdin, brief)
            async for line in _lines(process.stdout):
                report = parse(line)
                if isinstance(report, Progress):
                    yield report
                elif report is not None:
                    last = report
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TERMINATE_SECONDS):
                    await process.wait()
            if process.returncode is None:  # it neither says anything nor ends
                process.kill()
            code = await process.wait()
            said = await errors
            if last is None or (code != Exit.COMPOSED and not isinstance(last, Failed)):
                last = Failed(Failure.COMPOSITION_FAILED, f"exit code {code}: {said}")
            yield last
        finally:
            await _end(process)
            errors.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await errors


@contextlib.asynccontextmanager
async def _temporary_folder() -> AsyncIterator[str]:
    name = await asyncio.to_thread(tempfile.mkdtemp, prefix="composing-")
    try:
        yield name
    finally:
        await asyncio.to_thread(shutil.rmtree, name, ignore_errors=True)


async def _tell(stream: asyncio.StreamWriter | None, brief: Brief) -> None:
    """What it has to do; where it has ended already, its exit says so."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(_STALL_SECONDS):
            if stream is not None:
                stream.write(write_brief(brief))
                await stream.drain()


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while stream is not None:
        try:
            async with asyncio.timeout(_STALL_SECONDS):
                line = await stream.readline()
        except ValueError:
            continue  # longer than any line of ours
        except TimeoutError:
            return
        if not line:
            return
        yield line


async def _tail(stream: asyncio.StreamReader | None) -> str:
    """The end of what the process complains, read all the while so that it never waits for us."""
    kept = b""
    while stream is not None and (data := await stream.read(_MOST_ERRORS)):
        kept = (kept + data)[-_MOST_ERRORS:]
    return kept.decode(errors="replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(_TERMINATE_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
