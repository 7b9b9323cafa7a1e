"""What can be acted on, and what can be done to it: the nouns of the questions that `members.policy` answers."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Audience(StrEnum):
    """Whom a meeting or a recording is open to, beside those invited."""

    INVITED = "invited"  # nobody else
    ORGANIZATION = "organization"  # the members and guests of the organization and all below it
    COMMITTEE = "committee"  # those of everything under the same committee
    DISTRICT = "district"  # those of everything under the same department
    MEMBERS = "members"  # every member (开放式组织生活)
    PUBLIC = "public"  # everybody, signed in or not: open lectures


class Action(StrEnum):
    """Everything that somebody may or may not do."""

    SEE_ORGANIZATION = "see_organization"
    MANAGE_ORGANIZATION = "manage_organization"
    SEE_MEMBERS = "see_members"  # of the subject's organization
    SEE_MEMBER = "see_member"
    MANAGE_MEMBERS = "manage_members"
    SEE_CARD = "see_card"
    CORRECT_CARD = "correct_card"
    SCHEDULE_MEETING = "schedule_meeting"
    SEE_MEETING = "see_meeting"
    JOIN_MEETING = "join_meeting"
    HOST_MEETING = "host_meeting"  # enters as host, starts, ends
    MODERATE_MEETING = "moderate_meeting"  # admits, mutes, removes; live rooms add those made host
    MANAGE_MEETING = "manage_meeting"  # edits, cancels, decides on leave
    REQUEST_LEAVE = "request_leave"
    SEE_ATTENDANCE = "see_attendance"  # of everybody; one's own row comes with see_meeting
    CORRECT_ATTENDANCE = "correct_attendance"
    WATCH_RECORDING = "watch_recording"
    UPLOAD_RECORDING = "upload_recording"  # brings a film made elsewhere into the library
    MANAGE_RECORDING = "manage_recording"  # its settings and captions
    SHARE_RECORDING = "share_recording"  # opens it to the circle at the subject's organization
    SEE_VIEWINGS = "see_viewings"  # who has watched how much
    DELETE_RECORDING = "delete_recording"
    HOLD_RECORDING = "hold_recording"  # keeps anybody from deleting it
    RELEASE_RECORDING = "release_recording"  # lifts such a hold
    MANAGE_STORAGE = "manage_storage"  # how long recordings are kept, how much room they have
    SEE_SERVICES = "see_services"
    MANAGE_SERVICES = "manage_services"
    SEE_STATION = "see_station"
    MANAGE_STATIONS = "manage_stations"
    TAKE_CONSULTATION = "take_consultation"
    SERVE_CONSULTATION = "serve_consultation"  # goes on duty, calls, finishes, writes the outcome
    SEE_CONSULTATION = "see_consultation"
    JOIN_CONSULTATION = "join_consultation"
    RATE_CONSULTATION = "rate_consultation"
    SEE_FIGURES = "see_figures"  # statistics of the subject's organization, no names


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is acted on. Fill in what the thing has; an empty field gives nobody anything.

    `organization_path` is where the thing belongs: the organization itself, a member's home branch, the organization
    that holds the meeting, offers the service or houses the station.
    """

    organization_path: str
    # a member, a card
    member_id: str | None = None
    guest_path: str | None = None  # the destination branch of a flowing member
    # a meeting, a recording
    organizer_account_id: str | None = None
    host_account_ids: frozenset[str] = field(
        default_factory=frozenset
    )  # those made host for this one meeting
    invited_member_ids: frozenset[str] = field(default_factory=frozenset)
    invited_account_ids: frozenset[str] = field(default_factory=frozenset)  # residents, experts
    audience: Audience = Audience.INVITED
    private: bool = False  # 亲情会见: superiors do not look in
    # a service, a station, a consultation
    expert_account_ids: frozenset[str] = field(
        default_factory=frozenset
    )  # of the service; of the consultation
    owner_account_id: str | None = None  # the resident who took the ticket
    station_id: str | None = None
    consultation_id: str | None = None
    guests_welcome: bool = False  # residents without a log-in may take a ticket


SEEN_BY: Final[dict[Action, Action]] = {
    Action.SEE_ORGANIZATION: Action.SEE_ORGANIZATION,
    Action.MANAGE_ORGANIZATION: Action.SEE_ORGANIZATION,
    Action.SEE_MEMBERS: Action.SEE_ORGANIZATION,
    Action.MANAGE_MEMBERS: Action.SEE_ORGANIZATION,
    Action.SCHEDULE_MEETING: Action.SEE_ORGANIZATION,
    Action.SEE_FIGURES: Action.SEE_ORGANIZATION,
    Action.SEE_MEMBER: Action.SEE_MEMBER,
    Action.SEE_CARD: Action.SEE_MEMBER,
    Action.CORRECT_CARD: Action.SEE_MEMBER,
    Action.SEE_MEETING: Action.SEE_MEETING,
    Action.JOIN_MEETING: Action.SEE_MEETING,
    Action.HOST_MEETING: Action.SEE_MEETING,
    Action.MODERATE_MEETING: Action.SEE_MEETING,
    Action.MANAGE_MEETING: Action.SEE_MEETING,
    Action.REQUEST_LEAVE: Action.SEE_MEETING,
    Action.SEE_ATTENDANCE: Action.SEE_MEETING,
    Action.CORRECT_ATTENDANCE: Action.SEE_MEETING,
    Action.WATCH_RECORDING: Action.WATCH_RECORDING,
    Action.MANAGE_RECORDING: Action.WATCH_RECORDING,
    Action.UPLOAD_RECORDING: Action.SEE_ORGANIZATION,
    Action.SHARE_RECORDING: Action.SEE_ORGANIZATION,
    Action.SEE_VIEWINGS: Action.WATCH_RECORDING,
    Action.DELETE_RECORDING: Action.WATCH_RECORDING,
    Action.HOLD_RECORDING: Action.WATCH_RECORDING,
    Action.RELEASE_RECORDING: Action.WATCH_RECORDING,
    Action.MANAGE_STORAGE: Action.SEE_ORGANIZATION,
    Action.SEE_SERVICES: Action.SEE_SERVICES,
    Action.MANAGE_SERVICES: Action.SEE_SERVICES,
    Action.TAKE_CONSULTATION: Action.SEE_SERVICES,
    Action.SERVE_CONSULTATION: Action.SEE_SERVICES,
    Action.SEE_STATION: Action.SEE_STATION,
    Action.MANAGE_STATIONS: Action.SEE_STATION,
    Action.SEE_CONSULTATION: Action.SEE_CONSULTATION,
    Action.JOIN_CONSULTATION: Action.SEE_CONSULTATION,
    Action.RATE_CONSULTATION: Action.SEE_CONSULTATION,
}
"""For each action the one that tells whether its subject may be known of at all."""


def within(path: str, ancestor: str | None) -> bool:
    """Whether `path` is `ancestor` or below it."""
    return bool(ancestor) and path.startswith(ancestor or "/")


def line(path: str) -> list[str]:
    """The path itself and every path above it, from the root down."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: count + 1]) + "/" for count in range(len(parts))]


def circle(path: str, audience: Audience) -> str:
    """The top of the subtree whose members an audience means, of a thing at `path`.

    The department is the root of its tree and a committee stands right below it; what belongs to the department
    itself has no committee, and its circle is the department's.
    """
    depth = {Audience.COMMITTEE: 2, Audience.DISTRICT: 1}.get(audience)
    parts = path.strip("/").split("/")
    return f"/{'/'.join(parts[:depth])}/"
