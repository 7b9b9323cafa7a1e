"""What members are told: absences to make up, meetings they are newly invited to, answers to their consultations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from members.organizations import Organization
from members.policy import Actor
from recordings.access import watchable
from recordings.models import Recording
from recordings.notices.views import MOST_OF_A_KIND, NEWS, NoticeKind, NoticeView
from recordings.states import RecordingState
from recordings.upkeep import repository as upkeep
from recordings.upkeep.missed import missed
from recordings.upkeep.models import StorageRules
from recordings.upkeep.retention import deletes_at, due_at, keep_days, notice_left
from recordings.upkeep.uptime import uptime
from rooms.attendance.records import awaits_making_up
from rooms.consultations.models import Consultation, Service
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.states import MeetingState


async def to_study(
    session: AsyncSession, actor: Actor, now: datetime, default_days: int
) -> Sequence[NoticeView]:
    """Recordings by which an absence can be made up, while they are new, and when they will be deleted."""
    if actor.member_id is None:
        return []
    query = (
        select(Recording, Organization)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(
            watchable(actor),
            Recording.state.in_([state for state in RecordingState if state.playable]),
            awaits_making_up(Recording.meeting_id, literal(actor.member_id)),
            (Recording.state_since > now - NEWS) | Recording.deletion_warned_at.is_not(None),
        )
        .order_by(Recording.started_at.desc(), Recording.id)
        .limit(MOST_OF_A_KIND)
    )
    rows = (await session.execute(query)).all()
    if not rows:
        return []
    rules, ran = await upkeep.rules_by_path(session), await uptime(session)
    return [
        notice
        for recording, organization in rows
        if (notice := _about(recording, organization, rules, ran, now, default_days)) is not None
    ]


def _about(
    recording: Recording,
    organization: Organization,
    rules: dict[str, StorageRules],
    ran: int,
    now: datetime,
    default_days: int,
) -> NoticeView | None:
    """That it ends where the deletion is announced, or that it is there while that is news."""
    about = (recording.id, recording.title, organization.name)
    warned = recording.deletion_warned_at
    if warned is not None:
        keeping = upkeep.keeping_of(upkeep.nearest_first(rules, organization.path))
        days = keep_days(recording.kind, keeping, default_days)
        due = due_at(recording.ended_at or recording.started_at, days)
        ends = deletes_at(due, notice_left(recording.deletion_warned_uptime, ran), now)
        if ends is not None:
            return NoticeView(NoticeKind.MAKING_UP_ENDS, *about, warned, ends)
    if recording.state_since > now - NEWS:
        return NoticeView(NoticeKind.RECORDING_READY, *about, recording.state_since)
    return None


async def lost(session: AsyncSession, actor: Actor, now: datetime) -> list[NoticeView]:
    """Recordings that were deleted lately, before the absence was made up."""
    return [
        NoticeView(
            NoticeKind.MAKING_UP_LOST,
            entry.recording_id,
            entry.title,
            entry.organization_name,
            entry.deleted_at,
        )
        for entry in await missed(session, actor, now - NEWS, MOST_OF_A_KIND)
    ]


async def invitations(session: AsyncSession, actor: Actor, now: datetime) -> list[NoticeView]:
    """Of meetings that were scheduled lately and have not begun, by others."""
    if actor.member_id is None:
        return []
    query = (
        select(Meeting, Organization.name)
        .join(Invitation, Invitation.meeting_id == Meeting.id)
        .join(Organization, Organization.id == Meeting.organization_id)
        .where(
            Invitation.member_id == actor.member_id,
            ~Invitation.struck,
            Invitation.leave_state.is_(None),
            Meeting.organizer_account_id != actor.account_id,
            Meeting.state == MeetingState.SCHEDULED,
            Meeting.created_at > now - NEWS,
            Meeting.starts_at > now,
        )
        .order_by(Meeting.starts_at, Meeting.id)
        .limit(MOST_OF_A_KIND)
    )
    return [
        NoticeView(NoticeKind.INVITED, meeting.id, meeting.title, name, meeting.created_at, meeting.starts_at)
        for meeting, name in await session.execute(query)
    ]


async def answers(session: AsyncSession, actor: Actor, now: datetime) -> list[NoticeView]:
    """Outcomes that experts have written for who was signed in when taking the ticket."""
    query = (
        select(Consultation, Service.name, Organization.name)
        .join(Service, Service.id == Consultation.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .where(
            Consultation.resident_account_id == actor.account_id,
            Consultation.outcome.is_not(None),
            Consultation.ended_at > now - NEWS,
        )
        .order_by(Consultation.ended_at.desc(), Consultation.id)
        .limit(MOST_OF_A_KIND)
    )
    return [
        NoticeView(
            NoticeKind.CONSULTATION_ANSWERED, asked.id, service, name, asked.ended_at, text=asked.outcome
        )
        for asked, service, name in await session.execute(query)
        if asked.ended_at is not None
    ]
