"""What a meeting may be: checks on what callers ask for, pure. Each raises Problem INVALID with the field."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from errors import Kind, Problem
from members.organizations import OrganizationKind
from rooms.meetings.kinds import KINDS, InvitedBy
from rooms.meetings.requests import ScheduleMeeting
from rooms.meetings.states import MeetingKind, MeetingState
from rooms.texts import clean_text

TITLE_LENGTH: Final = 200
AGENDA_LENGTH: Final = 10_000
REASON_LENGTH: Final = 500
LONGEST: Final = timedelta(hours=24)
PAST: Final = timedelta(days=1)
"""A meeting may be entered a little late, such as one that has begun already; not written into the past."""

AHEAD: Final = timedelta(days=400)
"""A year's plan and some."""

HOLDING_GROUP_MEETINGS: Final = frozenset({OrganizationKind.GROUP, OrganizationKind.BRANCH})
"""A small branch without groups meets as one."""

NAMED: Final = 1000
"""Members or organizations named by hand in one request."""


def check_title(title: str) -> str:
    """One line of 1 to 200 characters."""
    return clean_text(title, TITLE_LENGTH, "invalid_title", lines=False)


def check_agenda(agenda: str | None) -> str | None:
    """Up to 10,000 characters; an empty one is none."""
    if agenda is None or not agenda.strip():
        return None
    return clean_text(agenda, AGENDA_LENGTH, "invalid_agenda")


def check_reason(reason: str) -> str:
    """1 to 500 characters."""
    return clean_text(reason, REASON_LENGTH, "invalid_reason")


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """End after start, at most a day long, from yesterday to somewhat more than a year ahead; aware."""
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise Problem(Kind.INVALID, "invalid_meeting_time", {"field": "startsAt", "problem": "zone_missing"})
    if ends_at <= starts_at:
        raise Problem(Kind.INVALID, "invalid_meeting_time", {"field": "endsAt", "problem": "not_after_start"})
    if ends_at - starts_at > LONGEST:
        raise Problem(Kind.INVALID, "invalid_meeting_time", {"field": "endsAt", "problem": "too_long"})
    if starts_at < now - PAST:
        raise Problem(Kind.INVALID, "invalid_meeting_time", {"field": "startsAt", "problem": "in_the_past"})
    if starts_at > now + AHEAD:
        raise Problem(Kind.INVALID, "invalid_meeting_time", {"field": "startsAt", "problem": "too_far_ahead"})


def check_timezone(name: str) -> str:
    """An IANA name that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Problem(Kind.INVALID, "invalid_timezone", {"field": "timezone"}) from None
    return name


def check_record(kind: MeetingKind, *, record: bool) -> None:
    """Private kinds are never recorded."""
    if record and KINDS[kind].private:
        raise Problem(Kind.INVALID, "kind_is_never_recorded", {"field": "record", "kind": kind.value})


def check_request(request: ScheduleMeeting, organization_kind: OrganizationKind, now: datetime) -> None:
    """Everything about a new meeting that can be said without looking into the records."""
    rule = KINDS[request.kind]
    check_times(request.starts_at, request.ends_at, now)
    check_record(request.kind, record=request.record)
    if rule.invited is InvitedBy.GROUP and organization_kind not in HOLDING_GROUP_MEETINGS:
        raise Problem(
            Kind.INVALID,
            "kind_not_for_organization",
            {"field": "kind", "organization": organization_kind.value},
        )
    if request.organization_ids and not rule.further_organizations:
        raise Problem(Kind.INVALID, "kind_takes_no_organizations", {"field": "organizationIds"})
    if len(request.organization_ids) > NAMED or len(request.member_ids) > NAMED:
        raise Problem(Kind.INVALID, "too_many_named", {"maximum": NAMED})
    if not 0 < request.present_share <= 1:
        raise Problem(Kind.INVALID, "invalid_threshold", {"field": "presentShare"})
    if not timedelta() <= request.late_after <= LONGEST:
        raise Problem(Kind.INVALID, "invalid_threshold", {"field": "lateAfterSeconds"})


def must_be(state: MeetingState, *allowed: MeetingState) -> None:
    """Problem CONFLICT meeting_in_wrong_state, with the state that it is in, unless it is one of the allowed."""
    if state not in allowed:
        raise Problem(Kind.CONFLICT, "meeting_in_wrong_state", {"state": state.value})
