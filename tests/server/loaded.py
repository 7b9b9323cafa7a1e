"""The program, loaded once and forked for each command: a process of its own that begins at once.

Whatever it does from `main` on, with its arguments, its environment and its pipes, it does as one that was started;
only to load it anew would take seconds of the processor, each of some fifty times.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_LONGEST: Final = 1 << 17  # of what is said of a command; an environment takes some kilobytes


class Forked:
    """A command that runs, as an `asyncio.subprocess.Process` with pipes."""

    def __init__(
        self,
        pid: int,
        stdin: int,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
        end: asyncio.StreamReader,
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self._stdin = stdin
        self._end = asyncio.ensure_future(end.read())

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative, which signal has ended it."""
        return int(self._end.result()) if self._end.done() else None

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError when it has ended."""
        if self._end.done():
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill(self) -> None:
        """By force."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        code = int(await asyncio.shield(self._end))
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1
        return code

    async def communicate(self, text: bytes) -> tuple[bytes, bytes]:
        """Let it read that and run to its end; answers what it has said and complained."""
        os.write(self._stdin, text)
        os.close(self._stdin)
        self._stdin = -1
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err


class Loaded:
    """The process that all are forked from; it ends with whoever has made it, or by `end`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
            )

    async def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
        """Run `server.py` with these arguments, in the folder of the program."""
        theirs, stdin = os.pipe()
        pipes = [os.pipe() for _ in ("stdout", "stderr", "end")]
        given = [theirs, *(write for _, write in pipes)]
        socket.send_fds(self._channel, [json.dumps([arguments, dict(environment)]).encode()], given)
        for descriptor in given:
            os.close(descriptor)
        stdout, stderr, end = [await _reader(read) for read, _ in pipes]
        return Forked(int(await end.readline()), stdin, stdout, stderr, end)

    def end(self) -> None:
        """Fork no more; what runs is left alone."""
        self._channel.close()
        self._process.wait()


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


def _serve(channel: socket.socket) -> int:
    """Fork for each command that comes; within such a process, answers its exit code."""
    import node  # noqa: F401, PLC0415 - what `serve` imports only when it is run
    from server import main  # noqa: PLC0415

    gc.freeze()
    while True:
        said, descriptors, _, _ = socket.recv_fds(channel, _LONGEST, 4)
        if not said:
            return 0
        with contextlib.suppress(ChildProcessError):  # none is left
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        if os.fork() == 0:
            channel.close()
            arguments, environment = json.loads(said)
            _keep(descriptors)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv = ["server.py", *arguments]
            return main(arguments)
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(descriptors: Sequence[int]) -> None:
    """Return in a process with these pipes as its own; the one that called tells its id and exit code, and ends."""
    *standard, end = descriptors
    pid = os.fork()
    if pid == 0:
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        for descriptor in descriptors:
            os.close(descriptor)
        return
    for descriptor in standard:
        os.close(descriptor)
    os.write(end, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(end, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as said:
        code = _serve(said)
    sys.exit(code)
