"""The demo organization, made once a run: hashing its passwords takes seconds of the processor each time."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Demo:
    """A data folder to be copied, never served, and the log-ins as `server.py demo --json` printed them."""

    data: Path
    logins: list[dict[str, Any]]

    def copy(self, data: Path) -> None:
        """Make a data folder with the same organization."""
        shutil.copytree(self.data, data)

    def login(self, username: str) -> dict[str, Any]:
        """That person's log-in."""
        return next(one for one in self.logins if one["username"] == username)


def shared_demo(folder: Path) -> Demo:
    """The demo in that folder, made by the first of those processes of a run that want it."""
    folder.mkdir(exist_ok=True)
    data, said = folder / "data", folder / "logins.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(json.dumps(make_demo(data).logins))
    return Demo(data, json.loads(said.read_text()))


def make_demo(data: Path) -> Demo:
    """The demo in a folder that is made."""
    made = subprocess.run(
        [sys.executable, "server.py", "demo", "--json"],
        cwd=ROOT,
        env={**os.environ, "HUITANG_DATA_DIR": str(data)},
        check=True,
        capture_output=True,
        text=True,
    )
    return Demo(data, json.loads(made.stdout))
