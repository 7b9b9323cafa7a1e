"""Interval arithmetic in seconds of a recording, and the account of the time to watch it. Pure."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

Interval = tuple[float, float]

# What counts as having studied a recording that says nothing else, and what one may say.
ENOUGH: Final = 0.9
LEAST_ENOUGH: Final = 0.5
# Nobody can show more: players tell where they are four times a second, and each pause, seek and end has an edge.
ALL: Final = 0.99
# Of a share: a hair's breadth of rounding does not matter.
ROUNDING: Final = 1e-9
# Faster than this nobody follows; what is played faster counts as if played at this pace.
FASTEST: Final = 2.0
# Pieces shorter than this are a player's hand on the seek bar.
SHORTEST: Final = 0.05
# A report covers ten seconds or so; a page that comes back after hours has not been watching all the while.
LONGEST_REPORT: Final = 120.0
# Reports are not exactly as far apart as the pieces they tell of: time not used carries over, but only so much.
LEEWAY: Final = 5.0
# Somebody who seeks all the time leaves many pieces; so many can be kept in a row of the database without harm.
MOST_INTERVALS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Account:
    """What has been watched, as disjoint intervals in order, and the wall clock's seconds not yet spent on watching.

    `spent`: those that the last report did spend, on whatever was new or not.
    """

    intervals: tuple[Interval, ...] = ()
    credit: float = 0.0
    spent: float = 0.0

    @property
    def seconds(self) -> float:
        """How much of it."""
        return total(self.intervals)


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time as disjoint intervals in order; those that touch become one."""
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return tuple(merged)


def total(intervals: Iterable[Interval]) -> float:
    """The sum of the lengths."""
    return math.fsum(end - begin for begin, end in intervals)


def plausible(claims: Iterable[Interval], duration: float) -> tuple[Interval, ...]:
    """The claims that speak of this recording at all, cut to its length, in the order they were made."""
    kept: list[Interval] = []
    for begin, end in claims:
        if not (math.isfinite(begin) and math.isfinite(end)):
            continue
        cut = (max(0.0, begin), min(duration, end))
        if cut[1] - cut[0] >= SHORTEST:
            kept.append(cut)
    return tuple(kept)


def beyond(claim: Interval, seen: Sequence[Interval]) -> list[Interval]:
    """What of the claim is in none of those seen, which are disjoint and in order."""
    at, finish = claim
    pieces: list[Interval] = []
    for begin, end in seen[max(0, bisect_right(seen, claim) - 1) :]:
        if begin >= finish:
            break
        if begin > at:
            pieces.append((at, begin))
        at = max(at, end)
    return [*pieces, (at, finish)] if at < finish else pieces


def watch(
    account: Account, claims: Sequence[Interval], rate: float, elapsed: float, duration: float
) -> Account:
    """The account after a report that came `elapsed` seconds after the one before it.

    Watching costs time, whether or not it is new: what is claimed beyond the time there was is cut off where the time
    ran out. What counts already takes what the new leaves: it may be told once more, because the answer was lost. A
    rate that is none counts as the normal pace.
    """
    pace = min(rate, FASTEST) if math.isfinite(rate) and rate > 0 else 1.0
    most = left = pace * (account.credit + min(max(0.0, elapsed), LONGEST_REPORT))
    told = plausible(claims, duration)
    new = [piece for claim in told for piece in beyond(claim, account.intervals)]
    seen: list[Interval] = list(account.intervals)
    for begin, end in new:
        if left < SHORTEST:
            break
        watched = min(end - begin, left)
        left -= watched
        seen.append((begin, begin + watched))
    left -= min(left, total(told) - total(new))
    intervals = union(seen)
    if len(intervals) > MOST_INTERVALS:
        intervals = account.intervals
    return Account(intervals, min(left / pace, LEEWAY), (most - left) / pace)


def share(intervals: Iterable[Interval], duration: float) -> float:
    """How much of the recording, 0..1."""
    return min(1.0, total(intervals) / duration) if duration > 0 else 0.0


def is_enough(intervals: Iterable[Interval], duration: float, required: float = ENOUGH) -> bool:
    """Whether the recording counts as studied."""
    return duration > 0 and share(intervals, duration) >= min(required, ALL) - ROUNDING
