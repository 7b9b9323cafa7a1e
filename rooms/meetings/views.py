"""What the meetings service answers: frozen, with the names that pages show, for the person who asked."""

from dataclasses import dataclass
from datetime import datetime

from rooms.live.commands import Role
from rooms.meetings.states import InvitationOrigin, LeaveState, MeetingKind, MeetingState


@dataclass(frozen=True, slots=True)
class MeetingView:
    """One meeting as one person sees it. `my_role` None: may see it, is not invited and holds no office over it."""

    id: str
    organization_id: str
    organization_name: str
    kind: MeetingKind
    title: str
    agenda: str | None
    starts_at: datetime
    ends_at: datetime
    timezone: str
    started_at: datetime | None
    ended_at: datetime | None
    state: MeetingState
    record: bool
    lobby: bool
    expected_count: int
    my_role: Role | None
    can_join: bool
    can_manage: bool


@dataclass(frozen=True, slots=True)
class InvitationView:
    """One invited member."""

    member_id: str
    name: str
    organization_id: str
    organization_name: str
    role: Role
    vote: bool
    origin: InvitationOrigin
    leave: "LeaveView | None"


@dataclass(frozen=True, slots=True)
class LeaveView:
    """One person's wish to be excused."""

    meeting_id: str
    member_id: str
    name: str
    reason: str
    state: LeaveState
    asked_at: datetime
    decided_at: datetime | None
