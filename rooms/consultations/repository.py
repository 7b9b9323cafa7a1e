"""Every query about stations, services, duty and consultations. The caller has the session and asks the policy."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.organizations import Organization
from rooms.consultations.models import Consultation, Service, ServiceExpert, Station, StationService
from rooms.consultations.queue import EXPERIENCE
from rooms.consultations.states import TALKING, ConsultationState

MEMORY: Final = timedelta(days=60)
"""Older talks tell nothing about how long one lasts today."""

QUEUE_ORDER: Final = (
    Consultation.returned.desc(),
    Consultation.created_at,
    Consultation.number,
    Consultation.id,
)
"""`queue.order` as SQL."""


async def services(
    session: AsyncSession, ids: Iterable[str] | None = None
) -> list[tuple[Service, Organization]]:
    """Services with the organizations that offer them, in list order; all, or some."""
    query = select(Service, Organization).join(Organization, Organization.id == Service.organization_id)
    if ids is not None:
        query = query.where(Service.id.in_(list(ids)))
    rows = await session.execute(query.order_by(Service.place, Service.id))
    return [(row.Service, row.Organization) for row in rows]


async def lock_service(session: AsyncSession, service_id: str) -> tuple[Service, Organization]:
    """One service, locked so that numbers are given out one at a time; Problem service_not_found."""
    query = select(Service, Organization).join(Organization, Organization.id == Service.organization_id)
    row = (
        await session.execute(query.where(Service.id == service_id).with_for_update(of=Service))
    ).one_or_none()
    if row is None:
        raise Problem(Kind.NOT_FOUND, "service_not_found")
    return row.Service, row.Organization


async def stations(
    session: AsyncSession, condition: ColumnElement[bool] | None = None
) -> list[tuple[Station, Organization, list[str]]]:
    """Stations with their organizations and the ids of what they offer, by name, in two queries."""
    query = select(Station, Organization).join(Organization, Organization.id == Station.organization_id)
    if condition is not None:
        query = query.where(condition)
    found = (await session.execute(query.order_by(Station.name, Station.id))).all()
    offered: dict[str, list[str]] = {row.Station.id: [] for row in found}
    links = (
        select(StationService.station_id, StationService.service_id)
        .join(Service, Service.id == StationService.service_id)
        .where(StationService.station_id.in_(list(offered)))
        .order_by(Service.place, Service.id)
    )
    for link in await session.execute(links):
        offered[link.station_id].append(link.service_id)
    return [(row.Station, row.Organization, offered[row.Station.id]) for row in found]


async def find(
    session: AsyncSession, consultation_id: str, *, lock: bool = False
) -> tuple[Consultation, Service, Organization] | None:
    """A consultation with its service and the organization that offers it."""
    query = (
        select(Consultation, Service, Organization)
        .join(Service, Service.id == Consultation.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .where(Consultation.id == consultation_id)
    )
    if lock:
        query = query.with_for_update(of=Consultation)
    row = (await session.execute(query)).one_or_none()
    return (row.Consultation, row.Service, row.Organization) if row is not None else None


async def in_state(
    session: AsyncSession, states: Iterable[ConsultationState], service_ids: Iterable[str] | None = None
) -> list[Consultation]:
    """Consultations in some states, in the order of the queue."""
    query = select(Consultation).where(Consultation.state.in_(list(states)))
    if service_ids is not None:
        query = query.where(Consultation.service_id.in_(list(service_ids)))
    ordered = query.order_by(*QUEUE_ORDER)
    return list(await session.scalars(ordered))


async def next_waiting(session: AsyncSession, service_ids: Sequence[str]) -> Consultation | None:
    """The first of the queue of these services, locked; one that another expert is just calling is passed over."""
    query = (
        select(Consultation)
        .where(Consultation.state == ConsultationState.WAITING, Consultation.service_id.in_(service_ids))
        .order_by(*QUEUE_ORDER)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).one_or_none()


async def count_open(
    session: AsyncSession, *, account_id: str | None = None, station_id: str | None = None
) -> int:
    """How many tickets of an account, or at a station, wait or are in an expert's hand."""
    query = select(func.count()).where(Consultation.state.in_([ConsultationState.WAITING, *TALKING]))
    if account_id is not None:
        query = query.where(Consultation.resident_account_id == account_id)
    if station_id is not None:
        query = query.where(Consultation.station_id == station_id)
    return (await session.execute(query)).scalar_one()


async def count_waiting(session: AsyncSession, service_id: str) -> int:
    """How many wait for a service."""
    query = select(func.count()).where(
        Consultation.service_id == service_id, Consultation.state == ConsultationState.WAITING
    )
    return (await session.execute(query)).scalar_one()


async def last_number(session: AsyncSession, service_id: str, day: date) -> int:
    """The last number given out for a service on a day, 0 when there is none."""
    query = select(func.max(Consultation.number)).where(
        Consultation.service_id == service_id, Consultation.day == day
    )
    return (await session.execute(query)).scalar_one() or 0


async def in_hand(session: AsyncSession, account_id: str) -> Consultation | None:
    """What the expert has called or is giving."""
    query = select(Consultation).where(
        Consultation.expert_account_id == account_id, Consultation.state.in_(list(TALKING))
    )
    return (await session.scalars(query)).one_or_none()


async def unwritten(session: AsyncSession, account_id: str) -> Consultation | None:
    """The last talk of the expert that is over and whose outcome nobody has written."""
    query = (
        select(Consultation)
        .where(
            Consultation.expert_account_id == account_id,
            Consultation.state == ConsultationState.ENDED,
            Consultation.outcome.is_(None),
        )
        .order_by(Consultation.ended_at.desc(), Consultation.id)
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def posts_of(session: AsyncSession, account_id: str, *, lock: bool = False) -> list[ServiceExpert]:
    """What an expert may serve; locked so that one expert does one thing at a time."""
    query = select(ServiceExpert).where(ServiceExpert.account_id == account_id)
    query = query.order_by(ServiceExpert.service_id)
    return list(await session.scalars(query.with_for_update() if lock else query))


async def on_duty(session: AsyncSession, service_ids: Iterable[str] | None = None) -> list[ServiceExpert]:
    """The posts that experts are on duty at."""
    query = select(ServiceExpert).where(ServiceExpert.on_duty_since.is_not(None))
    if service_ids is not None:
        query = query.where(ServiceExpert.service_id.in_(list(service_ids)))
    return list(await session.scalars(query))


async def go_off_duty(session: AsyncSession, account_ids: Sequence[str]) -> frozenset[str]:
    """End the duty of experts; answers the services that lose them."""
    statement = (
        update(ServiceExpert)
        .where(ServiceExpert.account_id.in_(account_ids), ServiceExpert.on_duty_since.is_not(None))
        .values(on_duty_since=None)
        .returning(ServiceExpert.service_id)
    )
    return frozenset(await session.scalars(statement))


async def busy_experts(session: AsyncSession) -> frozenset[str]:
    """The accounts of experts who have a consultation in hand."""
    query = select(Consultation.expert_account_id).where(Consultation.state.in_(list(TALKING)))
    return frozenset(account_id for account_id in await session.scalars(query) if account_id is not None)


async def recent_durations(
    session: AsyncSession, service_ids: Iterable[str], now: datetime
) -> dict[str, list[float]]:
    """The seconds of each service's last talks, in one query."""
    newest = func.row_number().over(
        partition_by=Consultation.service_id, order_by=Consultation.ended_at.desc()
    )
    recent = (
        select(
            Consultation.service_id,
            Consultation.met_at,
            Consultation.started_at,
            Consultation.ended_at,
            newest.label("age"),
        )
        .where(
            Consultation.service_id.in_(list(service_ids)),
            Consultation.state == ConsultationState.ENDED,
            Consultation.ended_at > now - MEMORY,
        )
        .subquery()
    )
    durations: dict[str, list[float]] = {}
    for row in await session.execute(select(recent).where(recent.c.age <= EXPERIENCE)):
        begun = row.met_at or row.started_at
        if begun is not None:
            durations.setdefault(row.service_id, []).append((row.ended_at - begun).total_seconds())
    return durations
