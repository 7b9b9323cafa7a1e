"""面对面: services, stations, tickets, stars. Queues and desks move over Socket.IO's /stations."""

from errors import Kind, Problem
from members.policy import Actor, GuestActor, StationActor
from web.api.call import Answer, Asked, Nothing
from web.api.caller import STATION_COOKIE
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
    asked.edge.pairing.take(asked.seen.remote)
    paired = await asked.services.stations.pair(asked.input.key)
    ...


async def take(asked: Asked[ConsultationCreate]) -> TicketOut:
    """Take a queue ticket."""
    resident = asked.caller.station or asked.caller.actor
    if resident is None:
        asked.edge.tickets.take(asked.seen.remote)
    taken = await asked.services.consultations.take(
        resident, asked.input.service_id, asked.input.station_id, asked.input.display_name
    )
    view = ConsultationOut.model_validate(taken.consultation)
    return TicketOut(**dict(view), ticket_token=taken.ticket_token)


async def consultation(asked: Asked[Nothing]) -> ConsultationOut:
    """One's own ticket, or one that one serves."""
    found = await asked.services.consultations.get(
        _resident(asked.caller.visitor), asked.path("consultationId")
    )
    return ConsultationOut.model_validate(found)


async def cancel(asked: Asked[Nothing]) -> ConsultationOut:
    """Give up waiting."""
    found = await asked.services.consultations.cancel(
        _resident(asked.caller.visitor), asked.path("consultationId")
    )
    return ConsultationOut.model_validate(found)


async def rate(asked: Asked[RatingCreate]) -> ConsultationOut:
    """Stars, once, after the end."""
    found = await asked.services.consultations.rate(
        _resident(asked.caller.visitor),
        asked.path("consultationId"),
        asked.input.stars,
        asked.input.comment,
    )
    return ConsultationOut.model_validate(found)
