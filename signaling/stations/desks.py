"""Experts: duty, the queue, the next one, the end."""

from typing import Any

from members.policy import Actor
from rooms import Consultations
from rooms.consultations.views import ConsultationView
from signaling.connection import Connection
from signaling.messages import Nothing
from signaling.stations.caller import Caller
from signaling.stations.messages import CallNext, ConsultationReference, Finish, SetDuty
from signaling.stations.watchers import Watchers
from signaling.wire import wire

Answer = dict[str, Any]
From = Connection[Caller]


class Desks:
    """The handlers for experts, and which of them have a connection: who has none goes off duty after a grace."""

    def __init__(self, consultations: Consultations, watchers: Watchers) -> None:
        self._consultations = consultations
        self._watchers = watchers
        self._open: dict[str, Actor] = {}  # by sid

    def opened(self, connection: From) -> None:
        """A connection of an expert is there."""
        if connection.identity.is_expert:
            self._open[connection.sid] = connection.identity.expert
            self._consultations.desk_opened(connection.identity.expert)

    def lost(self, connection: From) -> None:
        """A connection is gone; of an expert's, the last one counts."""
        expert = self._open.pop(connection.sid, None)
        if expert is not None and all(other.account_id != expert.account_id for other in self._open.values()):
            self._consultations.desk_lost(expert)

    async def set_duty(self, connection: From, message: SetDuty) -> Answer:
        """Be there for residents, or not."""
        duty = await self._consultations.set_duty(
            connection.identity.expert, on_duty=message.on_duty, service_ids=tuple(message.service_ids)
        )
        answer: Answer = wire(duty)
        return answer

    async def watch_queue(self, connection: From, _message: Nothing) -> Answer:
        """See the desk as it stands, also after a lost page: who waits, one's duty, whom one has in hand."""
        expert = connection.identity.expert
        tickets = await self._consultations.queue(expert)
        duty = await self._consultations.duty(expert)
        view = await self._consultations.in_hand(expert)
        self._watchers.queue[connection.sid] = None
        if view is not None:
            self._watchers.watch(connection.sid, view.id)
        return {
            "tickets": wire(tickets),
            "duty": wire(duty),
            "consultation": wire(view),
            "roomToken": None if view is None else view.room_token,
        }

    async def call_next(self, connection: From, message: CallNext) -> Answer:
        """Call whoever has waited longest."""
        view = await self._consultations.call_next(connection.identity.expert, message.service_id)
        if view is None:
            return {"consultation": None, "roomToken": None}
        return self._watched(connection, view) | {"roomToken": view.room_token}

    async def call_again(self, connection: From, message: ConsultationReference) -> Answer:
        """Call the same once more."""
        return self._watched(
            connection,
            await self._consultations.call_again(connection.identity.expert, message.consultation_id),
        )

    async def missed(self, connection: From, message: ConsultationReference) -> Answer:
        """Whoever was called did not come."""
        return _answer(await self._consultations.missed(connection.identity.expert, message.consultation_id))

    async def finish(self, connection: From, message: Finish) -> Answer:
        """End the talk with a note."""
        return _answer(
            await self._consultations.finish(
                connection.identity.expert, message.consultation_id, message.outcome
            )
        )

    def _watched(self, connection: From, view: ConsultationView) -> Answer:
        self._watchers.watch(connection.sid, view.id)
        return _answer(view)


def _answer(view: ConsultationView) -> Answer:
    return {"consultation": wire(view)}
