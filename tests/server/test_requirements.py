"""With what `requirements/run.txt` brings and nothing else: what only the tests' packages bring is not there."""

import asyncio
import re
import sys
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from aiohttp import ClientSession
from packaging.requirements import Requirement

from tests.server.conftest import Program
from tests.server.loaded import ROOT

PACKAGES = ("database", "media", "members", "recordings", "rooms", "signaling", "web")
IMPORT_ALL = """
import importlib, pkgutil, sys
import node
assert not {"numpy", "PIL"} & sys.modules.keys(), "what only films need is loaded by the server too"
for package in sys.argv[1:]:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if not found.name.endswith(("__main__", ".env")) and ".versions." not in found.name:
            importlib.import_module(found.name)
"""


def closure(file: Path) -> dict[str, Path]:
    """What a file of requirements brings: top-level names in site-packages and where they lie."""
    wanted = [
        Requirement(line) for line in file.read_text().splitlines() if line and not line.startswith("#")
    ]
    done: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, Path] = {}
    while wanted:
        requirement = wanted.pop()
        key = re.sub(r"[-_.]+", "-", requirement.name).lower(), frozenset(requirement.extras)
        if key in done:
            continue
        done.add(key)
        try:
            installed = distribution(requirement.name)
        except PackageNotFoundError:
            continue  # the run will tell, if it is needed on this machine
        for path in installed.files or ():
            if path.parts[0] not in {"..", "__pycache__"}:
                found[path.parts[0]] = Path(str(installed.locate_file(path.parts[0])))
        for text in installed.requires or ():
            further = Requirement(text)
            extras = {"", *requirement.extras}
            if further.marker is None or any(further.marker.evaluate({"extra": one}) for one in extras):
                wanted.append(further)
    return found


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter to which only those packages exist."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    for name, path in closure(ROOT / "requirements" / "run.txt").items():
        (packages / name).symlink_to(path)
    return str(folder / "bin" / "python")


async def test_every_module_can_be_imported(bare_python: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(bare_python, "-c", IMPORT_ALL, *PACKAGES), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


async def test_the_server_starts_is_ready_and_stops(bare_python: str, tmp_path: Path) -> None:
    program = Program(tmp_path / "data", python=bare_python)
    async with program.serve() as server, ClientSession() as browser:
        async with browser.get(f"{await server.url()}/readyz") as answer:
            assert answer.status == 200
        assert await server.stop() == 0
    missing = await program.run("--help")
    assert missing.code == 0, missing.err


async def test_the_tests_own_packages_are_not_there(bare_python: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(bare_python, "-c", "import pytest"), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert b"ModuleNotFoundError" in err
