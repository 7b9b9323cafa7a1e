"""What of a recording's captured tracks is not in its film: why it is damaged, for whoever looks after the server."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Loss:
    """One captured file of which something could not be read. It goes into the log, so it names nobody."""

    track: str  # its segment and its number there: `segment-0001/2`
    # What was captured: a `TrackSource`, or `journal` of a segment that cannot be read at all. `pictures`, `sound` or
    # all of an upload.
    kind: str
    cause: str  # in English, for people who know the system
    seconds: float | None = None  # so much of it is missing; None: all of it from somewhere on

    def __str__(self) -> str:
        length = "" if self.seconds is None else f", {self.seconds:.1f} s"
        return f"{self.track} ({self.kind}): {self.cause}{length}"


def losses_out(losses: Iterable[Loss]) -> list[dict[str, Any]]:
    """As `recordings.losses` keeps them."""
    return [asdict(loss) for loss in losses]


def losses_in(kept: Iterable[dict[str, Any]]) -> tuple[Loss, ...]:
    """What was kept; KeyError, TypeError or ValueError for what `losses_out` does not write."""
    losses = []
    for one in kept:
        seconds = None if one["seconds"] is None else float(one["seconds"])
        if seconds is not None and not math.isfinite(seconds):
            raise ValueError("no length")
        losses.append(Loss(str(one["track"]), str(one["kind"]), str(one["cause"]), seconds))
    return tuple(losses)
