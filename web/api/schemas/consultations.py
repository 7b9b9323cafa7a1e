"""面对面: stations, services, queue tickets and consultations."""

from typing import Annotated

from pydantic import Field, StringConstraints

from rooms.consultations.states import ConsultationEnd, ConsultationState, ServiceKind
from web.api.schemas.base import Id, Input, Moment, Name, Output, Text


class StationOut(Output):
    """A screen in a Party-service centre."""

    id: Id
    name: str
    organization_id: Id
    organization_name: str
    services: list[Id]


class ServiceOut(Output):
    """What a resident can ask for."""

    id: Id
    kind: ServiceKind
    name: str
    experts_on_duty: int
    waiting: int


class StationPairing(Input):
    """`POST /api/station-session`: the key an officer typed in; answers the station and sets its cookie."""

    key: Annotated[Text, StringConstraints(min_length=1, max_length=200)]


class ConsultationCreate(Input):
    """`POST /api/consultations`; `displayName` is needed from a guest who is not signed in."""

    service_id: Id
    station_id: Id | None = None
    display_name: Name | None = None


class ConsultationExpert(Output):
    """Who talks with the resident."""

    name: str


class ConsultationOut(Output):
    """One ticket and the consultation it becomes; `roomToken` once it is the caller's turn."""

    id: Id
    state: ConsultationState
    number: int
    position: int | None
    expected_wait_seconds: int | None
    service: ServiceOut
    station_id: Id | None
    expert: ConsultationExpert | None
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    end_reason: ConsultationEnd | None
    outcome: str | None
    rating: int | None
    room_token: str | None


class TicketOut(ConsultationOut):
    """`POST /api/consultations`: `ticketToken` lets its holder watch, cancel and rate without a session."""

    ticket_token: str


class RatingCreate(Input):
    """`POST /api/consultations/{id}/rating`."""

    stars: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[Text, StringConstraints(max_length=500)] | None = None


class StationKeyOut(Output):
    """`POST /api/stations/{id}/key`: shown once; devices paired with the key before are out."""

    key: str
