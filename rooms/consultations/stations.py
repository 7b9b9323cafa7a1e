"""`Stations`: the screens and what they offer."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, or_

from database import Clock, Database
from errors import Kind, Problem
from members.organizations import Organization
from members.policy import Action, Actor, StationActor, Subject, require
from rooms.consultations import repository
from rooms.consultations.models import Station
from rooms.consultations.views import PairedStation, RegisteredStation, StationView

KEY_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Nothing that looks like something else on a label."""

KEY_GROUPS: Final = 4
KEY_GROUP: Final = 4
"""16 letters of 32: 80 bits, typed once in a station's life."""

MAXIMUM_KEY_LENGTH: Final = 64


class Stations:
    """Every public method is one unit of work."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def list(self) -> list[StationView]:
        """All stations, by name; where they are is public."""
        async with self._database.reading() as session:
            found = await repository.stations(session)
        return [_view(*each) for each in found]

    async def pair(self, key: str) -> PairedStation:
        """Who shows a device key is that station; Problem UNAUTHENTICATED station_key_invalid otherwise."""
        found = await self._one(Station.key_hash == hash_key(key)) if len(key) <= MAXIMUM_KEY_LENGTH else None
        if found is None:
            raise Problem(Kind.UNAUTHENTICATED, "station_key_invalid")
        station, organization, _ = found
        return PairedStation(_actor(station, organization), _view(*found), station.generation)

    async def authenticate(self, station_id: str, generation: int) -> StationActor | None:
        """The actor behind a station cookie's content; None when the key was changed since."""
        found = await self._one(Station.id == station_id)
        if found is None or found[0].generation != generation:
            return None
        return _actor(found[0], found[1])

    async def renew_key(self, actor: Actor, station_id: str) -> str:
        """A new device key, shown once; devices paired with the old one are out."""
        async with self._database.transaction() as session:
            found = await repository.stations(session, Station.id == station_id)
            if not found:
                raise Problem(Kind.NOT_FOUND, "station_not_found")
            station, organization, _ = found[0]
            subject = Subject(organization_path=organization.path, station_id=station.id)
            require(actor, Action.MANAGE_STATIONS, subject)
            return _renew(station)

    async def registered(self) -> Sequence[RegisteredStation]:
        """For the command line: all stations, by name, and which have a key."""
        async with self._database.reading() as session:
            found = await repository.stations(session)
        return [RegisteredStation(_view(*each), each[0].generation > 0) for each in found]

    async def make_key(self, text: str) -> tuple[StationView, str]:
        """For the command line: a new device key for the one station with this id or name.

        Problem station_not_found when there is none, ambiguous_station when several have the name.
        """
        async with self._database.transaction() as session:
            found = await repository.stations(session, or_(Station.id == text, Station.name == text))
            if not found:
                raise Problem(Kind.NOT_FOUND, "station_not_found")
            if len(found) > 1:
                raise Problem(Kind.CONFLICT, "ambiguous_station", {"ids": [each[0].id for each in found]})
            return _view(*found[0]), _renew(found[0][0])

    async def _one(
        self, condition: ColumnElement[bool]
    ) -> tuple[Station, Organization, Sequence[str]] | None:
        async with self._database.reading() as session:
            found = await repository.stations(session, condition)
        return found[0] if found else None


def _renew(station: Station) -> str:
    key = new_key()
    station.key_hash = hash_key(key)
    station.generation += 1
    return key


def new_key() -> str:
    """A device key in groups that can be read out over the telephone."""
    groups = ("".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_GROUP)) for _ in range(KEY_GROUPS))
    return "-".join(groups)


def hash_key(key: str) -> str:
    """What is stored of a key: however it was typed, in whatever case and grouping."""
    plain = "".join(letter for letter in key.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _actor(station: Station, organization: Organization) -> StationActor:
    return StationActor(station.id, organization.id, organization.path)


def _view(station: Station, organization: Organization, services: Sequence[str]) -> StationView:
    return StationView(station.id, station.name, organization.id, organization.name, [*services])
