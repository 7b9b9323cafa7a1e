"""Compiles what opens the plane's inner parts to these tests, where it is missing or old: `python -m` this."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def build_probes() -> None:
    parts = [path.stat().st_mtime for path in (ROOT / "media" / "plane").glob("*.pxd")]
    with (ROOT / "build" / "probe.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes beside this one want them too
        for source in sorted(HERE.glob("*.pyx")):
            newest = max(source.stat().st_mtime, *parts)
            if not any(built.stat().st_mtime > newest for built in HERE.glob(f"{source.stem}.*.so")):
                compile_probe(source)


def compile_probe(source: Path) -> None:
    environment = {**os.environ, "HUITANG_SOURCES": str(source.relative_to(ROOT))}
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if built.returncode:
        raise RuntimeError(f"{source.name} does not compile:\n{built.stdout}{built.stderr}")


if __name__ == "__main__":
    build_probes()
