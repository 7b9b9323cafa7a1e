"""Build the plane with sanitizers and run `tests.fuzz.target` under them; fails on any finding."""

import argparse
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.fuzz.guidance import Last
from tests.fuzz.target import STARVED

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
LAST = BUILD / "last"
COUNTER = Path(__file__).with_name("edges.c")
SANITIZERS = "address,undefined,float-cast-overflow"  # the last is not among the undefined by itself


def build() -> Path:
    """Compile the instrumented plane into build/fuzz, if it is older than its sources; answers the module's file."""
    sources = [ROOT / "setup.py", *(ROOT / "media" / "plane").glob("*.p[xy][dix]"), Path(__file__)]
    newest = max(source.stat().st_mtime for source in sources)
    built = [path for path in BUILD.glob("media/plane/native.*.so") if path.stat().st_mtime > newest]
    if not built:
        print("Compiling the data plane with its sanitizers", flush=True)  # noqa: T201
        environment = {**os.environ, "HUITANG_SANITIZE": SANITIZERS, "HUITANG_SOURCES": "media/plane/*.pyx"}
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--force"]
        command += ["--build-lib", str(BUILD), "--build-temp", str(BUILD / "objects")]
        BUILD.mkdir(parents=True, exist_ok=True)
        log = BUILD / "build.log"
        with log.open("w") as output:
            if subprocess.run(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, check=False
            ).returncode:
                raise SystemExit(f"The instrumented build failed:\n{log.read_text()}")
        built = list(BUILD.glob("media/plane/native.*.so"))
    return built[0]


def build_counter() -> Path:
    """What counts the edges that the instrumented plane takes; a moment's work."""
    library = BUILD / "edges.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, COUNTER], check=True)
    return library


def sanitizer() -> str:
    """The AddressSanitizer library of the compiler that built the plane."""
    found = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return str(Path(found.stdout.strip()).resolve())


def keep_finding() -> Path:
    """Put the input that was being tried where the next run leaves it."""
    parser, data = Last.read(LAST)
    path = BUILD / "findings" / parser / f"{sha256(data).hexdigest()[:8]}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def main() -> int:
    """Run the target in a process of its own and pass its verdict on."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=None, help="repeat a run (printed at its start)")
    arguments = parser.parse_args()
    module = build()
    environment = {
        **os.environ,
        "LD_PRELOAD": f"{sanitizer()} {build_counter()}",
        # The interpreter keeps its memory to the end; leaks of the plane itself are the target's own to find.
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99",
        "PYTHONMALLOC": "malloc",  # so that every bytes object has red zones around it
    }
    command = [sys.executable, "-m", "tests.fuzz.target", str(module), str(LAST), str(arguments.seconds)]
    if arguments.seed is not None:
        command.append(str(arguments.seed))
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if code:
        print(f"fuzz: FAILED, exit code {code}")  # noqa: T201
    if code not in {0, STARVED}:
        print(f"fuzz: the last input is {keep_finding()}; in tests/fuzz/found the tests try it on")  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
