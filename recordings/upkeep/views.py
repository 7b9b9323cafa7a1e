"""What upkeep answers."""

from dataclasses import dataclass
from datetime import datetime

from recordings.upkeep.models import Cause
from recordings.upkeep.quota import Fullness
from rooms.meetings.states import MeetingKind


@dataclass(frozen=True, slots=True)
class StorageView:
    """An organization's room and rules: what it says itself, and what counts.

    Days of 0 mean for ever. `quota_bytes` is the tightest that counts: its own or one above, whose `used_bytes` then is
    that organization's too.
    """

    organization_id: str
    organization_name: str
    keep_days: int | None
    keep_days_by_kind: dict[MeetingKind, int]
    own_quota_bytes: int | None
    counting_days: dict[MeetingKind, int]
    used_bytes: int
    quota_bytes: int | None
    quota_of: str | None  # the name of the organization whose quota it is
    fullness: Fullness
    can_manage: bool


@dataclass(frozen=True, slots=True)
class FilledView:
    """A quota that fills up, `used_bytes` by whose it is and all below."""

    organization_id: str
    organization_name: str
    used_bytes: int
    quota_bytes: int
    fullness: Fullness
    can_manage: bool  # give more room


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold that is on a recording."""

    reason: str
    set_at: datetime
    set_by_name: str | None


@dataclass(frozen=True, slots=True)
class KeepingView:
    """How long one recording is kept: `deletes_at` None for ever, or because of the hold."""

    deletes_at: datetime | None
    announced: bool  # the notice runs
    hold: HoldView | None
    can_hold: bool
    can_release: bool
    can_delete: bool


@dataclass(frozen=True, slots=True)
class DeletionView:
    """A recording that is gone. `deleted_by_name` None: the rules."""

    id: str
    recording_id: str
    meeting_id: str | None
    organization_name: str
    kind: MeetingKind
    title: str
    recorded_at: datetime
    duration_seconds: float | None
    cause: Cause
    deleted_by_name: str | None
    deleted_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class LeavingView:
    """A recording whose deletion by the rules is announced."""

    id: str
    title: str
    organization_name: str
    kind: MeetingKind
    started_at: datetime
    deletes_at: datetime
