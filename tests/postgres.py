"""A PostgreSQL server of the tests' own: a temporary cluster on a Unix socket, gone with the test run."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

BINARIES = Path("/usr/lib/postgresql")
STOP_SECONDS = 20
USER = "huitang"


class Cluster:
    """Runs as user postgres when the tests run as root, because the server refuses root.

    Durability is off: nothing here outlives the run. The kernel ends the server when this process dies in whatever way.
    """

    def __init__(self) -> None:
        self._binaries = _newest_binaries()
        self._owner = "postgres" if os.geteuid() == 0 else getpass.getuser()
        self._folder = Path(tempfile.mkdtemp(prefix="huitang-pg-"))
        account = pwd.getpwnam(self._owner)
        os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster, start it, wait until it answers."""
        data = self._folder / "data"
        subprocess.run(
            [
                *self._as_owner(),
                self._binaries / "initdb",
                *("-D", data, "-U", USER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
        )
        with (self._folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [
                    *self._as_owner("--pdeathsig=INT"),
                    self._binaries / "postgres",
                    "-D",
                    data,
                    *self._settings(),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )
        self._wait()

    def url(self, name: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._server is not None:
            self._server.send_signal(2)  # SIGINT: a fast shutdown, clients are cut
            self._server.wait(STOP_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "60",
            "shared_buffers": "32MB",
            "autovacuum": "off",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _as_owner(self, *options: str) -> list[str]:
        if os.geteuid() == 0:
            options = (*options, f"--reuid={self._owner}", f"--regid={self._owner}", "--init-groups")
        return ["setpriv", *options] if options else []

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        probe = [str(self._binaries / "pg_isready"), "-q", "-h", str(self._folder), "-d", "postgres"]
        while subprocess.run(probe, check=False).returncode != 0:
            assert self._server is not None
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.05)


def _newest_binaries() -> Path:
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError(
            "PostgreSQL is not installed: apt-get install postgresql, or tools/system-packages.sh test"
        )
    return found[-1].parent
