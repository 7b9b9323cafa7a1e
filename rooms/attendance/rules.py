"""Interval arithmetic and the judgement: pure, in aware UTC datetimes and seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

Interval = tuple[datetime, datetime]
"""From (inclusive) to (exclusive); never ends before it begins."""


class AttendanceState(StrEnum):
    """What is said of one person at one meeting. Values are stored and go over the wire."""

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    EXCUSED = "excused"
    ABSENT = "absent"
    MADE_UP = "made_up"


ATTENDED = frozenset({AttendanceState.PRESENT, AttendanceState.LATE, AttendanceState.LEFT_EARLY})
"""States of people who were there; only measurement or a correction leads to them."""

CAN_BE_MADE_UP = frozenset({AttendanceState.ABSENT, AttendanceState.EXCUSED, AttendanceState.LEFT_EARLY})
"""States that watching the recording changes. Who came late was there for what counts."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the meeting asks for. The defaults are the customer's."""

    present_share: float = 0.8
    late_after: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one person within the meeting's actual start and end."""

    seconds: float = 0.0
    first_seen: datetime | None = None
    last_seen: datetime | None = None


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals in order; those that touch become one. ValueError on a backward one."""
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        if end < begin:
            raise ValueError("an interval must not end before it begins")
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def clip(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """What of the intervals lies between start and end; what lies outside or has no length is dropped."""
    cut = ((max(begin, start), min(finish, end)) for begin, finish in intervals)
    return [(begin, finish) for begin, finish in cut if begin < finish]


def measure(intervals: Iterable[Interval], start: datetime, end: datetime) -> Measured:
    """One person's intervals, from any number of devices, within the meeting's actual start and end."""
    inside = union(clip(intervals, start, end))
    if not inside:
        return Measured()
    seconds = sum((finish - begin).total_seconds() for begin, finish in inside)
    return Measured(seconds, inside[0][0], inside[-1][1])


def judge(
    measured: Measured, start: datetime, end: datetime, thresholds: Thresholds, *, excused: bool
) -> AttendanceState:
    """The state that follows from what was measured.

    Late is who came after the threshold and then stayed: the present share of what was left. Left early is who was
    there for less than the share otherwise. Granted leave covers staying away and going, and hides no presence that
    suffices.
    """
    if measured.first_seen is None:
        return AttendanceState.EXCUSED if excused else AttendanceState.ABSENT
    late = measured.first_seen - start > thresholds.late_after
    expected_from = measured.first_seen if late else start
    if measured.seconds >= thresholds.present_share * (end - expected_from).total_seconds():
        return AttendanceState.LATE if late else AttendanceState.PRESENT
    return AttendanceState.EXCUSED if excused else AttendanceState.LEFT_EARLY
