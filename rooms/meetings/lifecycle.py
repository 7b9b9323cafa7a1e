"""The two steps of a meeting's life that touch everything: its start and its end, inside the caller's transaction."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.cards import Cards
from members.organizations import Organization
from rooms.attendance import records
from rooms.attendance.conclusion import conclude
from rooms.live.commands import EndReason
from rooms.meetings import roster
from rooms.meetings.models import Meeting
from rooms.meetings.rules import must_be
from rooms.meetings.states import MeetingState
from rooms.texts import rfc3339


async def begin(session: AsyncSession, meeting: Meeting, organization: Organization, now: datetime) -> None:
    """Scheduled -> live: bring the invitation list up to date for the last time and fix who is expected."""
    must_be(meeting.state, MeetingState.SCHEDULED)
    await roster.synchronize(session, meeting, organization)
    meeting.state = MeetingState.LIVE
    meeting.started_at = meeting.updated_at = now
    await session.flush()
    await records.open_expected(session, meeting.id)


async def finish(
    session: AsyncSession,
    meeting: Meeting,
    organization: Organization,
    cards: Cards,
    at: datetime,
    reason: EndReason,
) -> None:
    """Live -> ended, with the attendance and its card entries. All presence is in the database already."""
    must_be(meeting.state, MeetingState.LIVE)
    started_at = meeting.started_at or at
    meeting.state = MeetingState.ENDED
    meeting.ended_at = meeting.updated_at = max(at, started_at)
    meeting.end_reason = reason
    await session.flush()
    await conclude(session, meeting, organization, cards)


def require_open(meeting: Meeting, *, may_start: bool) -> None:
    """Problem unless one may enter now: the meeting is live, or about to be started by the one who comes."""
    match meeting.state:
        case MeetingState.LIVE:
            return
        case MeetingState.SCHEDULED if may_start:
            return
        case MeetingState.SCHEDULED:
            raise Problem(Kind.CONFLICT, "meeting_not_started", {"startsAt": rfc3339(meeting.starts_at)})
        case MeetingState.ENDED:
            ended_at = meeting.ended_at or meeting.updated_at
            raise Problem(Kind.CONFLICT, "meeting_ended", {"endedAt": rfc3339(ended_at)})
        case MeetingState.CANCELLED:
            raise Problem(Kind.CONFLICT, "meeting_cancelled")
