"""How processes that work for later make way for the server, which people wait for now."""

import contextlib
import os
from pathlib import Path
from typing import Final

_OWN_SCORE: Final = Path("/proc/self/oom_score_adj")
# Of 1,000, which is all of the memory: whoever holds half as much as the server and more goes before it.
_WORSE_BY: Final = 500
_WORST: Final = 1000


def make_way(niceness: int) -> None:
    """Put this process, and those it begins, behind the server: for the processor, and where memory runs out.

    Anybody may raise the score by which the kernel chooses whom to end (proc(5), `oom_score_adj`); where there is none,
    the kernel chooses by size alone.
    """
    os.nice(niceness)
    with contextlib.suppress(OSError, ValueError):
        _OWN_SCORE.write_text(str(min(_WORST, int(_OWN_SCORE.read_text()) + _WORSE_BY)), encoding="ascii")
