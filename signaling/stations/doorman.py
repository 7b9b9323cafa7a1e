"""Tells who opens a connection to `/stations`."""

from typing import Any

from errors import Problem
from members.accounts.service import Accounts
from members.policy import GuestActor, StationActor
from members.tokens import Purpose, Tokens
from rooms import Stations
from rooms.consultations.service import Resident
from signaling.stations.caller import Caller, Credentials


class StationDoorman:
    """A token shown counts before cookies; a paired screen stays a station even while somebody is signed in on it."""

    def __init__(self, accounts: Accounts, tokens: Tokens, stations: Stations) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._stations = stations

    async def recognize(self, credentials: Credentials) -> Caller | None:
        """Who it is now; None when nothing shown is good (any more)."""
        principal = await self._principal(credentials)
        return None if principal is None else Caller(principal, credentials)

    async def _principal(self, credentials: Credentials) -> Resident | None:
        if credentials.token is not None:
            return self._guest(credentials.token) or await self._station(credentials.token)
        station = await self._station(credentials.station_cookie)
        return station or await self._accounts.authenticate(credentials.session_cookie or "")

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
