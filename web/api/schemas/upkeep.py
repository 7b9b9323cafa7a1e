"""How long recordings are kept, how much room there is, holds and deletions."""

from typing import Annotated

from pydantic import Field, StringConstraints

from recordings.upkeep.models import Cause
from recordings.upkeep.quota import Fullness
from rooms.meetings.states import MeetingKind
from web.api.schemas.base import Id, Input, Moment, Output, Seconds, Text

Days = Annotated[int, Field(ge=0, le=36_500)]
MAX_QUOTA = 2**60
Reason = Annotated[Text, StringConstraints(min_length=1, max_length=500)]


class ReasonGiven(Input):
    """Why something is done."""

    reason: Reason


class StorageRulesPut(Input):
    """`PUT /api/organizations/{id}/storage`: the whole of what the organization says; days of 0 mean for ever.

    What is null or absent the organizations above say. A quota holds for the organization and all below it.
    """

    keep_days: Days | None = None
    keep_days_by_kind: dict[MeetingKind, Days] = Field(default_factory=dict)
    quota_bytes: Annotated[int, Field(gt=0, le=MAX_QUOTA)] | None = None


class StorageOut(Output):
    """What an organization says (`keepDays`, `keepDaysByKind`, `ownQuotaBytes`) and what counts in the end."""

    organization_id: Id
    organization_name: str
    keep_days: int | None
    keep_days_by_kind: dict[MeetingKind, int]
    own_quota_bytes: int | None
    counting_days: dict[MeetingKind, int]
    used_bytes: int
    quota_bytes: int | None
    quota_of: str | None
    fullness: Fullness
    can_manage: bool


class FilledOut(Output):
    """A quota that fills up, used by whose it is and all below; `canManage`: one may give more room."""

    organization_id: Id
    organization_name: str
    used_bytes: int
    quota_bytes: int
    fullness: Fullness
    can_manage: bool


class HoldOut(Output):
    """A hold that is on a recording."""

    reason: str
    set_at: Moment
    set_by_name: str | None


class KeepingOut(Output):
    """How long a recording is kept; `deletesAt` null for ever. `announced`: the notice runs."""

    deletes_at: Moment | None
    announced: bool
    hold: HoldOut | None
    can_hold: bool
    can_release: bool
    can_delete: bool


class DeletionOut(Output):
    """A recording that is gone; `deletedByName` null where the rules deleted it."""

    id: Id
    recording_id: Id
    meeting_id: Id | None
    organization_name: str
    kind: MeetingKind
    title: str
    recorded_at: Moment
    duration_seconds: Seconds | None
    cause: Cause
    deleted_by_name: str | None
    deleted_at: Moment
    reason: str


class LeavingOut(Output):
    """A recording whose deletion by the rules is announced."""

    id: Id
    title: str
    organization_name: str
    kind: MeetingKind
    started_at: Moment
    deletes_at: Moment
