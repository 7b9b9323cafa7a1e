"""What the attendance service answers."""

from dataclasses import dataclass
from datetime import datetime

from rooms.attendance.rules import AttendanceState


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """What the secretary says instead of what was measured."""

    state: AttendanceState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AttendanceRow:
    """One expected or present person. `state` is what was measured or made up; the correction, if any, prevails.

    `member_id` is None for people without a card (family, residents).
    """

    member_id: str | None
    name: str
    expected: bool
    state: AttendanceState
    seconds_present: float
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    correction: CorrectionView | None


@dataclass(frozen=True, slots=True)
class AttendanceSummary:
    """How many of each among the expected, corrections applied."""

    expected: int = 0
    present: int = 0
    late: int = 0
    left_early: int = 0
    excused: int = 0
    absent: int = 0
    made_up: int = 0


@dataclass(frozen=True, slots=True)
class AttendancePage:
    """One page of rows, the summary of all, and whether the meeting has ended and the cards are written."""

    items: list[AttendanceRow]
    next_cursor: str | None
    summary: AttendanceSummary
    final: bool
