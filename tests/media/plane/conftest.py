"""Compiles the probe (the plane's inner parts, opened to these tests) when it is missing or old."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def build_probe() -> None:
    sources = [HERE / "probe.pyx", *(ROOT / "media" / "plane").glob("*.pxd")]
    newest = max(source.stat().st_mtime for source in sources)
    with (ROOT / "build" / "probe.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes beside this one want it too
        if not any(built.stat().st_mtime > newest for built in HERE.glob("probe.*.so")):
            compile_probe()


def compile_probe() -> None:
    environment = {**os.environ, "HUITANG_SOURCES": "tests/media/plane/probe.pyx"}
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if built.returncode:
        raise RuntimeError(f"The probe does not compile:\n{built.stdout}{built.stderr}")


build_probe()
