"""What the sides of the consultations service share: the records, the clock, who is missing, who is told."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from members.cards import Cards
from members.organizations import Organization
from members.tokens import Tokens
from rooms.consultations import moves, repository
from rooms.consultations.board import boards
from rooms.consultations.events import ConsultationEvent, ConsultationListener, QueueChanged, TicketChanged
from rooms.consultations.models import Consultation, Service
from rooms.consultations.parties import Resident, Side, consultation_not_found, room_token, side_of
from rooms.consultations.settings import ConsultationSettings
from rooms.consultations.states import TALKING, ConsultationState
from rooms.consultations.views import ConsultationView
from rooms.consultations.watch import Watch

Found = tuple[Consultation, Service, Organization]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Work:
    """One unit of work: its session, and the events to tell when it has been committed."""

    session: AsyncSession
    events: list[ConsultationEvent] = field(default_factory=list)

    def changed(self, consultation: Consultation, *, called: bool = False, queue: bool = True) -> None:
        """A consultation changed; `queue`: and with it the positions of those who wait."""
        self.events.append(
            TicketChanged(
                consultation.id,
                consultation.service_id,
                consultation.state,
                consultation.expert_account_id,
                called,
            )
        )
        if queue:
            self.queues([consultation.service_id])

    def queues(self, service_ids: Iterable[str]) -> None:
        """Positions, waits or duty of these services changed."""
        ids = frozenset(service_ids)
        if ids:
            self.events.append(QueueChanged(ids))


class Office:
    """The base of the sides; not a service by itself."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        cards: Cards,
        clock: Clock,
        settings: ConsultationSettings,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._cards = cards
        self._clock = clock
        self._settings = settings
        self._watch = Watch()
        self._listeners: list[ConsultationListener] = []

    def subscribe(self, listener: ConsultationListener) -> Callable[[], None]:
        """Tell `listener` of all events from now on; answers how to stop it."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[Work]:
        """A transaction whose events are told when it has been committed, first to the watch; not when it fails."""
        async with self._database.transaction() as session:
            work = Work(session)
            yield work
        for event in work.events:
            self._follow(event)
            for listener in tuple(self._listeners):
                try:
                    listener.on_consultation_event(event)
                except Exception:
                    log.exception("consultation_listener_failed", told=type(event).__name__)

    def _follow(self, event: ConsultationEvent) -> None:
        """Watch what is called, and no longer what is over or back in the queue."""
        if not isinstance(event, TicketChanged):
            return
        if event.state in TALKING:
            self._watch.begin(event.consultation_id, self._clock())
        else:
            self._watch.forget(event.consultation_id)

    async def _locked(self, session: AsyncSession, consultation_id: str) -> Found:
        found = await repository.find(session, consultation_id, lock=True)
        if found is None:
            raise consultation_not_found()
        return found

    async def _own(
        self, session: AsyncSession, principal: Resident, consultation_id: str, side: Side
    ) -> Consultation:
        """A consultation of which the principal is this side, locked; Problem consultation_not_found."""
        consultation, _, organization = await self._locked(session, consultation_id)
        if side_of(principal, consultation, organization) is not side:
            raise consultation_not_found()
        return consultation

    def _answer(self, work: Work, consultation: Consultation) -> None:
        """The resident comes; who is there already changes nothing."""
        if consultation.state is ConsultationState.ACTIVE:
            return
        moves.answer(consultation, self._clock())
        work.changed(consultation, queue=False)

    async def _view(
        self, session: AsyncSession, consultation: Consultation, principal: Resident | None = None
    ) -> ConsultationView:
        """The view, with the principal's room token while the room may be entered."""
        await session.flush()
        known = await boards(session, self._clock(), [consultation.service_id])
        token = None
        if principal is not None and consultation.state in TALKING:
            token = room_token(self._tokens, principal, consultation, self._clock())
        return known[consultation.service_id].view(consultation, token)
