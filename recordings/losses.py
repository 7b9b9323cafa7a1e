"""What of a recording's captured tracks is not in its film: for whoever looks after the server, and who watches."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
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
    person: str = ""  # the key of whose it was: two people may have one name

    def __str__(self) -> str:
        length = "" if self.seconds is None else f", {self.seconds:.1f} s"
        return f"{self.track} ({self.kind}): {self.cause}{length}"


@dataclass(frozen=True, slots=True)
class Lack:
    """What a film lacks of one kind of one person's tracks, in words of `Loss`; `name` may be unknown.

    `apart`: by what people know him from another of his name in the same film.
    """

    name: str
    kind: str
    seconds: float | None
    spans: tuple[Interval, ...] = ()
    person: str = ""
    apart: str = ""


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
    found: dict[tuple[str, str, str], list[Loss]] = defaultdict(list)
    for loss in losses:
        found[loss.person, loss.name, loss.kind].append(loss)
    lacking = []
    for (person, name, kind), several in found.items():
        seconds = sum(math.inf if one.seconds is None else one.seconds for one in several)
        places = bounded(span for one in several for span in one.spans)
        lacking.append(Lack(name, kind, seconds if math.isfinite(seconds) else None, places, person))
    return tuple(
        sorted(lacking, key=lambda one: math.inf if one.seconds is None else one.seconds, reverse=True)
    )


def namesakes(lacking: Iterable[Lack]) -> frozenset[str]:
    """The keys of those who have their name in common with another."""
    keys: dict[str, set[str]] = defaultdict(set)
    for one in lacking:
        if one.name:
            keys[one.name].add(one.person)
    return frozenset(key for several in keys.values() if len(several) > 1 for key in several)


def told_apart(lacking: Iterable[Lack], words: Mapping[str, str]) -> tuple[Lack, ...]:
    """The same, whoever has a namesake with his word, by key; those who share it too, or have none, with a number."""
    lacking = tuple(lacking)
    shared = namesakes(lacking)
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for person, name in dict.fromkeys((one.person, one.name) for one in lacking if one.person in shared):
        alike[name, words.get(person, "")].append(person)
    apart: dict[tuple[str, str], str] = {}
    for (name, word), persons in alike.items():
        numbers = [""] if word and len(persons) == 1 else [str(place + 1) for place in range(len(persons))]
        apart |= {
            (person, name): f"{word} {number}".strip()
            for person, number in zip(sorted(persons), numbers, strict=True)
        }
    return tuple(replace(one, apart=apart.get((one.person, one.name), "")) for one in lacking)


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
        name, person = str(one.get("name", "")), str(one.get("person", ""))  # older ones have none of these
        spans = _spans_in(one.get("spans", []))
        losses.append(
            Loss(str(one["track"]), str(one["kind"]), str(one["cause"]), seconds, name, spans, person)
        )
    return tuple(losses)


def _spans_in(kept: Iterable[Any]) -> tuple[Interval, ...]:
    spans = tuple((float(begin), float(end)) for begin, end in kept)
    if not all(0.0 <= begin <= end < math.inf for begin, end in spans):
        raise ValueError("no places in a film")
    return bounded(spans)
