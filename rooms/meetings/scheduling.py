"""Writing a new meeting down, inside the caller's transaction."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from database import new_id
from members.organizations import Organization
from members.policy import Action, Actor, Subject, require
from rooms.meetings import repository, roster
from rooms.meetings.access import Access
from rooms.meetings.lookups import require_invitable, visible_members, visible_organization
from rooms.meetings.models import Meeting, MeetingOrganization
from rooms.meetings.requests import ScheduleMeeting
from rooms.meetings.rules import check_agenda, check_request, check_timezone, check_title
from rooms.meetings.states import InvitationOrigin, MeetingState


async def schedule(session: AsyncSession, actor: Actor, request: ScheduleMeeting, now: datetime) -> Access:
    """Check the right and the request, write the meeting, invite whom its kind says."""
    organization = await visible_organization(session, actor, request.organization_id)
    require(actor, Action.SCHEDULE_MEETING, Subject(organization_path=organization.path))
    check_request(request, organization.kind, now)
    meeting = _new_meeting(request, organization, actor, now)
    session.add(meeting)
    await session.flush()
    further = set(request.organization_ids) - {organization.id}
    await require_invitable(session, actor, organization, further)
    session.add_all(MeetingOrganization(meeting_id=meeting.id, organization_id=one) for one in further)
    named = await visible_members(session, actor, request.member_ids)
    await roster.put(session, meeting.id, named.values(), InvitationOrigin.HAND)
    await session.flush()
    await roster.synchronize(session, meeting, organization)
    await session.flush()
    return await repository.access(session, meeting.id, actor)


def _new_meeting(
    request: ScheduleMeeting, organization: Organization, actor: Actor, now: datetime
) -> Meeting:
    return Meeting(
        id=new_id(),
        organization_id=organization.id,
        organizer_account_id=actor.account_id,
        kind=request.kind,
        title=check_title(request.title),
        agenda=check_agenda(request.agenda),
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        timezone=check_timezone(request.timezone or organization.timezone),
        state=MeetingState.SCHEDULED,
        record=request.record,
        lobby=request.lobby,
        locked=False,
        present_share=request.present_share,
        late_after_seconds=int(request.late_after / timedelta(seconds=1)),
        expected_count=0,
        created_at=now,
        updated_at=now,
    )
