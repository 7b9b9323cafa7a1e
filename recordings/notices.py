"""`Notices`: what waits for the person who asks, read from the records themselves, so that nothing is ever out of date.

An absence that can be made up by watching, until when; a meeting one is newly invited to; an answer to a consultation.
Each goes by itself: when it was watched, when the meeting begins, when it is an old story.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from members.accounts import repository as accounts
from members.organizations import Organization
from members.policy import Actor
from recordings.access import watchable
from recordings.models import Recording
from recordings.states import RecordingState
from recordings.upkeep import repository as upkeep
from recordings.upkeep.models import StorageRules
from recordings.upkeep.retention import FOR_EVER, deletes_at, due_at, keep_days
from rooms.attendance.records import awaits_making_up
from rooms.consultations.models import Consultation, Service
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.states import MeetingState

# Older is no news; what has an end of its own is told until then.
NEWS: Final = timedelta(days=14)
MOST_OF_A_KIND: Final = 50
# Moments are told in milliseconds, and kept in microseconds.
_SHOWN: Final = timedelta(milliseconds=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class NoticeKind(StrEnum):
    """What a notice tells."""

    MAKING_UP_ENDS = "making_up_ends"  # the recording of a meeting one missed will be deleted
    RECORDING_READY = "recording_ready"  # a meeting one missed can be made up by watching
    INVITED = "invited"
    CONSULTATION_ANSWERED = "consultation_answered"


@dataclass(frozen=True, slots=True)
class NoticeView:
    """`subject_id` is the recording's, meeting's or consultation's, `title` its name, or the service's.

    `until`: when it is too late. `text`: what the expert wrote. `seen`: by this account, on whatever device.
    """

    kind: NoticeKind
    subject_id: str
    title: str
    organization_name: str
    at: datetime
    until: datetime | None = None
    text: str | None = None
    seen: bool = False


class Notices:
    """One unit of work a method. `default_days` is how long the operator keeps recordings, 0 for ever."""

    def __init__(self, database: Database, clock: Clock, default_days: int = FOR_EVER) -> None:
        self._database = database
        self._clock = clock
        self._default_days = default_days

    async def of(self, actor: Actor) -> Sequence[NoticeView]:
        """What ends first, then what is newest."""
        now = self._clock()
        async with self._database.reading() as session:
            found = [
                *await self._to_study(session, actor, now),
                *await _invitations(session, actor, now),
                *await _answers(session, actor, now),
            ]
            until = await accounts.notices_seen_until(session, actor.account_id)
        if until is not None:
            found = [replace(notice, seen=notice.at < until + _SHOWN) for notice in found]
        return _in_order(found)

    async def see(self, actor: Actor, until: datetime) -> None:
        """Notices up to this moment's were looked at; nobody has seen what is yet to come."""
        until = min(until, self._clock())
        async with self._database.transaction() as session:
            await accounts.note_seen(session, actor.account_id, until)

    async def _to_study(self, session: AsyncSession, actor: Actor, now: datetime) -> Sequence[NoticeView]:
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
        rules = await upkeep.rules_by_path(session) if rows else {}
        return [
            notice
            for recording, organization in rows
            if (notice := self._about(recording, organization, rules, now)) is not None
        ]

    def _about(
        self, recording: Recording, organization: Organization, rules: dict[str, StorageRules], now: datetime
    ) -> NoticeView | None:
        """That it ends where the deletion is announced, or that it is there while that is news."""
        about = (recording.id, recording.title, organization.name)
        warned = recording.deletion_warned_at
        if warned is not None:
            keeping = upkeep.keeping_of(upkeep.nearest_first(rules, organization.path))
            days = keep_days(recording.kind, keeping, self._default_days)
            ends = deletes_at(due_at(recording.ended_at or recording.started_at, days), warned, now)
            if ends is not None:
                return NoticeView(NoticeKind.MAKING_UP_ENDS, *about, warned, ends)
        if recording.state_since > now - NEWS:
            return NoticeView(NoticeKind.RECORDING_READY, *about, recording.state_since)
        return None


async def _invitations(session: AsyncSession, actor: Actor, now: datetime) -> list[NoticeView]:
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


async def _answers(session: AsyncSession, actor: Actor, now: datetime) -> list[NoticeView]:
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


def _in_order(notices: Iterable[NoticeView]) -> list[NoticeView]:
    newest_first = sorted(notices, key=lambda notice: notice.at, reverse=True)
    return sorted(newest_first, key=lambda notice: notice.until or _NEVER)
