"""Leave (请假): asked by the invited before the meeting, granted or refused by who manages it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from database import Page, PageRequest
from errors import Kind, Problem
from members.people import repository as people
from members.policy import Actor
from rooms.meetings import repository
from rooms.meetings.access import Access
from rooms.meetings.models import Invitation
from rooms.meetings.rules import check_reason
from rooms.meetings.states import LeaveState
from rooms.meetings.views import LeaveView


def ask(access: Access, reason: str, now: datetime) -> LeaveView:
    """Put the request on the actor's own invitation, which the policy has seen."""
    invitation = access.invited
    if invitation is None:
        raise Problem(Kind.NOT_FOUND, "invitation_not_found")
    invitation.leave_state = LeaveState.ASKED
    invitation.leave_reason = check_reason(reason)
    invitation.leave_asked_at = now
    invitation.leave_decided_at = None
    invitation.leave_decided_by = None
    return view_of(invitation, access.actor.name)


async def decide(
    session: AsyncSession, actor: Actor, meeting_id: str, member_id: str, now: datetime, *, granted: bool
) -> LeaveView:
    """Grant or refuse; the last decision counts. Problem leave_request_not_found."""
    invitation = (await repository.invitations_of(session, meeting_id, [member_id])).get(member_id)
    if invitation is None or invitation.struck or invitation.leave_state is None:
        raise Problem(Kind.NOT_FOUND, "leave_request_not_found")
    invitation.leave_state = LeaveState.GRANTED if granted else LeaveState.REFUSED
    invitation.leave_decided_at = now
    invitation.leave_decided_by = actor.account_id
    members = await people.get_many(session, [member_id])
    return view_of(invitation, members[member_id].name)


async def page(
    session: AsyncSession, meeting_id: str, member_id: str | None, request: PageRequest
) -> Page[LeaveView]:
    """Requests with names, oldest first; of one member alone where given."""
    found = await repository.leave_page(session, meeting_id, member_id, request)
    members = await people.get_many(session, [invitation.member_id for invitation in found.items])
    return found.map(lambda invitation: view_of(invitation, members[invitation.member_id].name))


def view_of(invitation: Invitation, name: str) -> LeaveView:
    """The view of an invitation that has a request."""
    if invitation.leave_state is None or invitation.leave_asked_at is None:
        raise ValueError("no leave was asked on this invitation")
    return LeaveView(
        meeting_id=invitation.meeting_id,
        member_id=invitation.member_id,
        name=name,
        reason=invitation.leave_reason or "",
        state=invitation.leave_state,
        asked_at=invitation.leave_asked_at,
        decided_at=invitation.leave_decided_at,
    )
