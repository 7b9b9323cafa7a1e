"""Tells who opens a connection to `/stations`."""

from typing import Any

from aiohttp import web

from errors import Problem
from members.accounts.service import Accounts
from members.policy import GuestActor, StationActor
from members.tokens import Purpose, Tokens
from rooms import Stations
from signaling.cookies import SESSION_COOKIE, STATION_COOKIE
from signaling.stations.caller import Caller


class StationDoorman:
    """A token shown counts before cookies; a paired screen stays a station even while somebody is signed in on it."""

    def __init__(self, accounts: Accounts, tokens: Tokens, stations: Stations) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._stations = stations

    async def recognize(self, request: web.Request, token: str | None) -> Caller | None:
        """Who it is; None when nothing shown is good."""
        if token is not None:
            guest = self._guest(token) or await self._station(token)
            return Caller(guest) if guest is not None else None
        station = await self._station(request.cookies.get(STATION_COOKIE))
        if station is not None:
            return Caller(station)
        actor = await self._accounts.authenticate(request.cookies.get(SESSION_COOKIE, ""))
        return Caller(actor) if actor is not None else None

    def _guest(self, token: str) -> GuestActor | None:
        payload = self._read(Purpose.TICKET, token)
        match payload:
            case {"consultationId": str() as consultation_id, "name": str() as name}:
                return GuestActor(consultation_id, name)
        return None

    async def _station(self, token: str | None) -> StationActor | None:
        match self._read(Purpose.STATION, token):
            case {"stationId": str() as station_id, "generation": int() as generation}:
                return await self._stations.authenticate(station_id, generation)
        return None

    def _read(self, purpose: Purpose, token: str | None) -> dict[str, Any] | None:
        try:
            return self._tokens.read(purpose, token) if token else None
        except Problem:
            return None
