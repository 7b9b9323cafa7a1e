"""What of a recording's captured tracks is not in its film: for whoever looks after the server, and who watches."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

from recordings.viewing.coverage import Interval, union

MOST_SPANS: Final = 20
"""So many places of one loss are told, and nobody looks at more."""


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
    spans: tuple[Interval, ...] = ()  # where in the film, in seconds; `bounded`. None: nobody knows

    def __str__(self) -> str:
        length = "" if self.seconds is None else f", {self.seconds:.1f} s"
        return f"{self.track} ({self.kind}): {self.cause}{length}"


@dataclass(frozen=True, slots=True)
class Lack:
    """What a film lacks of one kind of one person's tracks, in words of `Loss`; `name` may be unknown."""

    name: str
    kind: str
    seconds: float | None
    spans: tuple[Interval, ...] = ()


def bounded(spans: Iterable[Interval], most: int = MOST_SPANS) -> tuple[Interval, ...]:
    """In order and disjoint, none before the film begins; those that lie closest become one until few."""
    merged = list(union((max(0.0, begin), end) for begin, end in spans if end >= 0.0))
    while len(merged) > most:
        gaps = [after[0] - before[1] for before, after in pairwise(merged)]
        closest = gaps.index(min(gaps))
        merged[closest : closest + 2] = [(merged[closest][0], merged[closest + 1][1])]
    return tuple((round(begin, 3), round(end, 3)) for begin, end in merged)


def lacks(losses: Iterable[Loss]) -> tuple[Lack, ...]:
    """What the losses come to: each person and kind once, where all may be missing before the longest."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    places: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    for loss in losses:
        found[loss.name, loss.kind] += math.inf if loss.seconds is None else loss.seconds
        places[loss.name, loss.kind] += loss.spans
    longest = sorted(found.items(), key=lambda one: one[1], reverse=True)
    return tuple(
        Lack(*whose, seconds if math.isfinite(seconds) else None, bounded(places[whose]))
        for whose, seconds in longest
    )


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
        name, spans = str(one.get("name", "")), one.get("spans", [])  # older ones have neither
        losses.append(
            Loss(str(one["track"]), str(one["kind"]), str(one["cause"]), seconds, name, _spans_in(spans))
        )
    return tuple(losses)


def _spans_in(kept: Iterable[Any]) -> tuple[Interval, ...]:
    spans = tuple((float(begin), float(end)) for begin, end in kept)
    if not all(0.0 <= begin <= end < math.inf for begin, end in spans):
        raise ValueError("no places in a film")
    return bounded(spans)
