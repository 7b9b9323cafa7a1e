"""Who makes a call: worked out once, from the cookies and the ticket token that came with it."""

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs, web

from errors import Kind, Problem
from members.policy import Actor, GuestActor, StationActor
from members.tokens import Purpose, Tokens
from signaling.cookies import SESSION_COOKIE, STATION_COOKIE
from web.services import Services

MAX_TOKEN: Final = 2000  # longer is none of ours, and need not be hashed to know it


@dataclass(frozen=True, slots=True)
class Caller:
    """The person signed in, the paired station, the holder of a ticket; each may be absent."""

    actor: Actor | None = None
    session_token: str | None = None
    locale: str | None = None
    station: StationActor | None = None
    guest: GuestActor | None = None

    @property
    def person(self) -> Actor:
        """Who is signed in; Problem UNAUTHENTICATED when nobody is."""
        if self.actor is None:
            raise Problem(Kind.UNAUTHENTICATED, "not_signed_in")
        return self.actor

    @property
    def visitor(self) -> Actor | StationActor | GuestActor | None:
        """Who stands before a service: the ticket shown counts first, then the station, then the session.

        A paired screen stays a station even while an officer is signed in on it.
        """
        return self.guest or self.station or self.actor


async def identify(request: web.BaseRequest, services: Services) -> Caller:
    """Who calls. A cookie or token that is worth nothing (any more) is the same as none."""
    session = cookie(request, SESSION_COOKIE)
    actor = await services.accounts.authenticate(session) if session else None
    return Caller(
        actor=actor,
        session_token=session if actor else None,
        locale=actor.locale if actor else None,
        station=await _station(cookie(request, STATION_COOKIE), services),
        guest=_guest(bearer(request), services),
    )


def cookie(request: web.BaseRequest, name: str) -> str | None:
    """A cookie's value when it can be one of ours."""
    value = request.cookies.get(name)
    return value if value and len(value) <= MAX_TOKEN and value.isascii() else None


def bearer(request: web.BaseRequest) -> str | None:
    """`Authorization: Bearer <token>`."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and 0 < len(token) <= MAX_TOKEN and token.isascii() else None


async def _station(token: str | None, services: Services) -> StationActor | None:
    match _payload(services.tokens, Purpose.STATION, token):
        case {"stationId": str() as station_id, "generation": int() as generation}:
            return await services.stations.authenticate(station_id, generation)
    return None


def _guest(token: str | None, services: Services) -> GuestActor | None:
    match _payload(services.tokens, Purpose.TICKET, token):
        case {"consultationId": str() as consultation_id, "name": str() as name}:
            return GuestActor(consultation_id, name)
    return None


def _payload(tokens: Tokens, purpose: Purpose, token: str | None) -> dict[str, Any] | None:
    try:
        return tokens.read(purpose, token) if token else None
    except Problem:
        return None
