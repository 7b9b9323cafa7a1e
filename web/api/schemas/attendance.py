"""Attendance: the measured rows, their corrections, and leave asked for beforehand."""

from typing import Annotated

from pydantic import StringConstraints

from rooms.attendance.rules import AttendanceState
from rooms.meetings.states import LeaveState
from web.api.schemas.base import Id, Input, Moment, Output, Page, Seconds, Text

Reason = Annotated[Text, StringConstraints(min_length=1, max_length=500)]


class CorrectionCreate(Input):
    """`POST /api/meetings/{id}/attendance/{memberId}/correction`: the measured values are kept beside it."""

    state: AttendanceState
    reason: Reason


class CorrectionOut(Output):
    """What the secretary says instead of what was measured."""

    state: AttendanceState
    reason: str
    at: Moment


class AttendanceRow(Output):
    """One expected or present person; `memberId` is null for who is not a member (family, a resident)."""

    member_id: Id | None
    name: str
    expected: bool
    state: AttendanceState
    seconds_present: Seconds
    first_seen_at: Moment | None
    last_seen_at: Moment | None
    correction: CorrectionOut | None


class AttendanceSummary(Output):
    """How many of each; `expected` counts the invited with a duty to come (应到)."""

    expected: int
    present: int
    late: int
    left_early: int
    excused: int
    absent: int
    made_up: int


class AttendanceOut(Page[AttendanceRow]):
    """`GET /api/meetings/{id}/attendance`; `final` once the meeting has ended and the cards are written."""

    summary: AttendanceSummary
    final: bool


class LeaveRequestCreate(Input):
    """`POST /api/meetings/{id}/leave-request`."""

    reason: Reason


class LeaveDecision(Input):
    """`POST /api/meetings/{id}/leave-requests/{memberId}/decision`, by a host."""

    granted: bool


class LeaveRequestOut(Output):
    """One person's wish to be excused."""

    meeting_id: Id
    member_id: Id
    name: str
    reason: str
    state: LeaveState
    asked_at: Moment
    decided_at: Moment | None
