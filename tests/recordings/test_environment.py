"""What the processes that decode strangers' files know of the server's environment."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from recordings.compose.brief import Brief
from recordings.composing.process import run
from recordings.uploads.inspection import Inspector

SECRETS = {
    "HUITANG_STORAGE__SECRET_KEY": "k", "HUITANG_DATABASE__URL": "postgresql://a:b@c/d", "AWS_SECRET_ACCESS_KEY": "k",
    "PGPASSWORD": "p", "SSH_AUTH_SOCK": "/s",
}  # fmt: skip
TOLD = {
    "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_TIME": "C", "VIRTUAL_ENV": "/v", "HOME": "/h", "PYTHONPATH": "/p",
    "LD_LIBRARY_PATH": "/l", "TMPDIR": "/t",
}  # fmt: skip
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


async def composing(folder: Path) -> None:
    async for _ in run(folder, 0, Brief()):
        pass


async def inspecting(folder: Path) -> None:
    await Inspector().inspect(folder / "film")


@pytest.mark.parametrize("process", [composing, inspecting])
async def test_whoever_decodes_is_told_where_things_are_and_no_secret(
    process: Callable[[Path], Awaitable[None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, said = tmp_path / "python", tmp_path / "said"
    program.write_text(f"#!/bin/sh\nexec env >{said}\n")
    program.chmod(0o700)
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in (SECRETS | TOLD).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "executable", str(program))
    await process(tmp_path)
    found = dict(line.split("=", 1) for line in said.read_text().splitlines())
    temporary = found["TMPDIR"]
    assert {name: found[name] for name in found.keys() - OF_THE_SHELL} == TOLD | {"TMPDIR": temporary}
    assert (temporary == TOLD["TMPDIR"]) == (process is inspecting), (
        "whoever composes has a folder of his own"
    )
