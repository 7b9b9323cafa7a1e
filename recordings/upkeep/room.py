"""How much room an organization has left, out of its own quota and those above it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.organizations import Organization
from members.organizations.repository import get_many
from recordings.upkeep import repository
from recordings.upkeep.models import StorageRules
from recordings.upkeep.quota import Fullness, Room

_MEBIBYTE: Final = 1024 * 1024


async def fullest_room(
    session: AsyncSession, organization: Organization, rules: Mapping[str, StorageRules]
) -> tuple[Room, str | None]:
    """The fullest of the quotas that count, with the name of who has it: a branch lives in its committee's too."""
    rooms = await _rooms(session, organization, rules)
    if not rooms:
        return Room(await repository.used_bytes(session, organization.path), None), None
    return max(rooms, key=lambda one: one[0].share or 0.0)


async def require_room_to_record(session: AsyncSession, organization: Organization) -> None:
    """Before it is settled that a meeting is to be recorded: Problem recording_quota_exhausted.

    What is settled already is recorded, whatever the quota: a meeting is never lost for want of room.
    """
    room, _ = await fullest_room(session, organization, await repository.rules_by_path(session))
    if room.fullness is Fullness.EXHAUSTED:
        raise Problem(Kind.CONFLICT, "recording_quota_exhausted", {"field": "record"})


async def require_room_for(session: AsyncSession, organization: Organization, size_bytes: int) -> None:
    """Before a film's first byte: Problem upload_exceeds_quota, which says how much room is left, and whose.

    Films use no reserve: that is for meetings, which cannot wait. Until the caller's commit nobody else passes here
    for the same quota, so that two films do not both get the last room.
    """
    rules = await repository.rules_by_path(session)
    counting = [row.organization_id for row in repository.nearest_first(rules, organization.path)]
    locked = select(StorageRules.organization_id).where(StorageRules.organization_id.in_(counting))
    await session.execute(locked.order_by(StorageRules.organization_id).with_for_update())
    for room, holder in await _rooms(session, organization, rules):
        left = max(0, (room.quota or 0) - room.used)
        if size_bytes > left:
            details = {"field": "sizeBytes", "leftMebibytes": left // _MEBIBYTE, "organization": holder}
            raise Problem(Kind.CONFLICT, "upload_exceeds_quota", details)


async def _rooms(
    session: AsyncSession, organization: Organization, rules: Mapping[str, StorageRules]
) -> list[tuple[Room, str]]:
    """Of every quota that counts, the nearest first: as many as the tree has levels."""
    quotas = [row for row in repository.nearest_first(dict(rules), organization.path) if row.quota_bytes]
    holders = await get_many(session, [row.organization_id for row in quotas])
    rooms: list[tuple[Room, str]] = []
    for row in quotas:
        holder = holders[row.organization_id]
        rooms.append((Room(await repository.used_bytes(session, holder.path), row.quota_bytes), holder.name))
    return rooms
