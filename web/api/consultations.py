"""面对面: services, stations, tickets, stars. Queues and desks move over Socket.IO's /stations."""

from datetime import timedelta
from typing import Final

from errors import Kind, Problem
from members.accounts.limits import source_key
from members.policy import Actor, GuestActor, StationActor
from members.tokens import Purpose
from signaling.cookies import STATION_COOKIE
from web.api.call import Answer, Asked, Nothing
from web.api.caller import Caller
from web.api.cookies import clear_cookie, set_cookie
from web.api.paging import cut
from web.api.schemas.base import Page, PageQuery
from web.api.schemas.consultations import (
    ConsultationCreate,
    ConsultationOut,
    RatingCreate,
    ServiceOut,
    StationKeyOut,
    StationOut,
    StationPairing,
    TicketOut,
)

# A screen in a service centre stays paired until somebody makes a new key, or a year has passed.
STATION_LIFETIME: Final = timedelta(days=365)


async def services(asked: Asked[PageQuery]) -> Page[ServiceOut]:
    """What one can ask for, and how busy each is."""
    found = await asked.services.consultations.services()
    return cut([ServiceOut.model_validate(one) for one in found], asked.input)


async def stations(asked: Asked[PageQuery]) -> Page[StationOut]:
    """Where the screens are."""
    found = await asked.services.stations.list()
    return cut([StationOut.model_validate(one) for one in found], asked.input)


async def pair_station(asked: Asked[StationPairing]) -> Answer:
    """Make this device a station, by the key that an officer made for it."""
    asked.edge.pairing.take(source_key(asked.seen.remote))
    paired = await asked.services.stations.pair(asked.input.key)
    content = {"stationId": paired.actor.station_id, "generation": paired.generation}
    token = asked.services.tokens.issue(Purpose.STATION, content, STATION_LIFETIME)
    seconds = int(STATION_LIFETIME.total_seconds())
    return Answer(
        StationOut.model_validate(paired.station),
        lambda response: set_cookie(response, STATION_COOKIE, token, seconds=seconds, seen=asked.seen),
    )


async def own_station(asked: Asked[Nothing]) -> StationOut:
    """Which station this device is."""
    station = asked.caller.station
    if station is not None:
        for known in await asked.services.stations.list():
            if known.id == station.station_id:
                return StationOut.model_validate(known)
    raise Problem(Kind.UNAUTHENTICATED, "not_a_station")


async def leave_station(asked: Asked[Nothing]) -> Answer:
    """Make this device an ordinary one again."""
    return Answer(None, lambda response: clear_cookie(response, STATION_COOKIE, seen=asked.seen))


async def renew_station_key(asked: Asked[Nothing]) -> StationKeyOut:
    """A new key for a screen, shown once; devices paired with the one before are out."""
    key = await asked.services.stations.renew_key(asked.caller.person, asked.path("stationId"))
    return StationKeyOut(key=key)


async def take(asked: Asked[ConsultationCreate]) -> TicketOut:
    """Take a queue ticket."""
    resident = asked.caller.station or asked.caller.actor
    if resident is None:
        asked.edge.tickets.take(source_key(asked.seen.remote))
    taken = await asked.services.consultations.take(
        resident, asked.input.service_id, asked.input.station_id, asked.input.display_name
    )
    view = ConsultationOut.model_validate(taken.consultation)
    return TicketOut(**dict(view), ticket_token=taken.ticket_token)


async def consultation(asked: Asked[Nothing]) -> ConsultationOut:
    """One's own ticket, or one that one serves."""
    found = await asked.services.consultations.get(_visitor(asked.caller), asked.path("consultationId"))
    return ConsultationOut.model_validate(found)


async def cancel(asked: Asked[Nothing]) -> ConsultationOut:
    """Give up waiting."""
    found = await asked.services.consultations.cancel(_visitor(asked.caller), asked.path("consultationId"))
    return ConsultationOut.model_validate(found)


async def rate(asked: Asked[RatingCreate]) -> ConsultationOut:
    """Stars, once, after the end."""
    found = await asked.services.consultations.rate(
        _visitor(asked.caller),
        asked.path("consultationId"),
        asked.input.stars,
        asked.input.comment,
    )
    return ConsultationOut.model_validate(found)


def _visitor(caller: Caller) -> Actor | StationActor | GuestActor:
    if caller.visitor is None:
        raise Problem(Kind.UNAUTHENTICATED, "not_signed_in")
    return caller.visitor
