"""The closed lists of words that meetings are described with. Values are stored and go over the wire."""

from enum import StrEnum


class MeetingKind(StrEnum):
    """三会一课 and relatives; kinds.py says what each means."""

    GENERAL_MEETING = "general_meeting"
    COMMITTEE_MEETING = "committee_meeting"
    GROUP_MEETING = "group_meeting"
    LECTURE = "lecture"
    THEME_DAY = "theme_day"
    ORGANIZATIONAL_LIFE = "organizational_life"
    DEMOCRATIC_APPRAISAL = "democratic_appraisal"
    OPEN_LIFE = "open_life"
    WORK_MEETING = "work_meeting"
    FAMILY_VISIT = "family_visit"


class MeetingState(StrEnum):
    """Where a meeting stands."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"


class InvitationOrigin(StrEnum):
    """Why somebody is on the list: by the kind's rule, by hand, or by signing up."""

    RULE = "rule"
    HAND = "hand"
    SIGNED_UP = "signed_up"


class LeaveState(StrEnum):
    """Where a leave request stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
