"""Attendance, its corrections, and leave."""

from web.api.call import Asked
from web.api.paging import page_out, page_request
from web.api.schemas.attendance import (
    AttendanceOut,
    AttendanceRow,
    AttendanceSummary,
    CorrectionCreate,
    LeaveDecision,
    LeaveRequestCreate,
    LeaveRequestOut,
)
from web.api.schemas.base import Page, PageQuery


async def attendance(asked: Asked[PageQuery]) -> AttendanceOut:
    """One row an expected or present person; while the meeting is live, as measured so far."""
    page = await asked.services.attendance.list(
        asked.caller.person, asked.path("meetingId"), page_request(asked.input)
    )
    return AttendanceOut(
        items=[AttendanceRow.model_validate(row) for row in page.items],
        next_cursor=page.next_cursor,
        summary=AttendanceSummary.model_validate(page.summary),
        final=page.final,
    )


async def correct(asked: Asked[CorrectionCreate]) -> AttendanceRow:
    """Say otherwise than what was measured, with a reason."""
    row = await asked.services.attendance.correct(
        asked.caller.person,
        asked.path("meetingId"),
        asked.path("memberId"),
        asked.input.state,
        asked.input.reason,
    )
    return AttendanceRow.model_validate(row)


async def ask_leave(asked: Asked[LeaveRequestCreate]) -> LeaveRequestOut:
    """Ask to be excused."""
    request = await asked.services.meetings.ask_leave(
        asked.caller.person, asked.path("meetingId"), asked.input.reason
    )
    return LeaveRequestOut.model_validate(request)


async def leave_requests(asked: Asked[PageQuery]) -> Page[LeaveRequestOut]:
    """A host sees all of the meeting, others their own."""
    page = await asked.services.meetings.leave_requests(
        asked.caller.person, asked.path("meetingId"), page_request(asked.input)
    )
    return page_out(page, LeaveRequestOut)


async def decide_leave(asked: Asked[LeaveDecision]) -> LeaveRequestOut:
    """Grant or refuse."""
    decided = await asked.services.meetings.decide_leave(
        asked.caller.person, asked.path("meetingId"), asked.path("memberId"), granted=asked.input.granted
    )
    return LeaveRequestOut.model_validate(decided)
