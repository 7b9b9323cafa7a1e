"""Builds the native data plane and the load generator of `make bench`: `python setup.py build_ext --inplace`."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

SANITIZE = os.environ.get("HUITANG_SANITIZE")  # "address,undefined": for `make fuzz`
PARTS = os.environ.get("HUITANG_SOURCES")  # what the tests build by itself
SOURCES = (PARTS or "media/plane/*.pyx bench/*.pyx").split()

# Python's own flags let numbers wrap (-fwrapv), so that no overflow would be found.
sanitized = [f"-fsanitize={SANITIZE}", "-fno-sanitize-recover=all", "-fno-wrapv", "-fno-omit-frame-pointer"]
guided = ["-fsanitize-coverage=trace-pc"]  # see tests/fuzz/edges.c
# What tests alone run is compiled sooner than it would run quicker: -O1 under sanitizers takes a minute more.
plain = ["-O1", "-g0"] if PARTS else ["-O3", "-g1"]
flags = ["-O0", "-g1", *sanitized, *guided] if SANITIZE else plain
links = [f"-fsanitize={SANITIZE}"] if SANITIZE else []

extensions = [
    Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        extra_compile_args=[*flags, "-Wno-unreachable-code", "-Wno-unused-function"],
        extra_link_args=links,
        define_macros=[("_GNU_SOURCE", "1")],
    )
    for pattern in SOURCES
    for source in sorted(Path().glob(pattern))
]

# Plain C arithmetic in the plane: the packet path has no exceptions to raise.
directives = {"cdivision": True, "boundscheck": False, "wraparound": False}

setup(
    ext_modules=[
        module
        for extension in extensions
        for module in cythonize(
            [extension],
            build_dir="build/cython",
            language_level=3,
            compiler_directives=directives if ".plane." in extension.name else {},
        )
    ]
)
