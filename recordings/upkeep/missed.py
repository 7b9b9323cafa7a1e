"""Deletions by which a member can no longer make up an absence."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from members.policy import Actor
from recordings.access import reachable
from recordings.models import Recording
from recordings.states import RecordingState
from recordings.upkeep.models import RecordingDeletion
from rooms.attendance.records import awaits_making_up


async def missed(
    session: AsyncSession, actor: Actor, since: datetime, most: int
) -> Sequence[RecordingDeletion]:
    """The entries since then, newest first, of recordings that the actor might have watched for what he missed."""
    if actor.member_id is None:
        return []
    query = (
        select(RecordingDeletion)
        .join(Recording, Recording.id == RecordingDeletion.recording_id)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(
            RecordingDeletion.deleted_at > since,
            RecordingDeletion.duration_seconds.is_not(None),  # of what never was a film nothing is lost
            Recording.state == RecordingState.DELETED,
            reachable(actor),
            awaits_making_up(Recording.meeting_id, literal(actor.member_id)),
        )
        .order_by(RecordingDeletion.deleted_at.desc(), RecordingDeletion.id)
        .limit(most)
    )
    return (await session.scalars(query)).all()
