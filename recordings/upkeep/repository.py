"""Every query about upkeep. The caller has the session and has asked the policy."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from members.organizations import Organization
from members.organizations.repository import in_scope, in_subtree
from members.policy import Scope, line
from recordings.models import Recording
from recordings.states import RecordingState
from recordings.upkeep.models import RecordingDeletion, RecordingHold, StorageRules
from recordings.upkeep.retention import Keeping
from recordings.uploads.models import Upload
from rooms.meetings.states import MeetingKind

RULES_AT_ONCE = 2_000


async def rules_by_path(session: AsyncSession) -> dict[str, StorageRules]:
    """All that organizations say, by their path: few say anything, most leave it to those above them."""
    query = select(Organization.path, StorageRules).join(
        Organization, Organization.id == StorageRules.organization_id
    )
    rows = await session.execute(query.limit(RULES_AT_ONCE))
    return {row.path: row.StorageRules for row in rows}


def nearest_first(rules: dict[str, StorageRules], path: str) -> list[StorageRules]:
    """What counts for an organization: its own rules, then those above."""
    return [rules[above] for above in reversed(line(path)) if above in rules]


def keeping_of(rules: Iterable[StorageRules]) -> list[Keeping]:
    """The same for `retention`."""
    return [
        Keeping(one.keep_days, {MeetingKind(kind): int(days) for kind, days in one.keep_days_by_kind.items()})
        for one in rules
    ]


async def used_bytes(session: AsyncSession, path: str) -> int:
    """What the organization at `path` and all below it have: everything of their recordings, and films on their way."""
    return int(await session.scalar(select(_used(in_subtree(Organization.path, path)))) or 0)


async def filled(
    session: AsyncSession, reach: Scope, share: float, most: int
) -> list[tuple[Organization, int, int]]:
    """Organizations with a quota of their own of which this share is used, in one query, the fullest first.

    Each with the bytes that are used, and its quota.
    """
    holder = aliased(Organization)
    # The same range as `in_subtree`'s, of a column.
    end = func.substr(holder.path, 1, func.length(holder.path) - 1).concat("0")
    below = and_(Organization.path >= holder.path, Organization.path < end)
    used, quota = _used(below, holder), StorageRules.quota_bytes
    query = (
        select(holder, used.label("used"), quota)
        .join(StorageRules, StorageRules.organization_id == holder.id)
        .where(quota.is_not(None), in_scope(holder.path, reach), used >= quota * share)
        .order_by((used * 1.0 / quota).desc(), holder.path)
        .limit(most)
    )
    return [(row[0], int(row[1]), int(row[2] or 0)) for row in await session.execute(query)]


def _used(where: ColumnElement[bool], *outer: type[Organization]) -> ColumnElement[int]:
    """The bytes of the recordings and films on their way, of organizations `where`.

    A film on its way counts from its beginning on as if it were there.
    """
    kept = (
        select(func.coalesce(func.sum(Recording.kept_bytes), 0))
        .join(Organization, Organization.id == Recording.organization_id)
        .where(where, Recording.state != RecordingState.DELETED)
    )
    coming = (
        select(func.coalesce(func.sum(Upload.size_bytes), 0))
        .join(Organization, Organization.id == Upload.organization_id)
        .where(where)
    )
    parts: list[ScalarSelect[int]] = [
        (one.correlate(*outer) if outer else one).scalar_subquery() for one in (kept, coming)
    ]
    return parts[0] + parts[1]


async def deletion_of(session: AsyncSession, recording_id: str) -> RecordingDeletion | None:
    """The entry of a recording that is gone."""
    query = select(RecordingDeletion).where(RecordingDeletion.recording_id == recording_id)
    return (await session.scalars(query)).one_or_none()


async def open_hold(session: AsyncSession, recording_id: str) -> RecordingHold | None:
    """The hold that is on a recording."""
    query = select(RecordingHold).where(
        RecordingHold.recording_id == recording_id, RecordingHold.lifted_at.is_(None)
    )
    return (await session.scalars(query.limit(1))).first()


async def settled_after(
    session: AsyncSession, recording_id: str, ended_before: datetime, most: int
) -> Sequence[str]:
    """The ids of the next recordings that nothing works on and nobody holds, in order."""
    query = (
        select(Recording.id)
        .where(Recording.id > recording_id, *_may_be_touched(ended_before))
        .order_by(Recording.id)
        .limit(most)
    )
    return (await session.scalars(query)).all()


async def settled_among(
    session: AsyncSession, recording_ids: Sequence[str], ended_before: datetime
) -> Sequence[tuple[Recording, str]]:
    """Those of these of which the same holds now, locked, with their organizations' paths."""
    query = (
        select(Recording, Organization.path)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(Recording.id.in_(recording_ids), *_may_be_touched(ended_before))
        .order_by(Recording.id)
        .with_for_update(of=Recording, skip_locked=True)  # what another node is at is its business
    )
    return [(recording, path) for recording, path in await session.execute(query)]


def _may_be_touched(ended_before: datetime) -> tuple[ColumnElement[bool], ...]:
    held = exists().where(RecordingHold.recording_id == Recording.id, RecordingHold.lifted_at.is_(None))
    return (
        Recording.state.in_([state for state in RecordingState if state.settled]),
        or_(Recording.meeting_id.is_(None), Recording.ended_at.is_not(None)),
        func.coalesce(Recording.ended_at, Recording.started_at) < ended_before,
        ~held,
    )


async def take_back_all(session: AsyncSession) -> None:
    """No deletion is announced any more: a rule that comes later announces it anew."""
    announced = update(Recording).where(Recording.deletion_warned_uptime.is_not(None))
    await session.execute(announced.values(deletion_warned_at=None, deletion_warned_uptime=None))


def add_deletion(session: AsyncSession, deletion: RecordingDeletion) -> None:
    """Write the entry that stays."""
    session.add(deletion)
