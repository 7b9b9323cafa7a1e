"""The server under test: a real process on its own core, with a demo organization in a temporary data folder."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parent.parent
START_TIMEOUT = 60.0  # seconds, of which the demo's argon2 hashes take most
SECRETARY_LEVEL = 3


@dataclass(frozen=True)
class Process:
    """A process under test."""

    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of all threads so far, from /proc in nanoseconds where the kernel keeps them."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def ended_children_cpu_seconds(self) -> float:
        """User and system time of the processes that it started and that have ended."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")  # cutime, cstime: proc(5)

    def resident_kib(self) -> int:
        """Resident memory in KiB (VmRSS)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


@dataclass(frozen=True)
class Server(Process):
    """A running server of ours: where it listens, and the demo's log-ins."""

    url: str
    logins: list[dict[str, Any]]


def free_port(kind: socket.SocketKind) -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running(
    core: int | None, address: str = "127.0.0.1", inside: Sequence[str] = ()
) -> AsyncIterator[Server]:
    """Start a server pinned to `core`, if to any; stop it and forget its data at the end.

    `inside` is what stands before its command; there `address` must be its own.
    """
    with tempfile.TemporaryDirectory(prefix="huitang-bench-") as folder:
        http = free_port(socket.SOCK_STREAM)
        environment = os.environ | {
            "HUITANG_DATA_DIR": folder,
            "HUITANG_HTTP__HOST": address,
            "HUITANG_HTTP__PORT": str(http),
            "HUITANG_MEDIA__PORT": str(free_port(socket.SOCK_DGRAM)),
            "HUITANG_MEDIA__ANNOUNCED_ADDRESSES": f'["{address}"]',
            "HUITANG_METRICS__NETWORKS": f'["{address}/24"]',
        }
        demo = subprocess.run(  # noqa: ASYNC221 - our own program, before anything is measured
            [sys.executable, "server.py", "demo", "--json"],
            cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        with (Path(folder) / "server.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: ASYNC220
                [*inside, sys.executable, "server.py", "serve"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        url = f"http://{address}:{http}"
        try:
            await _ready(url, process)
            yield Server(process.pid, url, json.loads(demo.stdout))
        finally:
            process.terminate()
            process.wait(timeout=30)


async def _ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(START_TIMEOUT):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with code {process.returncode}")
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == HTTPStatus.OK:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def sign_in(server: Server, login: dict[str, Any] | None = None) -> str:
    """A session of one of the demo's people, by default of a branch secretary; returns its cookie."""
    login = login or secretary(server)
    credentials = {"username": login["username"], "password": login["password"]}
    async with (
        aiohttp.ClientSession(server.url, headers={"Origin": server.url}) as http,
        http.post("/api/session", json=credentials) as answer,
    ):
        answer.raise_for_status()
        return f"huitang_session={answer.cookies['huitang_session'].value}"


def secretary(server: Server) -> dict[str, Any]:
    """The demo's first branch secretary."""
    return next(each for each in server.logins if each["level"] == SECRETARY_LEVEL)


async def open_meeting(server: Server, cookie: str = "", *, record: bool = False) -> tuple[str, str]:
    """Schedule and start a meeting as a branch secretary, in that session or a new one; returns its id and cookie."""
    login, cookie = secretary(server), cookie or await sign_in(server)
    now = datetime.now(UTC)
    async with aiohttp.ClientSession(server.url, headers={"Origin": server.url, "Cookie": cookie}) as http:
        plan = {
            "organizationId": login["organizationId"],
            "kind": "lecture",
            "title": "Benchmark",
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "record": record,
        }
        async with http.post("/api/meetings", json=plan) as answer:
            answer.raise_for_status()
            meeting_id: str = (await answer.json())["id"]
        async with http.post(f"/api/meetings/{meeting_id}/start") as answer:
            answer.raise_for_status()
    return meeting_id, cookie
