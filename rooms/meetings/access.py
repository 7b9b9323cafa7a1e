"""What one actor is to one meeting: the policy's subject, the role in the room, the view. Pure."""

from dataclasses import dataclass, replace

from errors import Kind, Problem
from members.organizations import Organization
from members.policy import Action, Actor, Audience, Subject, may, require
from rooms.live.commands import Role
from rooms.meetings.kinds import KINDS
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.states import MeetingState
from rooms.meetings.views import MeetingView


@dataclass(frozen=True, slots=True)
class Access:
    """A meeting beside what the records say of one actor's part in it.

    `invitation`: the actor's own, struck ones too. `made_host`: by another host, in the live room.
    """

    actor: Actor
    meeting: Meeting
    organization: Organization
    invitation: Invitation | None
    made_host: bool = False

    @property
    def invited(self) -> Invitation | None:
        """The invitation that counts."""
        return self.invitation if self.invitation is not None and not self.invitation.struck else None

    @property
    def subject(self) -> Subject:
        """The meeting as the policy sees it; of the invited it names only the actor, who alone is asked about."""
        meeting, rule, invited = self.meeting, KINDS[self.meeting.kind], self.invited
        is_host = self.made_host or (invited is not None and invited.role is Role.HOST)
        struck = self.invitation is not None and self.invitation.struck
        return Subject(
            organization_path=self.organization.path,
            organizer_account_id=meeting.organizer_account_id,
            host_account_ids=frozenset({self.actor.account_id} if is_host else ()),
            invited_member_ids=frozenset({invited.member_id} if invited is not None else ()),
            audience=Audience.INVITED if struck else rule.audience,
            private=rule.private,
        )

    def may(self, action: Action) -> bool:
        """Whether the actor may do it to the meeting."""
        return may(self.actor, action, self.subject)

    def require(self, action: Action) -> None:
        """Problem forbidden; or meeting_not_found, as for one that does not exist, when it may not be known of."""
        try:
            require(self.actor, action, self.subject)
        except Problem as problem:
            raise meeting_not_found() if problem.kind is Kind.NOT_FOUND else problem from None

    @property
    def role(self) -> Role:
        """What the actor is in the room. Who comes by office alone looks on."""
        if self.may(Action.HOST_MEETING):
            return Role.HOST
        if self.invited is not None:
            return self.invited.role
        as_member = may(replace(self.actor, roles=()), Action.JOIN_MEETING, self.subject)
        return Role.PARTICIPANT if as_member else Role.OBSERVER

    @property
    def view(self) -> MeetingView:
        """The meeting as the actor sees it."""
        meeting = self.meeting
        role: Role | None = self.role
        if KINDS[meeting.kind].sign_up and self.invited is None and role is Role.PARTICIPANT:
            role = None  # may sign up
        may_start = meeting.state is MeetingState.SCHEDULED and role is Role.HOST
        return MeetingView(
            id=meeting.id,
            organization_id=meeting.organization_id,
            organization_name=self.organization.name,
            kind=meeting.kind,
            title=meeting.title,
            agenda=meeting.agenda,
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            timezone=meeting.timezone,
            started_at=meeting.started_at,
            ended_at=meeting.ended_at,
            state=meeting.state,
            record=meeting.record,
            lobby=meeting.lobby,
            expected_count=meeting.expected_count,
            my_role=role,
            can_join=may_start or (meeting.state is MeetingState.LIVE and self.may(Action.JOIN_MEETING)),
            can_manage=self.may(Action.MANAGE_MEETING),
        )


def meeting_not_found() -> Problem:
    """The same for a meeting that is not there and one that may not be known of."""
    return Problem(Kind.NOT_FOUND, "meeting_not_found")
