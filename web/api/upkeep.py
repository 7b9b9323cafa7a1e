"""Upkeep of recordings: rules and room, holds, deletions."""

from typing import Any

from web.api.call import Asked, Nothing
from web.api.paging import page_out, page_request
from web.api.schemas.base import Page, PageQuery
from web.api.schemas.upkeep import (
    DeletionOut,
    FilledOut,
    KeepingOut,
    LeavingOut,
    ReasonGiven,
    StorageOut,
    StorageRulesPut,
)


async def storage(asked: Asked[Nothing]) -> StorageOut:
    """An organization's room, and how long its recordings are kept."""
    found = await asked.services.storage_rules.get(asked.caller.person, asked.path("organizationId"))
    return StorageOut.model_validate(found)


async def put_storage(asked: Asked[StorageRulesPut]) -> StorageOut:
    """Say how long recordings are kept and how much room there is."""
    wanted = asked.input
    found = await asked.services.storage_rules.put(
        asked.caller.person,
        asked.path("organizationId"),
        wanted.keep_days,
        wanted.keep_days_by_kind,
        wanted.quota_bytes,
    )
    return StorageOut.model_validate(found)


async def filling(asked: Asked[Nothing]) -> Page[FilledOut]:
    """The quotas that fill up, the fullest first: of one's own, of those below, and of those above that count."""
    found = await asked.services.storage_rules.filling(asked.caller.person)
    return Page[FilledOut](items=[FilledOut.model_validate(one) for one in found], next_cursor=None)


async def keeping(asked: Asked[Nothing]) -> KeepingOut:
    """How long a recording is kept, and the hold on it."""
    return await _keeping(asked)


async def hold(asked: Asked[ReasonGiven]) -> KeepingOut:
    """Keep everybody from deleting it."""
    await asked.services.deletions.hold(asked.caller.person, asked.path("recordingId"), asked.input.reason)
    return await _keeping(asked)


async def release(asked: Asked[ReasonGiven]) -> KeepingOut:
    """Lift the hold."""
    await asked.services.deletions.release(asked.caller.person, asked.path("recordingId"), asked.input.reason)
    return await _keeping(asked)


async def delete(asked: Asked[ReasonGiven]) -> None:
    """Delete a recording for good; an entry says who, when and why."""
    await asked.services.deletions.delete(asked.caller.person, asked.path("recordingId"), asked.input.reason)


async def deletions(asked: Asked[PageQuery]) -> Page[DeletionOut]:
    """The recordings that are gone, newest deletion first."""
    page = await asked.services.deletions.list(asked.caller.person, page_request(asked.input))
    return page_out(page, DeletionOut)


async def deletion(asked: Asked[Nothing]) -> DeletionOut:
    """Who deleted a recording, when and why, for whoever might have watched it."""
    found = await asked.services.deletions.of(asked.caller.person, asked.path("recordingId"))
    return DeletionOut.model_validate(found)


async def missed(asked: Asked[Nothing]) -> Page[DeletionOut]:
    """The recordings, deleted lately, by which one can no longer make up an absence."""
    return page_out(await asked.services.deletions.missed_by(asked.caller.person), DeletionOut)


async def leaving(asked: Asked[PageQuery]) -> Page[LeavingOut]:
    """The recordings whose deletion by the rules is announced, oldest first."""
    page = await asked.services.deletions.leaving(asked.caller.person, page_request(asked.input))
    return page_out(page, LeavingOut)


async def _keeping(asked: Asked[Any]) -> KeepingOut:
    found = await asked.services.deletions.keeping(asked.caller.person, asked.path("recordingId"))
    return KeepingOut.model_validate(found)
