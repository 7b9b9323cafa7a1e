"""`Deletions`: recordings deleted by people and by the rules, held against both, and the entries that stay."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, Page, PageRequest, SortKey, fetch_page, new_id
from errors import Kind, Problem
from members.accounts import repository as accounts
from members.organizations import Organization
from members.organizations.repository import get_many, in_scope
from members.policy import Action, Actor, scope
from recordings import repository as recordings
from recordings.access import find, find_deleted, recording_not_found
from recordings.apart import Apart
from recordings.models import Recording
from recordings.searching import index
from recordings.states import RecordingState
from recordings.storage.repository import remove_soon
from recordings.upkeep import repository
from recordings.upkeep.forgetting import forget_what_was_said
from recordings.upkeep.missed import missed
from recordings.upkeep.models import Cause, RecordingDeletion, RecordingHold
from recordings.upkeep.retention import (
    FOR_EVER,
    deletes_at,
    due_at,
    keep_days,
    may_go,
    must_warn,
    notice_left,
)
from recordings.upkeep.uptime import uptime
from recordings.upkeep.views import DeletionView, HoldView, KeepingView, LeavingView
from rooms.meetings.rules import check_reason

AT_ONCE: Final = 100
# So long a member is told at home that an absence is not to be made up by watching any more.
MISSED_SHOWN: Final = timedelta(days=60)
MOST_MISSED: Final = 20
NEWEST_FIRST: Final[tuple[SortKey[Any], ...]] = (
    SortKey(RecordingDeletion.deleted_at, descending=True),
    SortKey(RecordingDeletion.id, descending=True),
)

_log = structlog.get_logger(__name__)


class Deletions:
    """One unit of work a method. `storage` takes the files away: that is noted in the same transaction."""

    def __init__(self, database: Database, clock: Clock, default_days: int = FOR_EVER) -> None:
        self._database = database
        self._clock = clock
        self._default_days = default_days
        self.apart = Apart("apply_rules")

    async def keeping(self, actor: Actor, recording_id: str) -> KeepingView:
        """How long a recording is kept and what one may do about it; Problems recording_not_found, forbidden."""
        async with self._database.reading() as session:
            access = await find(session, actor, recording_id)
            access.require(actor, Action.MANAGE_RECORDING)
            hold = await repository.open_hold(session, recording_id)
            names = await accounts.names(session, [hold.set_by] if hold else [])
            due = await self._due(session, access.recording, access.organization.path)
            left = notice_left(access.recording.deletion_warned_uptime, await uptime(session))
            at_rest = await recordings.is_at_rest(session, access.recording)
        warned = access.recording.deletion_warned_at is not None
        return KeepingView(
            deletes_at=None if hold else deletes_at(due, left, self._clock()),
            announced=hold is None and due is not None and warned,
            hold=HoldView(hold.reason, hold.set_at, names.get(hold.set_by)) if hold else None,
            can_hold=hold is None and access.may(actor, Action.HOLD_RECORDING),
            can_release=hold is not None and access.may(actor, Action.RELEASE_RECORDING),
            can_delete=hold is None and at_rest and access.may(actor, Action.DELETE_RECORDING),
        )

    async def hold(self, actor: Actor, recording_id: str, reason: str) -> None:
        """Keep everybody from deleting it. Problems recording_not_found, forbidden, recording_held, invalid_reason."""
        why = check_reason(reason)
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id, lock=True)
            access.require(actor, Action.HOLD_RECORDING)
            await _require_free(session, recording_id)
            session.add(
                RecordingHold(
                    id=new_id(),
                    recording_id=recording_id,
                    reason=why,
                    set_by=actor.account_id,
                    set_at=self._clock(),
                )
            )
            # It is not going any more; whoever relies on the hold sees the deletion coming anew once it is lifted.
            _take_back(access.recording)
        _log.info("recording_held", recording_id=recording_id)

    async def release(self, actor: Actor, recording_id: str, reason: str) -> None:
        """Lift the hold. Problems recording_not_found, forbidden, recording_not_held, invalid_reason."""
        why = check_reason(reason)
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id, lock=True)
            access.require(actor, Action.RELEASE_RECORDING)
            hold = await repository.open_hold(session, recording_id)
            if hold is None:
                raise Problem(Kind.CONFLICT, "recording_not_held")
            hold.lifted_by, hold.lifted_at, hold.lifted_reason = actor.account_id, self._clock(), why
        _log.info("recording_released", recording_id=recording_id)

    async def delete(self, actor: Actor, recording_id: str, reason: str) -> None:
        """Delete a recording for good; its entry stays.

        Problems: recording_not_found, forbidden, recording_held, recording_in_work, invalid_reason.
        """
        why = check_reason(reason)
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id, lock=True)
            access.require(actor, Action.DELETE_RECORDING)
            await _require_free(session, recording_id)
            if not await recordings.is_at_rest(session, access.recording, lock=True):
                raise Problem(Kind.CONFLICT, "recording_in_work", {"state": access.recording.state.value})
            await self._mark(session, access.recording, access.organization, Cause.PERSON, why, actor)

    async def list(self, actor: Actor, page: PageRequest) -> Page[DeletionView]:
        """The entries of the organizations whose recordings one may delete, newest first."""
        query = (
            select(RecordingDeletion)
            .join(Organization, Organization.id == RecordingDeletion.organization_id)
            .where(in_scope(Organization.path, scope(actor, Action.DELETE_RECORDING)))
        )
        async with self._database.reading() as session:
            found = await fetch_page(session, query, NEWEST_FIRST, page)
        return found.map(_deletion_view)

    async def of(self, actor: Actor, recording_id: str) -> DeletionView:
        """The entry of one, for whoever might have watched it; Problem recording_not_found."""
        async with self._database.reading() as session:
            await find_deleted(session, actor, recording_id)
            entry = await repository.deletion_of(session, recording_id)
        if entry is None:
            raise recording_not_found()
        return _deletion_view(entry)

    async def missed_by(self, actor: Actor) -> Page[DeletionView]:
        """The entries of recordings by which the actor can no longer make up an absence, newest first."""
        async with self._database.reading() as session:
            found = await missed(session, actor, self._clock() - MISSED_SHOWN, MOST_MISSED)
        return Page([_deletion_view(entry) for entry in found])

    async def leaving(self, actor: Actor, page: PageRequest) -> Page[LeavingView]:
        """The recordings, of the organizations one may delete for, whose deletion by the rules is announced."""
        query = (
            select(Recording)
            .join(Organization, Organization.id == Recording.organization_id)
            .where(
                in_scope(Organization.path, scope(actor, Action.DELETE_RECORDING)),
                Recording.deletion_warned_at.is_not(None),
                Recording.state != RecordingState.DELETED,
            )
        )
        keys: list[SortKey[Any]] = [SortKey(Recording.started_at), SortKey(Recording.id)]
        async with self._database.reading() as session:
            found = await fetch_page(session, query, keys, page)
            owners = await get_many(session, {item.organization_id for item in found.items})
            rules = await repository.rules_by_path(session)
            ran = await uptime(session)
        now = self._clock()
        views = []
        for item in found.items:
            owner = owners[item.organization_id]
            keeping = repository.keeping_of(repository.nearest_first(rules, owner.path))
            due = due_at(item.ended_at or item.started_at, keep_days(item.kind, keeping, self._default_days))
            goes = deletes_at(due, notice_left(item.deletion_warned_uptime, ran), now)
            if goes is not None:
                views.append(LeavingView(item.id, item.title, owner.name, item.kind, item.started_at, goes))
        return Page(views, found.next_cursor)

    async def apply_rules(self, most: int = AT_ONCE) -> int:
        """Announce what is to go, delete what may go: `most` a transaction; answers how many were deleted."""
        deleted = 0
        last = ""
        while True:
            async with self._database.transaction() as session:
                if self._default_days == FOR_EVER and not await repository.rules_by_path(session):
                    await repository.take_back_all(session)
                    return deleted
                ids = await repository.settled_after(session, last, self._clock(), most)
            if not ids:
                return deleted
            deleted += len(await self.apart.many(ids, self._apply))
            last = ids[-1]
            await asyncio.sleep(0)

    async def _apply(self, recording_ids: Sequence[str]) -> Sequence[str]:
        """The ids of those that were deleted."""
        now = self._clock()
        gone = []
        async with self._database.transaction() as session:
            rules = await repository.rules_by_path(session)
            ran = await uptime(session)
            batch = await repository.settled_among(session, recording_ids, now)
            owners = await get_many(session, {recording.organization_id for recording, _ in batch})
            for recording, path in batch:
                keeping = repository.keeping_of(repository.nearest_first(rules, path))
                days = keep_days(recording.kind, keeping, self._default_days)
                due = due_at(recording.ended_at or recording.started_at, days)
                if may_go(due, notice_left(recording.deletion_warned_uptime, ran), now):
                    reason = f"keep_days={days}"
                    owner = owners[recording.organization_id]
                    await self._mark(session, recording, owner, Cause.RETENTION, reason, None)
                    gone.append(recording.id)
                elif not must_warn(due, now):
                    _take_back(recording)  # the rule was made longer
                elif recording.deletion_warned_uptime is None:
                    recording.deletion_warned_at, recording.deletion_warned_uptime = now, ran
                    _log.info("recording_deletion_announced", recording_id=recording.id)
        return gone

    async def _mark(
        self,
        session: AsyncSession,
        recording: Recording,
        owner: Organization,
        cause: Cause,
        reason: str,
        actor: Actor | None,
    ) -> None:
        """From here on the recording is gone for everybody; its files follow."""
        now = self._clock()
        repository.add_deletion(
            session,
            RecordingDeletion(
                id=new_id(),
                recording_id=recording.id,
                meeting_id=recording.meeting_id,
                organization_id=owner.id,
                organization_name=owner.name,
                kind=recording.kind,
                title=recording.title,
                recorded_at=recording.started_at,
                duration_seconds=recording.duration_seconds,
                size_bytes=recording.size_bytes,
                cause=cause,
                deleted_by=actor.account_id if actor else None,
                deleted_by_name=actor.name if actor else None,
                deleted_at=now,
                reason=reason,
            ),
        )
        await recordings.drop_job(session, recording.id)
        recordings.turn(recording, RecordingState.DELETED, now, recording.failure)
        await index.forget(session, recording.id)
        await forget_what_was_said(session, recording)
        await remove_soon(session, recording.id, now)
        _log.info("recording_deleted", recording_id=recording.id, cause=cause.value)

    async def _due(self, session: AsyncSession, recording: Recording, path: str) -> datetime | None:
        if not recording.settled:
            return None
        rules = repository.nearest_first(await repository.rules_by_path(session), path)
        days = keep_days(recording.kind, repository.keeping_of(rules), self._default_days)
        return due_at(recording.ended_at or recording.started_at, days)


async def _require_free(session: AsyncSession, recording_id: str) -> None:
    if await repository.open_hold(session, recording_id) is not None:
        raise Problem(Kind.CONFLICT, "recording_held")


def _take_back(recording: Recording) -> None:
    """Its deletion is announced no more."""
    recording.deletion_warned_at, recording.deletion_warned_uptime = None, None


def _deletion_view(row: RecordingDeletion) -> DeletionView:
    return DeletionView(**{name: getattr(row, name) for name in DeletionView.__dataclass_fields__})
