"""The resident's side of consultations."""

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from database import new_id
from errors import Kind, Problem
from members.policy import Action, Actor, GuestActor, StationActor, Subject, require
from members.tokens import Purpose
from rooms.consultations import moves, repository
from rooms.consultations.board import boards
from rooms.consultations.models import Consultation, Station
from rooms.consultations.office import Office
from rooms.consultations.parties import Resident, Side, consultation_not_found, room_token, side_of
from rooms.consultations.states import ConsultationState
from rooms.consultations.views import ConsultationView, ServiceView, TakenTicket
from rooms.texts import clean_name, clean_text

TICKET_LIFETIME: Final = timedelta(days=2)
"""Long enough to rate on the next day."""

COMMENT_LENGTH: Final = 500
STARS: Final = range(1, 6)


class Tickets(Office):
    """What residents do, from taking a ticket to the stars."""

    async def services(self) -> list[ServiceView]:
        """All services, with how busy they are."""
        async with self._database.reading() as session:
            return [board.service_view for board in (await boards(session, self._clock())).values()]

    async def take(
        self,
        resident: Actor | StationActor | None,
        service_id: str,
        station_id: str | None,
        display_name: str | None,
    ) -> TakenTicket:
        """Take a ticket. None is a guest, who needs a display name.

        Problems: service_not_found, station_not_found, service_not_at_station, not_found (no guests here),
        display_name_required, invalid_display_name, queue_full, too_many_tickets.
        """
        async with self._work() as work:
            _, organization = await repository.lock_service(work.session, service_id)
            if isinstance(resident, StationActor):
                station_id = station_id or resident.station_id
            subject = Subject(
                organization_path=organization.path,
                station_id=station_id,
                guests_welcome=self._settings.guests,
            )
            require(resident or GuestActor(None, ""), Action.TAKE_CONSULTATION, subject)
            station_name = await self._offered_at(work.session, service_id, station_id)
            name = _ticket_name(resident, display_name, station_name)
            await self._check_bounds(work.session, resident, service_id)
            now = self._clock()
            day = now.astimezone(ZoneInfo(organization.timezone)).date()
            consultation = Consultation(
                id=new_id(),
                service_id=service_id,
                station_id=station_id,
                resident_account_id=resident.account_id if isinstance(resident, Actor) else None,
                display_name=name,
                day=day,
                number=await repository.last_number(work.session, service_id, day) + 1,
                state=ConsultationState.WAITING,
                returned=False,
                created_at=now,
            )
            work.session.add(consultation)
            await work.session.flush()
            work.changed(consultation)
            view = await self._view(work.session, consultation)
        payload = {"consultationId": view.id, "name": name}
        return TakenTicket(view, self._tokens.issue(Purpose.TICKET, payload, TICKET_LIFETIME))

    async def get(self, actor: Resident, consultation_id: str) -> ConsultationView:
        """One's own ticket, or one that one serves; with the room token while it may be entered."""
        async with self._database.reading() as session:
            found = await repository.find(session, consultation_id)
            if found is None:
                raise consultation_not_found()
            side_of(actor, found[0], found[2])
            return await self._view(session, found[0], actor)

    async def cancel(self, resident: Resident, consultation_id: str) -> ConsultationView:
        """Give up waiting."""
        async with self._work() as work:
            consultation = await self._own(work.session, resident, consultation_id, Side.RESIDENT)
            moves.cancel(consultation, self._clock())
            work.changed(consultation)
            return await self._view(work.session, consultation, resident)

    async def answer(self, resident: Resident, consultation_id: str) -> str:
        """Come when called: the consultation is active; answers the room token. Again answers it again."""
        async with self._work() as work:
            consultation = await self._own(work.session, resident, consultation_id, Side.RESIDENT)
            self._answer(work, consultation)
            return room_token(self._tokens, resident, consultation, self._clock())

    async def rate(
        self, resident: Resident, consultation_id: str, stars: int, comment: str | None
    ) -> ConsultationView:
        """One rating, 1..5 stars, once, after the end.

        Problems: invalid_rating, invalid_comment, consultation_in_wrong_state, already_rated.
        """
        if stars not in STARS:
            raise Problem(Kind.INVALID, "invalid_rating", {"field": "stars"})
        said = clean_text(comment, COMMENT_LENGTH, "invalid_comment") if comment and comment.strip() else None
        async with self._work() as work:
            consultation = await self._own(work.session, resident, consultation_id, Side.RESIDENT)
            if consultation.state is not ConsultationState.ENDED:
                details = {"state": consultation.state.value}
                raise Problem(Kind.CONFLICT, "consultation_in_wrong_state", details)
            if consultation.rating is not None:
                raise Problem(Kind.CONFLICT, "already_rated")
            consultation.rating, consultation.rating_comment = stars, said
            consultation.rated_at = self._clock()
            work.changed(consultation, queue=False)
            return await self._view(work.session, consultation, resident)

    async def waiting(self, service_ids: frozenset[str]) -> list[ConsultationView]:
        """Every waiting ticket of these services with position and wait, for those who watch theirs."""
        async with self._database.reading() as session:
            known = await boards(session, self._clock(), service_ids)
            found = await repository.in_state(session, [ConsultationState.WAITING], service_ids)
            return [known[each.service_id].view(each) for each in found]

    async def _offered_at(self, session: AsyncSession, service_id: str, station_id: str | None) -> str | None:
        """The name of the station where the ticket is taken, which must offer the service."""
        if station_id is None:
            return None
        found = await repository.stations(session, Station.id == station_id)
        if not found:
            raise Problem(Kind.NOT_FOUND, "station_not_found")
        station, _, offered = found[0]
        if service_id not in offered:
            raise Problem(Kind.CONFLICT, "service_not_at_station")
        return station.name

    async def _check_bounds(
        self, session: AsyncSession, resident: Actor | StationActor | None, service_id: str
    ) -> None:
        settings = self._settings
        if await repository.count_waiting(session, service_id) >= settings.queue_limit:
            raise Problem(Kind.CONFLICT, "queue_full", {"maximum": settings.queue_limit})
        match resident:
            case Actor():
                held = await repository.count_open(session, account_id=resident.account_id)
                maximum = settings.tickets_of_account
            case StationActor():
                held = await repository.count_open(session, station_id=resident.station_id)
                maximum = settings.tickets_of_station
            case None:
                return  # the edge counts guests by where they come from
        if held >= maximum:
            raise Problem(Kind.CONFLICT, "too_many_tickets", {"maximum": maximum})


def _ticket_name(
    resident: Actor | StationActor | None, display_name: str | None, station_name: str | None
) -> str:
    """What the expert calls the resident: as he says, else as the account or the station is called."""
    if display_name is not None and display_name.strip():
        return clean_name(display_name)
    if isinstance(resident, Actor):
        return clean_name(resident.name)
    if isinstance(resident, StationActor) and station_name is not None:
        return clean_name(station_name)
    raise Problem(Kind.INVALID, "display_name_required", {"field": "displayName"})
