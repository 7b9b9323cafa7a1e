"""Meetings: scheduling them, seeing them, the token that lets a person into the room."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from rooms.live.commands import Role
from rooms.meetings.states import InvitationOrigin, LeaveState, MeetingKind, MeetingState
from web.api.schemas.base import Id, Input, Moment, Name, Output, PageQuery, Text

MAX_INVITED = 1000

Title = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Agenda = Annotated[Text, StringConstraints(max_length=10_000)]


class MeetingCreate(Input):
    """`POST /api/meetings`.

    `organizationIds`: further organizations whose members are invited (lecture, work_meeting); `memberIds`: members
    invited by hand (family_visit); `timezone`: the organization's own when absent. Present (出席) is who was there for
    `presentShare` of the meeting, late (迟到) who came more than `lateAfterSeconds` after its start.
    """

    organization_id: Id
    kind: MeetingKind
    title: Title
    starts_at: Moment
    ends_at: Moment
    agenda: Agenda | None = None
    record: bool = False
    lobby: bool = False
    timezone: Annotated[Text, StringConstraints(min_length=1, max_length=60)] | None = None
    organization_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_INVITED)] = ()
    member_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_INVITED)] = ()
    present_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.8
    late_after_seconds: Annotated[int, Field(ge=0, le=24 * 3600)] = 600

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise PydanticCustomError("ends_before_it_starts", "endsAt must be later than startsAt")
        return self


class MeetingUpdate(Input):
    """`PATCH /api/meetings/{id}`, while it is scheduled: what is absent stays as it is."""

    title: Title | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    agenda: Agenda | None = None
    record: bool | None = None
    lobby: bool | None = None


class MeetingsQuery(PageQuery):
    """`GET /api/meetings?from=&to=&organizationId=`: those that lie partly between the two."""

    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    organization_id: Id | None = None
    newest_first: bool = False


class MeetingOut(Output):
    """One meeting, as the asking person sees it.

    `deletedRecordingId`: its recording is gone, which this person might have watched; `.../recordings/{id}/deletion`.
    """

    id: Id
    organization_id: Id
    organization_name: str
    kind: MeetingKind
    title: str
    agenda: str | None
    starts_at: Moment
    ends_at: Moment
    timezone: str
    started_at: Moment | None
    ended_at: Moment | None
    state: MeetingState
    record: bool
    lobby: bool
    expected_count: int
    my_role: Role | None
    can_join: bool
    can_manage: bool
    recording_id: Id | None = None
    deleted_recording_id: Id | None = None


class RoomTokenOut(Output):
    """`POST /api/meetings/{id}/token`: `auth: {token}` of a Socket.IO client that has no cookie."""

    token: str
    expires_at: Moment


class GuestInvite(Input):
    """`POST /api/meetings/{id}/guests`: family of a 亲情会见, residents at an open meeting."""

    display_name: Name


class InviteOne(Input):
    """One member; an observer (列席) is not expected and has no vote."""

    member_id: Id
    role: Role = Role.PARTICIPANT


class InviteCreate(Input):
    """`POST /api/meetings/{id}/invitations`."""

    invitations: Annotated[tuple[InviteOne, ...], Field(min_length=1, max_length=MAX_INVITED)]


class InvitedOut(Output):
    """How many are expected now."""

    expected_count: int


class InvitationLeave(Output):
    """What came of an invited member's wish to be excused."""

    reason: str
    state: LeaveState
    asked_at: Moment
    decided_at: Moment | None


class InvitationOut(Output):
    """One invited member."""

    member_id: Id
    name: str
    organization_id: Id
    organization_name: str
    role: Role
    vote: bool
    origin: InvitationOrigin
    leave: InvitationLeave | None
