"""Residents: their tickets."""

from typing import Any

from rooms import Consultations
from signaling.connection import Connection
from signaling.stations.caller import Caller
from signaling.stations.messages import ConsultationReference
from signaling.stations.watchers import Watchers
from signaling.wire import wire

Answer = dict[str, Any]
From = Connection[Caller]


class QueueHall:
    """The handlers for those who wait. The service judges whose ticket it is."""

    def __init__(self, consultations: Consultations, watchers: Watchers) -> None:
        self._consultations = consultations
        self._watchers = watchers

    async def watch_ticket(self, connection: From, message: ConsultationReference) -> Answer:
        """See one's ticket and hear of its changes. A lost page keeps its place: it watches again when it is back."""
        view = await self._consultations.get(connection.identity.principal, message.consultation_id)
        self._watchers.watch(connection.sid, view.id)
        return {"consultation": wire(view)}

    async def cancel_ticket(self, connection: From, message: ConsultationReference) -> Answer:
        """Give up waiting."""
        view = await self._consultations.cancel(connection.identity.principal, message.consultation_id)
        return {"consultation": wire(view)}

    async def answer(self, connection: From, message: ConsultationReference) -> Answer:
        """Come when called."""
        token = await self._consultations.answer(connection.identity.principal, message.consultation_id)
        return {"roomToken": token}
