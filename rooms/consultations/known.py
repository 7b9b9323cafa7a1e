"""What the records hold before services and stations are set up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from members.accounts import Account, AccountRole
from members.organizations import Organization
from members.policy import RoleName
from rooms.consultations.models import Service, ServiceExpert, Station, StationService

Named = tuple[str, str]
"""The id of an organization, and a name there."""


@dataclass(slots=True)
class Known:
    """Rows of the tables by the names that the sheets use."""

    organizations: dict[str, Organization]  # by code
    accounts: dict[str, str]  # ids by user name
    experts: frozenset[str]  # ids of the accounts that hold the role
    services: dict[Named, Service] = field(default_factory=dict)
    stations: dict[Named, Station] = field(default_factory=dict)
    posts: dict[str, dict[str, ServiceExpert]] = field(default_factory=dict)  # by service and account
    offers: dict[str, dict[str, StationService]] = field(default_factory=dict)  # by station and service
    places: int = 0

    def next_place(self) -> int:
        """The end of the list of services."""
        self.places += 1
        return self.places - 1


async def load(session: AsyncSession, codes: Iterable[str]) -> Known:
    """Everything, in one query a table; the organizations of the codes locked: two imports make nothing twice."""
    locked = select(Organization.id).where(Organization.code.in_(list(codes))).order_by(Organization.id)
    await session.execute(locked.with_for_update(key_share=True))
    coded = await session.scalars(select(Organization).where(Organization.code.is_not(None)))
    accounts = await session.execute(select(Account.username, Account.id))
    experts = select(AccountRole.account_id).where(AccountRole.role == RoleName.EXPERT)
    known = Known(
        organizations={row.code or "": row for row in coded},
        accounts={row.username: row.id for row in accounts},
        experts=frozenset(await session.scalars(experts)),
    )
    for service in await session.scalars(select(Service).order_by(Service.place, Service.id)):
        known.services.setdefault((service.organization_id, service.name), service)
        known.places = max(known.places, service.place + 1)
    for station in await session.scalars(select(Station).order_by(Station.created_at, Station.id)):
        known.stations.setdefault((station.organization_id, station.name), station)
    for post in await session.scalars(select(ServiceExpert)):
        known.posts.setdefault(post.service_id, {})[post.account_id] = post
    for offer in await session.scalars(select(StationService)):
        known.offers.setdefault(offer.station_id, {})[offer.service_id] = offer
    return known
