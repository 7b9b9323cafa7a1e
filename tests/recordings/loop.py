"""What the event loop asks the disk itself, where everybody waits for a slow one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def asked_by_the_loop(root: Path) -> Iterator[set[str]]:
    """The names under `root` at which this thread, which is the loop's, has looked itself."""
    asked = set[str]()
    loop = threading.current_thread()

    def noting(look: Callable[..., Any]) -> Callable[..., Any]:
        def noted(path: Path, *arguments: Any, **options: Any) -> Any:
            if threading.current_thread() is loop and path.is_relative_to(root):
                asked.add(path.relative_to(root).as_posix())
            return look(path, *arguments, **options)

        return noted

    with pytest.MonkeyPatch.context() as patch:
        for name in ("stat", "iterdir", "glob", "rglob"):
            patch.setattr(Path, name, noting(getattr(Path, name)))
        yield asked
