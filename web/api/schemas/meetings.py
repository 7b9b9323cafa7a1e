"""Meetings: scheduling them, seeing them, the token that lets a person into the room."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from web.api.schemas.base import Id, Input, Moment, Output, PageQuery, Text

MeetingKind = Literal[
    "general_meeting",
    "committee_meeting",
    "group_meeting",
    "lecture",
    "theme_day",
    "organizational_life",
    "democratic_appraisal",
    "open_life",
    "work_meeting",
    "family_visit",
]
Title = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Agenda = Annotated[Text, StringConstraints(max_length=10_000)]


class MeetingCreate(Input):
    """`POST /api/meetings`."""

    organization_id: Id
    kind: MeetingKind
    title: Title
    starts_at: Moment
    ends_at: Moment
    agenda: Agenda | None = None
    record: bool = False
    lobby: bool = False

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("endsAt must be later than startsAt")
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


class MeetingOut(Output):
    """One meeting, as the asking person sees it."""

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
    state: Literal["scheduled", "live", "ended", "cancelled"]
    record: bool
    lobby: bool
    expected_count: int
    my_role: Literal["host", "participant", "observer"] | None
    can_join: bool
    can_manage: bool
    recording_id: Id | None


class RoomTokenOut(Output):
    """`POST /api/meetings/{id}/token`: `auth: {token}` of a Socket.IO client that has no cookie."""

    token: str
    expires_at: Moment
