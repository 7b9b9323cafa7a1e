"""The program under test: `server.py serve --demo` in a folder of its own, on ports of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Login:
    """One of the demo's people."""

    username: str
    password: str
    name: str
    member_id: str | None
    organization_id: str


@dataclass(slots=True)
class RunningServer:
    """Where it is, who may sign in, and its process; `kill` and `start` again keep port and data."""

    url: str
    logins: dict[str, Login]
    process: subprocess.Popen[str]
    folder: Path


@contextmanager
def running_server(folder: Path) -> Iterator[RunningServer]:
    """Serve the demo until the block ends; its output is in `folder`/server.log."""
    environment = os.environ | {
        "HUITANG_DATA_DIR": str(folder / "data"),
        "HUITANG_HTTP__HOST": "127.0.0.1",
        "HUITANG_HTTP__PORT": "0",
        "HUITANG_MEDIA__PORT": "0",
    }
    logins = _logins(environment)
    process = subprocess.Popen(
        [sys.executable, "server.py", "serve", "--demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield RunningServer(_url(process, folder / "server.log"), logins, process, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _logins(environment: dict[str, str]) -> dict[str, Login]:
    made = subprocess.run(
        [sys.executable, "server.py", "demo", "--json"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    people: list[dict[str, Any]] = json.loads(made.stdout)
    return {
        one["username"]: Login(
            one["username"], one["password"], one["name"], one["memberId"], one["organizationId"]
        )
        for one in people
    }


def _url(process: subprocess.Popen[str], log: Path) -> str:
    """Follow the output into the log and wait for the event that tells the port."""
    started: Queue[int | None] = Queue()

    def follow() -> None:
        assert process.stdout is not None
        with log.open("w") as file, process.stdout:
            for line in process.stdout:
                file.write(line)
                file.flush()
                if '"event": "started"' in line:
                    started.put(json.loads(line)["http_port"])
        started.put(None)

    threading.Thread(target=follow, daemon=True).start()
    try:
        port = started.get(timeout=START_SECONDS)
    except Empty:
        port = None
    assert port is not None, f"the server did not start:\n{log.read_text()}"
    return f"http://127.0.0.1:{port}"
