"""What of a recording's captured tracks is not in its film: for whoever looks after the server, and who watches."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Loss:
    """One captured file of which something could not be read. As text it goes into the log, and names nobody."""

    track: str  # its segment and its number there: `segment-0001/2`
    # What was captured: a `TrackSource`, or `journal` of a segment that cannot be read at all. `pictures`, `sound` or
    # all of an upload.
    kind: str
    cause: str  # in English, for people who know the system
    seconds: float | None = None  # so much of it is missing; None: all of it from somewhere on
    name: str = ""  # whose it was, as the film shows it

    def __str__(self) -> str:
        length = "" if self.seconds is None else f", {self.seconds:.1f} s"
        return f"{self.track} ({self.kind}): {self.cause}{length}"


@dataclass(frozen=True, slots=True)
class Lack:
    """What a film lacks of one kind of one person's tracks, in words of `Loss`; `name` may be unknown."""

    name: str
    kind: str
    seconds: float | None


def lacks(losses: Iterable[Loss]) -> tuple[Lack, ...]:
    """What the losses come to: each person and kind once, where all may be missing before the longest."""
    found: dict[tuple[str, str], float] = {}
    for loss in losses:
        seconds = math.inf if loss.seconds is None else loss.seconds
        found[loss.name, loss.kind] = found.get((loss.name, loss.kind), 0.0) + seconds
    longest = sorted(found.items(), key=lambda one: one[1], reverse=True)
    return tuple(Lack(*whose, seconds if math.isfinite(seconds) else None) for whose, seconds in longest)


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
        name = str(one.get("name", ""))  # older ones have none
        losses.append(Loss(str(one["track"]), str(one["kind"]), str(one["cause"]), seconds, name))
    return tuple(losses)
