"""What officers are told: of their organizations' recordings, and of those below, which are broken or stand still."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from members.organizations.repository import in_scope
from members.policy import Action, Actor, scope
from recordings.models import CompositionJob, Recording
from recordings.notices.views import MOST_OF_A_KIND, NEWS, NoticeKind, NoticeView
from recordings.remaking import BROKEN
from recordings.repository import waits_for_room
from recordings.states import Failure, RecordingState
from rooms.meetings.kinds import PRIVATE_KINDS


async def broken(session: AsyncSession, actor: Actor, now: datetime) -> list[NoticeView]:
    """Until they are put right, and no longer than that is news."""
    reach = scope(actor, Action.MANAGE_RECORDING)
    if not reach.subtrees:
        return []
    query = (
        select(Recording, Organization.name)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(
            in_scope(Organization.path, reach),
            Recording.kind.not_in(PRIVATE_KINDS),
            Recording.state.in_(BROKEN),
            Recording.state_since > now - NEWS,
        )
        .order_by(Recording.state_since.desc(), Recording.id)
        .limit(MOST_OF_A_KIND)
    )
    return [_about(recording, name) for recording, name in await session.execute(query)]


async def waiting(session: AsyncSession, actor: Actor) -> list[NoticeView]:
    """Those that wait for room on the disk, until somebody has made it, be that a month."""
    reach = scope(actor, Action.MANAGE_RECORDING)
    if not reach.subtrees:
        return []
    query = (
        select(Recording, Organization.name, CompositionJob.no_room_since)
        .join(CompositionJob, CompositionJob.recording_id == Recording.id)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(in_scope(Organization.path, reach), Recording.kind.not_in(PRIVATE_KINDS), waits_for_room())
        .order_by(CompositionJob.no_room_since.desc(), Recording.id)
        .limit(MOST_OF_A_KIND)
    )
    return [
        NoticeView(
            NoticeKind.RECORDING_WAITS,
            one.id,
            one.title,
            name,
            since,
            reason=Failure.DISK_FULL,
            uploaded=one.is_uploaded,
        )
        for one, name, since in await session.execute(query)
        if since is not None
    ]


def _about(recording: Recording, organization_name: str) -> NoticeView:
    kind, subject_id = NoticeKind.RECORDING_FAILED, recording.id
    if recording.is_live and recording.meeting_id is not None:
        kind, subject_id = NoticeKind.CAPTURE_STOPPED, recording.meeting_id
    elif recording.state is RecordingState.DAMAGED:
        kind = NoticeKind.RECORDING_DAMAGED
    return NoticeView(
        kind, subject_id, recording.title, organization_name, recording.state_since,
        reason=recording.failure, uploaded=recording.is_uploaded,
    )  # fmt: skip
