"""What callers of the meetings service hand in; already of the right types, not yet judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rooms.live.commands import Role
from rooms.meetings.states import MeetingKind


@dataclass(frozen=True, slots=True)
class ScheduleMeeting:
    """A meeting to be.

    `organization_ids`: further organizations whose members are invited (lecture, work_meeting); `member_ids`: members
    invited by hand (family_visit needs one); both on top of the kind's own rule. `timezone` None: the organization's.
    """

    organization_id: str
    kind: MeetingKind
    title: str
    starts_at: datetime
    ends_at: datetime
    agenda: str | None = None
    record: bool = False
    lobby: bool = False
    timezone: str | None = None
    organization_ids: tuple[str, ...] = ()
    member_ids: tuple[str, ...] = ()
    present_share: float = 0.8
    late_after: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class UpdateMeeting:
    """Changes to a scheduled meeting: None leaves a field as it is; an empty agenda clears it."""

    title: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    agenda: str | None = None
    record: bool | None = None
    lobby: bool | None = None


@dataclass(frozen=True, slots=True)
class MeetingsFilter:
    """Which meetings: those that lie partly between the two times, of one organization (or None: all one may see).

    Listed from the earliest start; `newest_first` turns it round (past meetings).
    """

    from_: datetime | None = None
    to: datetime | None = None
    organization_id: str | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Invite:
    """One member invited by hand; an observer (列席) is not expected and has no vote."""

    member_id: str
    role: Role = Role.PARTICIPANT
