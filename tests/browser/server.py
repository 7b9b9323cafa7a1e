"""The program under test: `server.py serve --demo` in a folder of its own, on ports of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo import Demo, make_demo
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 20
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Login:
    """One of the demo's people."""

    username: str
    password: str
    name: str
    member_id: str | None
    organization_id: str

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> "Login":
        """As `demo --json` prints it."""
        return cls(one["username"], one["password"], one["name"], one["memberId"], one["organizationId"])


class RunningServer:
    """Where it is, who may sign in, and its process; its output is in `folder`/server.log."""

    def __init__(self, folder: Path, demo: Demo, settings: Mapping[str, str]) -> None:
        self._folder = folder
        demo.copy(self.data)
        self._environment = {
            **os.environ,
            "HUITANG_DATA_DIR": str(self.data),
            "HUITANG_HTTP__HOST": "127.0.0.1",
            "HUITANG_MEDIA__PORT": "0",
            "HUITANG_RECORDINGS__NICENESS": "0",  # beside other tests a film would never be finished
            **settings,
        }
        self.logins = {one["username"]: Login.of(one) for one in demo.logins}
        self._port = 0
        self._process = self._start()

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self._folder / "data"

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def kill_and_restart(self) -> None:
        """`kill -9`, then the same port and data again."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        """In order; by force when it takes too long."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._folder / "server.log").open("ab") as log:
            begin = log.tell()
            process = subprocess.Popen(
                [sys.executable, "server.py", "serve", "--demo"],
                cwd=ROOT,
                env=self._environment | {"HUITANG_HTTP__PORT": str(self._port)},
                stdout=log,  # itself, with nothing of ours between: a test may limit how large a file we can write
                stderr=subprocess.STDOUT,
            )
        self._port = _port(process, self._folder / "server.log", begin)
        return process


@contextmanager
def running_server(folder: Path, demo: Demo, **settings: str) -> Iterator[RunningServer]:
    """Serve a copy of the demo until the block ends; `settings` are more of the environment."""
    server = RunningServer(folder, demo, settings)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def served_demo() -> Iterator[RunningServer]:
    """The demo of its own of a script, in a folder that goes with the block."""
    with tempfile.TemporaryDirectory() as folder:
        demo = make_demo(Path(folder, "demo"))
        with running_server(Path(folder), demo) as server:
            yield server


def _port(process: subprocess.Popen[bytes], log: Path, begin: int) -> int:
    """Wait for the event that tells the port, in what the log has from `begin` on."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < patience:
        for line in log.read_bytes()[begin:].splitlines(keepends=True):
            if b'"event": "started"' in line and line.endswith(b"\n"):
                return int(json.loads(line)["http_port"])
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
    process.kill()
    process.wait()
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
