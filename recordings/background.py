"""How processes that work for later make way for the server, which people wait for now."""

import contextlib
import os
import time
from pathlib import Path
from typing import Final

_OWN_SCORE: Final = Path("/proc/self/oom_score_adj")
_OWN_GROUP: Final = Path("/proc/self/autogroup")
# Of 1,000, which is all of the memory: as if the process held half of that beside what it does hold.
_WORSE_BY: Final = 500
_WORST: Final = 1000
# The kernel takes a group's niceness from ordinary accounts ten times a second, of all of them together.
_TRIES: Final = 10
_TRY_SECONDS: Final = 0.11


def make_way(niceness: int) -> None:
    """Put this process, and those it begins, behind the server: for the processor, and where memory runs out.

    Anybody may raise the score by which the kernel chooses whom to end (proc(5), `oom_score_adj`); where there is none,
    the kernel chooses by size alone.
    """
    os.nice(niceness)
    _be_nice_together(niceness)
    with contextlib.suppress(OSError, ValueError):
        _OWN_SCORE.write_text(str(min(_WORST, int(_OWN_SCORE.read_text()) + _WORSE_BY)), encoding="ascii")


def _be_nice_together(niceness: int) -> None:
    """The same for all of one's session: Linux shares processors out between sessions first (sched(7), autogroups).

    Within one, and the server's is one, whoever composes uses up what the server is to have of a busy machine. The
    session of somebody else is left alone.
    """
    if os.getsid(0) != os.getpid() or not _OWN_GROUP.exists():
        return
    for _ in range(_TRIES):
        try:
            _OWN_GROUP.write_text(str(niceness), encoding="ascii")
        except BlockingIOError:
            time.sleep(_TRY_SECONDS)
        except OSError:
            return
        else:
            return
