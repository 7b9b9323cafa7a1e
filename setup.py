"""Builds the native data plane in place: `python setup.py build_ext --inplace`."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

SANITIZE = os.environ.get("HUITANG_SANITIZE")  # "address": for `make fuzz`
PLANE = Path("media/plane")

flags = ["-O1", "-g", f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer"] if SANITIZE else ["-O3", "-g1"]
links = [f"-fsanitize={SANITIZE}"] if SANITIZE else []

extensions = [
    Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        extra_compile_args=[*flags, "-Wno-unreachable-code", "-Wno-unused-function"],
        extra_link_args=links,
        define_macros=[("_GNU_SOURCE", "1")],
    )
    for source in sorted(PLANE.glob("*.pyx"))
]

setup(ext_modules=cythonize(extensions, build_dir="build/cython", nthreads=os.cpu_count() or 1))
