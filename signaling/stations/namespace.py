"""`/stations`: the table of everything a client may send there."""

from aiohttp import web

from errors import Kind, Problem
from localization import ErrorTexts
from signaling.connection import Connection
from signaling.cookies import SESSION_COOKIE, STATION_COOKIE
from signaling.messages import Nothing
from signaling.namespace import Entry, Table, TableNamespace
from signaling.stations.caller import Caller, Credentials
from signaling.stations.desks import Desks
from signaling.stations.doorman import StationDoorman
from signaling.stations.messages import CallNext, ConsultationReference, Finish, SetDuty
from signaling.stations.queue_hall import QueueHall
from signaling.stations.watchers import Watchers
from signaling.statistics import Counters


def stations_table(queue: QueueHall, desks: Desks) -> Table[Caller]:
    """Event name -> (model, handler)."""
    return {
        "watchTicket": Entry(ConsultationReference, queue.watch_ticket),
        "cancelTicket": Entry(ConsultationReference, queue.cancel_ticket),
        "answer": Entry(ConsultationReference, queue.answer),
        "setDuty": Entry(SetDuty, desks.set_duty),
        "watchQueue": Entry(Nothing, desks.watch_queue),
        "callNext": Entry(CallNext, desks.call_next),
        "callAgain": Entry(ConsultationReference, desks.call_again),
        "missed": Entry(ConsultationReference, desks.missed),
        "finish": Entry(Finish, desks.finish),
    }


class StationsNamespace(TableNamespace[Caller]):
    """Lets residents and experts in, and keeps count of the desks."""

    name = "/stations"

    def __init__(
        self,
        table: Table[Caller],
        doorman: StationDoorman,
        desks: Desks,
        watchers: Watchers,
        counters: Counters,
        texts: ErrorTexts,
    ) -> None:
        super().__init__(table, counters, texts)
        self._doorman = doorman
        self._desks = desks
        self._watchers = watchers

    async def _identify(self, request: web.Request, token: str | None) -> Caller | None:
        cookies = request.cookies
        return await self._doorman.recognize(
            Credentials(token, cookies.get(STATION_COOKIE), cookies.get(SESSION_COOKIE))
        )

    async def _renew(self, connection: Connection[Caller]) -> None:
        """Pages stay open for days: roles, log-ins and station keys end meanwhile, so each event looks anew."""
        caller = await self._doorman.recognize(connection.identity.credentials)
        if caller is None:
            raise Problem(Kind.UNAUTHENTICATED, "unauthenticated")
        connection.identity = caller

    async def _come(self, connection: Connection[Caller]) -> None:
        self._desks.opened(connection)

    async def _gone(self, connection: Connection[Caller]) -> None:
        self._watchers.forget(connection.sid)
        self._desks.lost(connection)
