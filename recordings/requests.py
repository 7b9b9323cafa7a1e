"""What is asked of the library, as frozen records."""

from dataclasses import dataclass
from datetime import datetime

from members.policy import Audience
from rooms.meetings.states import MeetingKind


@dataclass(frozen=True, slots=True)
class RecordingsFilter:
    """Which recordings are wanted; what is None does not matter.

    `organization_id`: of it and all below it. `member_id`: in which this member took part. `query`: see `searching`.
    """

    meeting_id: str | None = None
    organization_id: str | None = None
    kind: MeetingKind | None = None
    from_: datetime | None = None
    to: datetime | None = None
    member_id: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Somebody in a film made elsewhere: a member, or a guest by `name`."""

    member_id: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class RecordingChanges:
    """What becomes of a recording's settings; None leaves one as it is, prompts of 0 minutes are none.

    `persons_before`: who was named when the change was thought of; None takes whoever is named now.
    """

    audience: Audience | None = None
    downloadable: bool | None = None
    required_share: float | None = None
    prompt_minutes: int | None = None
    persons: tuple[NamedPerson, ...] | None = None
    persons_before: tuple[NamedPerson, ...] | None = None
