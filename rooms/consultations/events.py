"""What changed at the stations; signaling listens and tells whom it concerns."""

from dataclasses import dataclass
from typing import Protocol

from rooms.consultations.states import ConsultationState


@dataclass(frozen=True, slots=True)
class TicketChanged:
    """A consultation changed: taken, called (again), answered, ended, missed, cancelled, back in the queue, rated."""

    consultation_id: str
    service_id: str
    state: ConsultationState
    expert_account_id: str | None
    called: bool  # it was called, or called again, just now


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """Positions, waits or experts on duty of these services changed: read `queue` and the tickets anew."""

    service_ids: frozenset[str]


ConsultationEvent = TicketChanged | QueueChanged


class ConsultationListener(Protocol):
    """Gets events after they were committed, on the event loop, in order; must not block."""

    def on_consultation_event(self, event: ConsultationEvent) -> None:
        """Take one event."""
        ...
