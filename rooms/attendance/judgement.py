"""From measured intervals to each person's state: pure, over rows of any origin."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rooms.attendance.models import AttendanceRecord, PresenceInterval
from rooms.attendance.rules import AttendanceState, Interval, Measured, Thresholds, judge, measure
from rooms.meetings.models import Meeting

STILL_THERE: Final = timedelta(seconds=45)
"""An open interval is taken as present until now when its last heartbeat is no older: three of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """When the meeting really was, and what it asks for."""

    start: datetime
    end: datetime
    thresholds: Thresholds

    @classmethod
    def of(cls, meeting: Meeting, end: datetime) -> "Span":
        """The span of a meeting that has started."""
        thresholds = Thresholds(meeting.present_share, timedelta(seconds=meeting.late_after_seconds))
        return cls(meeting.started_at or end, end, thresholds)


def by_person(found: Iterable[PresenceInterval]) -> dict[str, list[PresenceInterval]]:
    """Intervals by person key, in the order in which people came."""
    grouped: dict[str, list[PresenceInterval]] = {}
    for interval in found:
        grouped.setdefault(interval.person_key, []).append(interval)
    return grouped


def measured(found: Iterable[PresenceInterval], span: Span) -> Measured:
    """One person's intervals within the span; for a meeting that is live, the span ends now."""
    return measure([_until(interval, span.end) for interval in found], span.start, span.end)


def _until(interval: PresenceInterval, now: datetime) -> Interval:
    still_there = not interval.closed and now - interval.last_seen_at <= STILL_THERE
    return interval.opened_at, max(now, interval.opened_at) if still_there else interval.last_seen_at


def state_of(row: AttendanceRecord, what: Measured, span: Span, excused: frozenset[str]) -> AttendanceState:
    """The state of an expected person; who was not expected and came was present."""
    if not row.expected:
        return AttendanceState.PRESENT
    return judge(what, span.start, span.end, span.thresholds, excused=row.person_key in excused)


def prevailing(row: AttendanceRecord) -> AttendanceState | None:
    """What counts at last: the later of the correction and the making up, else what was measured."""
    if row.made_up_at is not None and (row.corrected_at is None or row.made_up_at >= row.corrected_at):
        return AttendanceState.MADE_UP
    return row.corrected_state or row.state


def said_last(before: datetime | None, now: datetime) -> datetime:
    """When something is said, for `prevailing`: after what was said `before`, though a clock ahead wrote that."""
    return now if before is None else max(now, before + timedelta(microseconds=1))


def counts(states: Iterable[AttendanceState]) -> Mapping[AttendanceState, int]:
    """How many of each state."""
    return Counter(states)
