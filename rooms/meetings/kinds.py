"""What each kind of meeting means for invitations, openness and recording: one table."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from members.policy import Audience
from rooms.meetings.states import MeetingKind


class InvitedBy(StrEnum):
    """Who is invited by the kind itself."""

    ORGANIZATION = "organization"  # all members and guests of the organization and below it
    COMMITTEE = "committee"  # the members of the branch who hold a post
    GROUP = "group"  # the members of the group, or of a branch without groups; no guests
    HAND = "hand"  # only those named


@dataclass(frozen=True, slots=True)
class KindRule:
    """`audience`: who may come uninvited. `guests`: people without an account may be let in by a link."""

    invited: InvitedBy
    audience: Audience = Audience.ORGANIZATION
    further_organizations: bool = False
    guests: bool = False
    private: bool = False  # superiors do not look in, and nothing is recorded
    sign_up: bool = False


KINDS: Final[dict[MeetingKind, KindRule]] = {
    MeetingKind.GENERAL_MEETING: KindRule(InvitedBy.ORGANIZATION),
    MeetingKind.COMMITTEE_MEETING: KindRule(InvitedBy.COMMITTEE, Audience.INVITED),
    MeetingKind.GROUP_MEETING: KindRule(InvitedBy.GROUP, Audience.INVITED),
    MeetingKind.LECTURE: KindRule(InvitedBy.ORGANIZATION, further_organizations=True),
    MeetingKind.THEME_DAY: KindRule(InvitedBy.ORGANIZATION),
    MeetingKind.ORGANIZATIONAL_LIFE: KindRule(InvitedBy.ORGANIZATION),
    MeetingKind.DEMOCRATIC_APPRAISAL: KindRule(InvitedBy.ORGANIZATION),
    MeetingKind.OPEN_LIFE: KindRule(InvitedBy.ORGANIZATION, Audience.MEMBERS, guests=True, sign_up=True),
    MeetingKind.WORK_MEETING: KindRule(InvitedBy.ORGANIZATION, further_organizations=True),
    MeetingKind.FAMILY_VISIT: KindRule(InvitedBy.HAND, Audience.INVITED, guests=True, private=True),
}


def kinds_where(audience: Audience) -> frozenset[MeetingKind]:
    """The kinds that are open to `audience`."""
    return frozenset(kind for kind, rule in KINDS.items() if rule.audience is audience)


PRIVATE_KINDS: Final = frozenset(kind for kind, rule in KINDS.items() if rule.private)
