"""Two more sheets, services.csv and stations.csv, are imported with the others or alone.

    services       organization_code*, kind*, name*, experts*
    stations       organization_code*, name*, services*

experts and services are lists with semicolons between. kind is administrative, medical, legal or farming.
experts are the user names of log-ins that hold the role expert. A station's services are names of services of its own
organization or of those above it, the nearest first; code/name names that of any other. An organization and a name
are one service or one station: the same line again brings it up to date, and whoever or whatever its list no longer
names is taken out. No service and no station is ever removed. A new station has no key; `station-key` makes one.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from database import new_id
from members.importing.errors import ImportRefused, RowError
from members.importing.report import Count
from members.importing.rows import Place
from members.importing.sheets import Sheet
from members.organizations import Organization
from rooms.consultations.known import Known, Named, load
from rooms.consultations.models import Service, ServiceExpert, Station, StationService
from rooms.consultations.sheets import SERVICES, STATIONS, ServiceRow, StationRow
from rooms.consultations.stations import hash_key, new_key

Link = TypeVar("Link", ServiceExpert, StationService)


class ConsultationSheets:
    """What consultations add to an import; a `members.importing.FurtherSheets`."""

    sheets: Final[tuple[Sheet, ...]] = (SERVICES, STATIONS)

    async def write(
        self, session: AsyncSession, rows: Mapping[str, Sequence[Any]], now: datetime
    ) -> Mapping[str, Count]:
        """Both sheets, the services first; raises ImportRefused with every mistake found."""
        services, stations = rows.get(SERVICES.file, ()), rows.get(STATIONS.file, ())
        counts = {"services": Count(), "stations": Count()}
        if services or stations:
            known = await load(session, {row.organization_code for row in (*services, *stations)})
            setup = _Setup(session, known, now, counts)
            for service in services:
                setup.service(service)
            for station in stations:
                setup.station(station)
            if setup.errors:
                raise ImportRefused(setup.errors)
            await setup.save()
        return counts


class _Setup:
    """One import: rows are checked and become objects; `errors` fills up. Links are saved after what they join."""

    def __init__(
        self, session: AsyncSession, known: Known, now: datetime, counts: Mapping[str, Count]
    ) -> None:
        self.errors: list[RowError] = []
        self._session = session
        self._known = known
        self._now = now
        self._counts = counts
        self._first: dict[tuple[type, Named], Place] = {}
        self._new_links: list[ServiceExpert | StationService] = []
        self._old_links: list[ServiceExpert | StationService] = []

    async def save(self) -> None:
        """Everything that the rows came to."""
        await self._session.flush()
        for link in self._old_links:
            await self._session.delete(link)
        self._session.add_all(self._new_links)
        await self._session.flush()

    def service(self, row: ServiceRow) -> None:
        """A service that is new, changed or as it was."""
        experts = {name: self._expert(row.place, name) for name in row.experts}
        organization = self._organization(row)
        if organization is None:
            return
        named = (organization.id, row.name)
        service = self._known.services.get(named)
        is_new = service is None
        if service is None:
            service = Service(
                id=new_id(),
                organization_id=organization.id,
                name=row.name,
                kind=row.kind,
                place=self._known.next_place(),
                created_at=self._now,
            )
            self._known.services[named] = service
            self._session.add(service)
        id_, is_other = service.id, service.kind is not row.kind
        service.kind = row.kind
        relinked = self._relink(
            self._known.posts.get(id_, {}),
            {account for account in experts.values() if account is not None},
            lambda account: ServiceExpert(service_id=id_, account_id=account),
        )
        _count(self._counts["services"], is_new=is_new, is_changed=is_other or relinked)

    def station(self, row: StationRow) -> None:
        """A station that is new, changed or as it was."""
        organization = self._organization(row)
        if organization is None:
            return
        named = (organization.id, row.name)
        station = self._known.stations.get(named)
        is_new = station is None
        if station is None:
            station = Station(
                id=new_id(),
                organization_id=organization.id,
                name=row.name,
                key_hash=hash_key(new_key()),
                generation=0,
                created_at=self._now,
            )
            self._known.stations[named] = station
            self._session.add(station)
        id_ = station.id
        services = [self._service_called(row.place, organization, text) for text in row.services]
        relinked = self._relink(
            self._known.offers.get(id_, {}),
            {service for service in services if service is not None},
            lambda service: StationService(station_id=id_, service_id=service),
        )
        _count(self._counts["stations"], is_new=is_new, is_changed=relinked)

    def _organization(self, row: ServiceRow | StationRow) -> Organization | None:
        """Where the row's thing is; None, and a fault, when that is unknown or the thing was there before."""
        organization = self._known.organizations.get(row.organization_code)
        if organization is None:
            message = f"no organization has the code {row.organization_code!r}"
            self._fault(row.place, "organization_code", message)
            return None
        first = self._first.setdefault((type(row), (organization.id, row.name)), row.place)
        if first is not row.place:
            self._fault(row.place, "name", f"the same is in {first.file}, line {first.line}")
            return None
        return organization

    def _expert(self, place: Place, username: str) -> str | None:
        account = self._known.accounts.get(username)
        if account is None:
            self._fault(place, "experts", f"there is no log-in {username!r}")
        elif account not in self._known.experts:
            self._fault(place, "experts", f"{username!r} does not hold the role expert; roles.csv gives it")
        return account

    def _service_called(self, place: Place, station_at: Organization, text: str) -> str | None:
        """The nearest service of that name at or above the station's organization, or the one of code/name."""
        for organization_id in reversed(station_at.path.strip("/").split("/")):
            service = self._known.services.get((organization_id, text))
            if service is not None:
                return service.id
        code, _, name = text.partition("/")
        other = self._known.organizations.get(code)
        service = self._known.services.get((other.id, name)) if other is not None else None
        if service is not None:
            return service.id
        where = f"{station_at.code!r} or above"
        self._fault(place, "services", f"no service of {where} is called {text!r}; another's is code/name")
        return None

    def _relink(self, held: Mapping[str, Link], wanted: set[str], make: Callable[[str], Link]) -> bool:
        """Whether the links change to what is wanted."""
        new, old = wanted - held.keys(), held.keys() - wanted
        self._new_links += [make(id_) for id_ in sorted(new)]
        self._old_links += [held[id_] for id_ in old]
        return bool(new or old)

    def _fault(self, place: Place, column: str, message: str) -> None:
        self.errors.append(RowError(place.file, place.line, column, message))


def _count(count: Count, *, is_new: bool, is_changed: bool) -> None:
    if is_new:
        count.added += 1
    elif is_changed:
        count.changed += 1
    else:
        count.unchanged += 1
