"""`Consultations`: tickets, duty, the call and its end."""

from collections.abc import Callable

from database import Clock, Database
from members.policy import Actor, GuestActor, StationActor
from members.tokens import Tokens
from rooms.consultations.events import ConsultationListener
from rooms.consultations.settings import ConsultationSettings
from rooms.consultations.views import ConsultationView, DutyView, QueueTicket, ServiceView, TakenTicket

Resident = Actor | StationActor | GuestActor
"""Who may hold a ticket: somebody signed in, a paired station's device, the holder of a ticket token."""


class Consultations:
    """Every public method is one unit of work; events go to the listeners after the commit."""

    def __init__(
        self, database: Database, tokens: Tokens, clock: Clock, settings: ConsultationSettings
    ) -> None:
        raise NotImplementedError

    def subscribe(self, listener: ConsultationListener) -> Callable[[], None]:
        """Tell `listener` of all events from now on; answers how to stop it."""
        raise NotImplementedError

    async def start(self) -> None:
        """Recover what a crash left: begin the clocks that return, miss and end."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop the clocks."""
        raise NotImplementedError

    async def take(
        self,
        resident: Actor | StationActor | None,
        service_id: str,
        station_id: str | None,
        display_name: str | None,
    ) -> TakenTicket:
        """Take a ticket. None is a guest, who needs a display name."""
        raise NotImplementedError

    async def get(self, actor: Resident, consultation_id: str) -> ConsultationView:
        """One's own ticket, or one that one serves or supervises; with the room token where it is one's turn."""
        raise NotImplementedError

    async def cancel(self, resident: Resident, consultation_id: str) -> ConsultationView:
        """Give up waiting."""
        raise NotImplementedError

    async def answer(self, resident: Resident, consultation_id: str) -> str:
        """Come when called: the consultation is active; answers the room token."""
        raise NotImplementedError

    async def rate(
        self, resident: Resident, consultation_id: str, stars: int, comment: str | None
    ) -> ConsultationView:
        """One rating, 1..5 stars, once, after the end."""
        raise NotImplementedError

    async def duty(self, expert: Actor) -> DutyView:
        """Whether one is on duty, and for what."""
        raise NotImplementedError

    async def set_duty(self, expert: Actor, *, on_duty: bool, service_ids: tuple[str, ...]) -> DutyView:
        """Go on duty for these services (none named: all one may serve), or off."""
        raise NotImplementedError

    def desk_opened(self, expert: Actor) -> None:
        """An expert's connection is there: signaling says so for every /stations connection of an expert."""
        raise NotImplementedError

    def desk_lost(self, expert: Actor) -> None:
        """The expert's last connection is gone: after the grace of the settings he is off duty."""
        raise NotImplementedError

    async def queue(self, expert: Actor) -> list[QueueTicket]:
        """The waiting tickets of the services one may serve, in the order in which they will be called."""
        raise NotImplementedError

    async def call_next(self, expert: Actor, service_id: str | None) -> ConsultationView | None:
        """Call the first of the queue (of one service, or of all one is on duty for); None when nobody waits."""
        raise NotImplementedError

    async def call_again(self, expert: Actor, consultation_id: str) -> ConsultationView:
        """Call the same once more."""
        raise NotImplementedError

    async def missed(self, expert: Actor, consultation_id: str) -> ConsultationView:
        """The called resident did not come."""
        raise NotImplementedError

    async def finish(self, expert: Actor, consultation_id: str, outcome: str) -> ConsultationView:
        """End the talk with a note; after an end without a note, add the note."""
        raise NotImplementedError

    async def in_hand(self, expert: Actor) -> ConsultationView | None:
        """The consultation that the expert has called or is giving; with the room token."""
        raise NotImplementedError

    async def waiting(self, service_ids: frozenset[str]) -> list[ConsultationView]:
        """Every waiting ticket of these services with position and wait: for those who watch theirs (one query)."""
        raise NotImplementedError

    async def services(self) -> list[ServiceView]:
        """All services, with how busy they are."""
        raise NotImplementedError
