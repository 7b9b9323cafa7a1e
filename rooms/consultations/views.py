"""What the station and consultation services answer."""

from dataclasses import dataclass
from datetime import datetime

from members.policy import StationActor
from rooms.consultations.states import ConsultationEnd, ConsultationState, ServiceKind


@dataclass(frozen=True, slots=True)
class StationView:
    """A screen in a Party-service centre; `services` are ids."""

    id: str
    name: str
    organization_id: str
    organization_name: str
    services: list[str]


@dataclass(frozen=True, slots=True)
class RegisteredStation:
    """A station as its operator sees it: whether a key was ever made for its screen."""

    station: StationView
    has_key: bool


@dataclass(frozen=True, slots=True)
class PairedStation:
    """A device that showed a station's key. Its cookie holds id and `generation`: a new key makes it void."""

    actor: StationActor
    station: StationView
    generation: int


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What a resident can ask for, and how busy it is."""

    id: str
    kind: ServiceKind
    name: str
    experts_on_duty: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ExpertView:
    """Who talks with the resident."""

    name: str


@dataclass(frozen=True, slots=True)
class ConsultationView:
    """One ticket and the consultation it becomes.

    `position` counts from 1 and is None when not waiting. `room_token` is there for the two concerned, once called.
    """

    id: str
    state: ConsultationState
    number: int
    position: int | None
    expected_wait_seconds: int | None
    service: ServiceView
    station_id: str | None
    expert: ExpertView | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: ConsultationEnd | None
    outcome: str | None
    rating: int | None
    room_token: str | None


@dataclass(frozen=True, slots=True)
class TakenTicket:
    """A fresh ticket, and the token that lets its holder watch, cancel, answer and rate without a session."""

    consultation: ConsultationView
    ticket_token: str


@dataclass(frozen=True, slots=True)
class QueueTicket:
    """One waiting ticket as experts see it."""

    consultation_id: str
    number: int
    service_id: str
    display_name: str
    waiting_since: datetime


@dataclass(frozen=True, slots=True)
class DutyView:
    """What an expert is on duty for, and what he could be."""

    on_duty: bool
    service_ids: list[str]
    may_serve: list[str]
