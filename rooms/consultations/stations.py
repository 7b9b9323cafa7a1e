"""`Stations`: the screens and what they offer."""

from database import Clock, Database
from members.policy import Actor, StationActor
from rooms.consultations.views import PairedStation, StationView


class Stations:
    """Every public method is one unit of work."""

    def __init__(self, database: Database, clock: Clock) -> None:
        raise NotImplementedError

    async def list(self) -> list[StationView]:
        """All stations; where they are is public."""
        raise NotImplementedError

    async def pair(self, key: str) -> PairedStation:
        """Who shows a device key is that station; Problem UNAUTHENTICATED station_key_invalid otherwise."""
        raise NotImplementedError

    async def authenticate(self, station_id: str, generation: int) -> StationActor | None:
        """The actor behind a station cookie's content; None when the key was changed since."""
        raise NotImplementedError

    async def renew_key(self, actor: Actor, station_id: str) -> str:
        """A new device key, shown once; devices paired with the old one are out."""
        raise NotImplementedError
