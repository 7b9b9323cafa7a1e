"""The real program in a process of its own, with a data folder and ports of its own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.server.loaded import ROOT, Forked, Loaded


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What a person reads on the terminal: the lines that are not log events; asserts that none is a trace."""
        assert "Traceback" not in self.err, self.err
        return "\n".join(line for line in self.err.splitlines() if not line.startswith("{"))


@dataclass
class Process:
    """A server that runs."""

    process: asyncio.subprocess.Process | Forked
    events: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Collect what it says."""
        while line := await stream.readline():
            text = line.decode().rstrip("\n")
            if text.startswith("{"):
                self.events.append(json.loads(text))
            else:
                self.lines.append(text)
            self.news.set()
        self.news.set()

    async def event(self, name: str) -> dict[str, Any]:
        """Wait until it has logged `name`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for event in self.events:
                    if event["event"] == name:
                        return event
                assert self.process.returncode is None, self.lines
                self.news.clear()
                await self.news.wait()

    async def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{(await self.event('started'))['http_port']}"

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()


@dataclass(frozen=True)
class Program:
    """server.py with an environment: forked from one that is `loaded`, else started by `python` in `root`."""

    data: Path
    root: Path = ROOT
    python: str = sys.executable
    loaded: Loaded | None = None

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the caller's configuration."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUITANG_")}
        own = {
            "HUITANG_DATA_DIR": str(self.data),
            "HUITANG_HTTP__HOST": "127.0.0.1",
            "HUITANG_HTTP__PORT": "0",
            "HUITANG_MEDIA__PORT": "0",
            "HUITANG_MEDIA__BIND_ADDRESSES": '["127.0.0.1"]',
            "HUITANG_RECORDINGS__MINIMUM_FREE_MEBIBYTES": "1",
            "HUITANG_RECORDINGS__NICENESS": "0",  # beside other tests a film would never be finished
            "HUITANG_LOG__FORMAT": "json",
            "PYTHONWARNINGS": "error",
        }
        return {**inherited, **own, **more}

    async def _start(
        self, arguments: tuple[str, ...], more: Mapping[str, str]
    ) -> asyncio.subprocess.Process | Forked:
        if self.loaded is not None:
            return await self.loaded.start(arguments, self.environment(more))
        return await asyncio.create_subprocess_exec(
            self.python,
            "server.py",
            *arguments,
            cwd=self.root,
            env=self.environment(more),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str, stdin: str = "", **more: str) -> Finished:
        """Run a command to its end."""
        process = await self._start(arguments, more)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                out, err = await process.communicate(stdin.encode())
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return Finished(await process.wait(), out.decode(), err.decode())

    @asynccontextmanager
    async def serve(self, *arguments: str, **more: str) -> AsyncIterator[Process]:
        """A server for a while; killed at the end if it still runs."""
        process = await self._start(("serve", *arguments), more)
        running = Process(process)
        assert process.stdout is not None
        assert process.stderr is not None
        readers = [asyncio.create_task(running.read(stream)) for stream in (process.stdout, process.stderr)]
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await asyncio.gather(*readers)


Serve = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The program, in memory once a run."""
    made = Loaded(Program(tmp_path_factory.mktemp("loaded")).environment({}))
    yield made
    made.end()


@pytest.fixture
def program(tmp_path: Path, loaded: Loaded) -> Program:
    """The program with an empty data folder."""
    return Program(tmp_path / "data", loaded=loaded)
