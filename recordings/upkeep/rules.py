"""`Rules`: what each organization says about its recordings, and how much room it has."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from errors import Kind, Problem
from members.organizations import Organization
from members.policy import Action, Actor, Scope, Subject, line, may, require, scope
from recordings.upkeep import repository
from recordings.upkeep.models import StorageRules
from recordings.upkeep.quota import WARNS_FROM, Room
from recordings.upkeep.retention import FOR_EVER, LONGEST_DAYS, keep_days
from recordings.upkeep.room import fullest_room
from recordings.upkeep.views import FilledView, StorageView
from rooms.meetings.kinds import PRIVATE_KINDS
from rooms.meetings.lookups import visible_organization
from rooms.meetings.states import MeetingKind

MOST_FILLING = 50
KEPT_KINDS = tuple(kind for kind in MeetingKind if kind not in PRIVATE_KINDS)


class Rules:
    """One unit of work a method. `default_days` is the operator's, 0 for ever."""

    def __init__(self, database: Database, clock: Clock, default_days: int = FOR_EVER) -> None:
        self._database = database
        self._clock = clock
        self._default_days = default_days

    async def get(self, actor: Actor, organization_id: str) -> StorageView:
        """What counts for an organization, for its officers; Problems not_found, forbidden."""
        async with self._database.reading() as session:
            organization = await visible_organization(session, actor, organization_id)
            subject = Subject(organization_path=organization.path)
            require(actor, Action.SEE_FIGURES, subject)
            can_manage = may(actor, Action.MANAGE_STORAGE, subject)
            return await self._view(session, organization, can_manage=can_manage)

    async def put(
        self,
        actor: Actor,
        organization_id: str,
        days: int | None,
        by_kind: Mapping[MeetingKind, int],
        quota_bytes: int | None,
    ) -> StorageView:
        """Say how long and how much; Problems not_found, forbidden, invalid_keep_days, invalid_quota."""
        _check(days, by_kind, quota_bytes)
        async with self._database.transaction() as session:
            organization = await visible_organization(session, actor, organization_id)
            require(actor, Action.MANAGE_STORAGE, Subject(organization_path=organization.path))
            row = await session.get(StorageRules, organization_id, with_for_update=True)
            if row is None:
                row = StorageRules(organization_id=organization_id)
                session.add(row)
            row.keep_days, row.quota_bytes = days, quota_bytes
            row.keep_days_by_kind = {kind.value: count for kind, count in by_kind.items()}
            row.set_by, row.set_at = actor.account_id, self._clock()
            await session.flush()
            return await self._view(session, organization, can_manage=True)

    async def filling(self, actor: Actor) -> list[FilledView]:
        """The quotas that fill up, of the actor's organizations, of those below, and of those above that count."""
        reach = scope(actor, Action.SEE_FIGURES)
        if not reach.subtrees:
            return []
        above = tuple(path for top in reach.subtrees for path in line(top))
        async with self._database.reading() as session:
            found = await repository.filled(session, Scope(reach.subtrees, above), WARNS_FROM, MOST_FILLING)
        return [
            FilledView(
                organization_id=holder.id,
                organization_name=holder.name,
                used_bytes=used,
                quota_bytes=quota,
                fullness=Room(used, quota).fullness,
                can_manage=may(actor, Action.MANAGE_STORAGE, Subject(organization_path=holder.path)),
            )
            for holder, used, quota in found
        ]

    async def _view(
        self, session: AsyncSession, organization: Organization, *, can_manage: bool
    ) -> StorageView:
        rules = await repository.rules_by_path(session)
        own = rules.get(organization.path)
        keeping = repository.keeping_of(repository.nearest_first(rules, organization.path))
        room, holder = await fullest_room(session, organization, rules)
        return StorageView(
            organization_id=organization.id,
            organization_name=organization.name,
            keep_days=own.keep_days if own else None,
            keep_days_by_kind={MeetingKind(kind): n for kind, n in own.keep_days_by_kind.items()}
            if own
            else {},
            own_quota_bytes=own.quota_bytes if own else None,
            counting_days={kind: keep_days(kind, keeping, self._default_days) for kind in KEPT_KINDS},
            used_bytes=room.used,
            quota_bytes=room.quota,
            quota_of=holder,
            fullness=room.fullness,
            can_manage=can_manage,
        )


def _check(days: int | None, by_kind: Mapping[MeetingKind, int], quota_bytes: int | None) -> None:
    counts = [*by_kind.values(), *([] if days is None else [days])]
    if any(not FOR_EVER <= count <= LONGEST_DAYS for count in counts):
        raise Problem(Kind.INVALID, "invalid_keep_days", {"field": "keepDays", "maximum": LONGEST_DAYS})
    if quota_bytes is not None and quota_bytes <= 0:
        raise Problem(Kind.INVALID, "invalid_quota", {"field": "quotaBytes"})
