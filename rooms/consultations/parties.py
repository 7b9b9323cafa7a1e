"""The two sides of a consultation: who may see it, how each appears in the room, the token that leads there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from errors import Kind, Problem
from members.organizations import Organization
from members.policy import Action, Actor, GuestActor, StationActor, Subject, may
from members.tokens import Tokens
from rooms.consultations.models import Consultation
from rooms.consultations.views import ConsultationView
from rooms.live.commands import Person, Role
from rooms.passes import NamedGuest, account_pass, person_pass
from rooms.persons import guest_key, person_key, station_key

PASS_LIFETIME: Final = timedelta(hours=4)
"""As long as the longest talk."""

Resident = Actor | StationActor | GuestActor
"""Who may hold a ticket: somebody signed in, a paired station's device, the holder of a ticket token."""


class Side(StrEnum):
    """Which of the two somebody is."""

    EXPERT = "expert"
    RESIDENT = "resident"


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody who may enter a consultation's room now."""

    person: Person
    organization_id: str
    consultation: ConsultationView


def subject_of(consultation: Consultation, organization: Organization) -> Subject:
    """The consultation as the policy sees it."""
    expert = consultation.expert_account_id
    return Subject(
        organization_path=organization.path,
        expert_account_ids=frozenset({expert} if expert else ()),
        owner_account_id=consultation.resident_account_id,
        station_id=consultation.station_id,
        consultation_id=consultation.id,
    )


def side_of(principal: Resident, consultation: Consultation, organization: Organization) -> Side:
    """Which side the principal is on; Problem consultation_not_found for who is on neither."""
    subject = subject_of(consultation, organization)
    if may(principal, Action.SERVE_CONSULTATION, subject):
        return Side.EXPERT
    if may(principal, Action.RATE_CONSULTATION, subject):
        return Side.RESIDENT
    raise consultation_not_found()


def consultation_not_found() -> Problem:
    """The same for one that is not there and one that may not be known of."""
    return Problem(Kind.NOT_FOUND, "consultation_not_found")


def room_token(tokens: Tokens, principal: Resident, consultation: Consultation, now: datetime) -> str:
    """The token with which the principal enters the room."""
    match principal:
        case Actor():
            return account_pass(tokens, consultation.id, principal.account_id, now, PASS_LIFETIME).token
        case StationActor() | GuestActor():
            key, name = _resident_key(consultation), consultation.display_name
            return person_pass(tokens, consultation.id, key, name, now, PASS_LIFETIME).token


def person_of(
    visitor: Actor | NamedGuest, consultation: Consultation, organization: Organization
) -> tuple[Side, Person]:
    """The visitor as a person of the room; Problem consultation_not_found.

    A guest's token was made by `room_token` for this very room.
    """
    match visitor:
        case Actor():
            side = side_of(visitor, consultation, organization)
            name = visitor.name if side is Side.EXPERT else consultation.display_name
            role = Role.HOST if side is Side.EXPERT else Role.PARTICIPANT
            return side, Person(person_key(visitor), visitor.member_id, name, role)
        case NamedGuest():
            if visitor.key != _resident_key(consultation):
                raise consultation_not_found()
            return Side.RESIDENT, Person(visitor.key, None, visitor.name, Role.PARTICIPANT)


def _resident_key(consultation: Consultation) -> str:
    if consultation.station_id is not None and consultation.resident_account_id is None:
        return station_key(consultation.station_id)
    return guest_key(consultation.id)
