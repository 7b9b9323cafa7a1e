"""How busy services are now, and the views that show it: a few queries whatever the number of tickets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.consultations import repository
from rooms.consultations.models import Consultation, Service
from rooms.consultations.queue import Desks, Waiting, expected_wait, order, typical_seconds
from rooms.consultations.states import ConsultationState
from rooms.consultations.views import ConsultationView, ExpertView, ServiceView


@dataclass(frozen=True, slots=True)
class Board:
    """One service at one moment; `positions` of the waiting tickets count from 1."""

    service: Service
    desks: Desks
    positions: Mapping[str, int]
    typical: float

    @property
    def service_view(self) -> ServiceView:
        """The service with its numbers."""
        return ServiceView(
            id=self.service.id,
            kind=self.service.kind,
            name=self.service.name,
            experts_on_duty=self.desks.on_duty,
            waiting=len(self.positions),
        )

    def view(self, consultation: Consultation, room_token: str | None = None) -> ConsultationView:
        """A consultation of this service."""
        position = self.positions.get(consultation.id)
        return ConsultationView(
            id=consultation.id,
            state=consultation.state,
            number=consultation.number,
            position=position,
            expected_wait_seconds=None
            if position is None
            else expected_wait(position, self.desks, self.typical),
            service=self.service_view,
            station_id=consultation.station_id,
            expert=ExpertView(consultation.expert_name) if consultation.expert_name else None,
            created_at=consultation.created_at,
            started_at=consultation.started_at,
            ended_at=consultation.ended_at,
            end_reason=consultation.end_reason,
            outcome=consultation.outcome,
            rating=consultation.rating,
            room_token=room_token,
        )


async def boards(
    session: AsyncSession, now: datetime, service_ids: Iterable[str] | None = None
) -> dict[str, Board]:
    """The boards of all services, or of some, in list order."""
    found = await repository.services(session, service_ids)
    ids = [service.id for service, _ in found]
    tickets: dict[str, list[Waiting]] = {service_id: [] for service_id in ids}
    for each in await repository.in_state(session, [ConsultationState.WAITING], ids):
        tickets[each.service_id].append(Waiting(each.id, each.returned, each.created_at, each.number))
    busy = await repository.busy_experts(session)
    desks: dict[str, list[bool]] = {service_id: [] for service_id in ids}
    for post in await repository.on_duty(session, ids):
        desks[post.service_id].append(post.account_id not in busy)
    durations = await repository.recent_durations(session, ids, now)
    return {
        service.id: Board(
            service=service,
            desks=Desks(len(desks[service.id]), sum(desks[service.id])),
            positions={
                ticket.id: position for position, ticket in enumerate(order(tickets[service.id]), start=1)
            },
            typical=typical_seconds(durations.get(service.id, [])),
        )
        for service, _ in found
    }
