"""What changed at the stations, told to those who watch: one worker reads each thing once, however often it changed."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from errors import Kind, Problem
from rooms import Consultations
from rooms.consultations.events import ConsultationEvent, QueueChanged, TicketChanged
from rooms.consultations.states import ConsultationState
from rooms.consultations.views import ConsultationView
from signaling.connection import Connection
from signaling.stations.caller import Caller
from signaling.stations.watchers import Watchers
from signaling.wire import wire

log = structlog.get_logger(__name__)

OVER = frozenset({ConsultationState.ENDED, ConsultationState.CANCELLED, ConsultationState.MISSED})

FOR_GOOD: Final = frozenset({Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.UNAUTHENTICATED})
"""Refusals that end watching: a page that asks again is told the same."""

PAUSE_SECONDS: Final = 1.0
"""Until records that could not be read are read again: a busy database is seldom busy for longer."""


class StationNews:
    """The listener of consultations. Events only mark what is to be read anew; `run` reads and tells."""

    def __init__(
        self,
        consultations: Consultations,
        watchers: Watchers,
        connection: Callable[[str], Connection[Caller] | None],
        post: Callable[[Iterable[str], str, Any], None],
    ) -> None:
        self._consultations = consultations
        self._watchers = watchers
        self._connection = connection
        self._post = post
        self._changed: dict[str, bool] = {}  # consultation id -> whether it was called just now
        self._services: set[str] = set()
        self._something = asyncio.Event()

    def on_consultation_event(self, event: ConsultationEvent) -> None:
        """Mark what has changed."""
        match event:
            case TicketChanged(consultation_id=consultation_id, called=called):
                self._mark(consultation_id, called=called)
            case QueueChanged(service_ids=service_ids):
                self._services |= service_ids
        self._something.set()

    async def run(self) -> None:
        """Tell of changes until cancelled; what cannot be read now is told later, any other failure is passed over."""
        while True:
            await self._something.wait()
            self._something.clear()
            try:
                await self._tell()
            except Exception as failure:
                if not _passes(failure):
                    log.exception("station_news_failed")
                    continue
                log.warning("station_news_put_off", code=str(failure))
                await asyncio.sleep(PAUSE_SECONDS)
                self._something.set()

    def _mark(self, consultation_id: str, *, called: bool) -> None:
        self._changed[consultation_id] = called or self._changed.get(consultation_id, False)

    async def _tell(self) -> None:
        """Tell what is marked; where the records cannot be read now, what is not told yet stays marked."""
        changed, self._changed = self._changed, {}
        services, self._services = frozenset(self._services), set()
        told: set[str] = set()
        try:
            for consultation_id, called in changed.items():
                await self._tell_ticket(consultation_id, called=called)
                told.add(consultation_id)
            if services:
                await self._tell_positions(services, told=told)
                for sid in list(self._watchers.queue):
                    await self._tell_queue(sid)
        except Problem as problem:
            if _passes(problem):
                for consultation_id, called in changed.items():
                    if consultation_id not in told:
                        self._mark(consultation_id, called=called)
                self._services |= services
            raise

    async def _tell_ticket(self, consultation_id: str, *, called: bool) -> None:
        """All who watch it, or, where it cannot be read for one of them, nobody: so nobody is called twice."""
        found: list[tuple[Connection[Caller], ConsultationView]] = []
        for sid in self._watchers.of(consultation_id):
            connection = self._connection(sid)
            if connection is None:
                continue
            try:
                view = await self._consultations.get(connection.identity.principal, consultation_id)
            except Problem as problem:  # may not be seen any more: went to another expert, for one
                if problem.kind not in FOR_GOOD:
                    raise
                self._watchers.unwatch(sid, consultation_id)
                continue
            found.append((connection, view))
        for connection, view in found:
            self._post_all(connection, view, called=called)

    def _post_all(self, connection: Connection[Caller], view: ConsultationView, *, called: bool) -> None:
        sid = connection.sid
        self._post_ticket(sid, view)
        if called and view.state is ConsultationState.CALLED and not connection.identity.is_expert:
            self._post((sid,), "called", {"consultation": wire(view), "roomToken": view.room_token})
        if view.state in OVER:
            self._post((sid,), "consultationEnded", {"consultation": wire(view)})

    async def _tell_positions(self, services: frozenset[str], *, told: set[str]) -> None:
        """Who waits behind somebody that left has moved up."""
        if not self._watchers.tickets() - told:
            return
        for view in await self._consultations.waiting(services):
            if view.id not in told:
                for sid in self._watchers.of(view.id):
                    self._post_ticket(sid, view)

    async def _tell_queue(self, sid: str) -> None:
        connection = self._connection(sid)
        if connection is None:
            return
        try:
            tickets = await self._consultations.queue(connection.identity.expert)
        except Problem as problem:
            if problem.kind not in FOR_GOOD:
                raise
            self._watchers.queue.pop(sid, None)
            return
        self._post((sid,), "queue", {"tickets": wire(tickets)})

    def _post_ticket(self, sid: str, view: ConsultationView) -> None:
        self._post((sid,), "ticket", {"consultation": wire(view)})


def _passes(failure: Exception) -> bool:
    return isinstance(failure, Problem) and failure.kind is Kind.UNAVAILABLE
