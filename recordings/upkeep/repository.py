"""Every query about upkeep. The caller has the session and has asked the policy."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from members.organizations.repository import in_subtree
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
    parts = path.strip("/").split("/")
    line = ["/" + "/".join(parts[:count]) + "/" for count in range(len(parts), 0, -1)]
    return [rules[above] for above in line if above in rules]


def keeping_of(rules: Iterable[StorageRules]) -> list[Keeping]:
    """The same for `retention`."""
    return [
        Keeping(one.keep_days, {MeetingKind(kind): int(days) for kind, days in one.keep_days_by_kind.items()})
        for one in rules
    ]


async def used_bytes(session: AsyncSession, path: str) -> int:
    """What the organization at `path` and all below it have: everything of their recordings, and films on their way.

    A film on its way counts from its beginning on as if it were there.
    """
    kept = (
        select(func.coalesce(func.sum(Recording.kept_bytes), 0))
        .join(Organization, Organization.id == Recording.organization_id)
        .where(in_subtree(Organization.path, path), Recording.state != RecordingState.DELETED)
    )
    coming = (
        select(func.coalesce(func.sum(Upload.size_bytes), 0))
        .join(Organization, Organization.id == Upload.organization_id)
        .where(in_subtree(Organization.path, path))
    )
    return int(await session.scalar(select(kept.scalar_subquery() + coming.scalar_subquery())) or 0)


async def open_hold(session: AsyncSession, recording_id: str) -> RecordingHold | None:
    """The hold that is on a recording."""
    query = select(RecordingHold).where(
        RecordingHold.recording_id == recording_id, RecordingHold.lifted_at.is_(None)
    )
    return (await session.scalars(query.limit(1))).first()


async def settled_after(
    session: AsyncSession, recording_id: str, ended_before: datetime, most: int
) -> Sequence[tuple[Recording, str]]:
    """The next recordings, by id, that nothing works on and nobody holds, with their organizations' paths."""
    held = exists().where(RecordingHold.recording_id == Recording.id, RecordingHold.lifted_at.is_(None))
    query = (
        select(Recording, Organization.path)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(
            Recording.id > recording_id,
            Recording.state.in_([state for state in RecordingState if state.settled]),
            func.coalesce(Recording.ended_at, Recording.started_at) < ended_before,
            ~held,
        )
        .order_by(Recording.id)
        .limit(most)
        .with_for_update(of=Recording, skip_locked=True)  # what another node is at is its business
    )
    return [(recording, path) for recording, path in await session.execute(query)]


def add_deletion(session: AsyncSession, deletion: RecordingDeletion) -> None:
    """Write the entry that stays."""
    session.add(deletion)
