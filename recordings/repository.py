"""Every query about recordings and their composition. The caller has the session."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import new_id
from members.organizations import Organization
from recordings.models import CompositionJob, Recording
from recordings.states import Failure, RecordingState, check_transition
from recordings.uploads.models import Upload
from rooms.meetings.kinds import KINDS, PRIVATE_KINDS
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingState

_RECONCILED_AT_ONCE = 500


async def recorded_meeting(session: AsyncSession, meeting_id: str) -> Meeting | None:
    """The meeting if it is to be recorded: 亲情会见 never is."""
    meeting = await session.get(Meeting, meeting_id)
    if meeting is None or not meeting.record or meeting.kind in PRIVATE_KINDS:
        return None
    return meeting


async def of_meeting(session: AsyncSession, meeting_id: str, *, lock: bool = False) -> Recording | None:
    """A meeting's recording."""
    query = select(Recording).where(Recording.meeting_id == meeting_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def get(session: AsyncSession, recording_id: str, *, lock: bool = False) -> Recording | None:
    """One recording."""
    return await session.get(Recording, recording_id, with_for_update=lock)


async def several(session: AsyncSession, recording_ids: Sequence[str]) -> list[Recording]:
    """These, by id; some hundreds at most."""
    query = select(Recording).where(Recording.id.in_(recording_ids)).order_by(Recording.id)
    return list(await session.scalars(query))


async def with_organization(
    session: AsyncSession, recording_id: str, *, lock: bool = False, keep: bool = False
) -> tuple[Recording, Organization] | None:
    """One recording beside the organization that it belongs to.

    `lock` it to change it; `keep` it from being changed until the transaction ends, beside others who do.
    """
    query = (
        select(Recording, Organization)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(Recording.id == recording_id)
    )
    if lock or keep:
        query = query.with_for_update(read=keep, of=Recording).execution_options(populate_existing=True)
    found = (await session.execute(query)).one_or_none()
    return (found[0], found[1]) if found is not None else None


async def many_with_organization(
    session: AsyncSession, recording_ids: Iterable[str]
) -> list[tuple[Recording, Organization]]:
    """Several recordings, each beside the organization that it belongs to."""
    query = (
        select(Recording, Organization)
        .join(Organization, Organization.id == Recording.organization_id)
        .where(Recording.id.in_(list(recording_ids)))
    )
    return [(recording, organization) for recording, organization in await session.execute(query)]


def add(session: AsyncSession, meeting: Meeting, now: datetime) -> Recording:
    """A recording that begins."""
    recording = Recording(
        id=new_id(),
        meeting_id=meeting.id,
        organization_id=meeting.organization_id,
        kind=meeting.kind,
        title=meeting.title,
        audience=KINDS[meeting.kind].audience,
        state=RecordingState.CAPTURING,
        state_since=now,
        progress=0.0,
        segments=0,
        version=0,
        started_at=now,
    )
    session.add(recording)
    return recording


def turn(recording: Recording, state: RecordingState, now: datetime, failure: Failure | None = None) -> None:
    """Bring a recording into another state; ValueError where there is no way. That it was mended is no news."""
    check_transition(recording.state, state)
    if RecordingState.MENDING not in {recording.state, state} or failure is not recording.failure:
        recording.state_since = now
    recording.state, recording.failure = state, failure


async def enqueue(session: AsyncSession, recording: Recording, now: datetime, *, mends: bool = False) -> None:
    """Have a recording composed, from the first attempt on, or no more than what is lost of its film.

    In the latter case whoever watches it goes on, where there was a film to watch.
    """
    mending = mends and recording.state.playable
    state = RecordingState.MENDING if mending else RecordingState.COMPOSING
    if recording.state is not state:
        turn(recording, state, now, recording.failure)
    recording.progress = 0.0
    job = await session.get(CompositionJob, recording.id)
    if job is None:
        job = CompositionJob(recording_id=recording.id, queued_at=now)
        session.add(job)
    job.not_before, job.attempts, job.worker, job.lease_until = now, 0, None, None
    job.no_room_since, job.mends = None, mends


async def drop_job(session: AsyncSession, recording_id: str) -> None:
    """It is composed, or not to be composed now."""
    job = await session.get(CompositionJob, recording_id)
    if job is not None:
        await session.delete(job)


def waits_for_room() -> ColumnElement[bool]:
    """Of jobs: nobody is at it, because the disk was full."""
    return CompositionJob.no_room_since.is_not(None) & CompositionJob.worker.is_(None)


async def is_waiting_for_room(session: AsyncSession, recording_id: str) -> bool:
    """Whether it will be composed when somebody has made room."""
    query = select(CompositionJob.recording_id).where(
        CompositionJob.recording_id == recording_id, waits_for_room()
    )
    return await session.scalar(query) is not None


async def is_at_rest(session: AsyncSession, recording: Recording, *, lock: bool = False) -> bool:
    """Whether nothing works on it: it is settled, or waits for room of the disk, which deleting it may make.

    `lock` to keep everybody from beginning; the recording's row is locked before. Whoever is at it has locked his job
    first, so that is not waited for.
    """
    if recording.settled:
        return True
    if not recording.state.in_queue or recording.is_live:
        return False
    query = select(CompositionJob).where(CompositionJob.recording_id == recording.id, waits_for_room())
    if lock:
        query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return await session.scalar(query) is not None


async def next_due(session: AsyncSession) -> datetime | None:
    """When the next job may be taken, as far as is known now."""
    begin, lease = CompositionJob.not_before, CompositionJob.lease_until
    due: datetime | None = await session.scalar(select(func.min(case((lease > begin, lease), else_=begin))))
    return due


async def left_open(session: AsyncSession, now: datetime, closed: timedelta | None) -> Sequence[str]:
    """The ids of recordings whose capture has not ended though their meeting has, `closed` ago; None: whenever.

    A meeting that ended by a clock that was ahead has ended too.
    """
    query = (
        select(Recording.id)
        .join(Meeting, Meeting.id == Recording.meeting_id)
        .where(
            Recording.ended_at.is_(None),
            Recording.state != RecordingState.DELETED,
            Meeting.state.in_([MeetingState.ENDED, MeetingState.CANCELLED]),
        )
        .limit(_RECONCILED_AT_ONCE)
    )
    if closed is not None:
        ended = func.coalesce(Meeting.ended_at, Meeting.updated_at)
        query = query.where(or_(ended <= now - closed, ended > now + closed))
    return (await session.scalars(query)).all()


async def without_job(session: AsyncSession) -> Sequence[str]:
    """The ids of recordings that are to be composed and stand in no queue."""
    query = (
        select(Recording.id)
        .outerjoin(CompositionJob, CompositionJob.recording_id == Recording.id)
        .where(
            Recording.state.in_([state for state in RecordingState if state.in_queue]),
            CompositionJob.recording_id.is_(None),
        )
        .limit(_RECONCILED_AT_ONCE)
    )
    return (await session.scalars(query)).all()


async def without_recording(session: AsyncSession) -> Sequence[str]:
    """The ids of meetings that took place, were to be recorded, and of which nothing is known."""
    query = (
        select(Meeting.id)
        .outerjoin(Recording, Recording.meeting_id == Meeting.id)
        .where(
            Meeting.record,
            Meeting.kind.not_in(PRIVATE_KINDS),
            Meeting.state == MeetingState.ENDED,
            Meeting.started_at.is_not(None),
            Recording.id.is_(None),
        )
        .limit(_RECONCILED_AT_ONCE)
    )
    return (await session.scalars(query)).all()


async def unknown_among(session: AsyncSession, names: Iterable[str]) -> set[str]:
    """Those that are the id of no recording, nor of a film that is on its way to become one.

    However many recordings there are, the event loop has its turn after some, and their ids are nowhere together.
    """
    unknown = set(names)
    for column in (Upload.id, Recording.id):
        found = await session.stream_scalars(select(column).execution_options(yield_per=_RECONCILED_AT_ONCE))
        async for some in found.partitions():
            unknown.difference_update(some)
    return unknown


async def settled_among(
    session: AsyncSession, recording_ids: Sequence[str], since_before: datetime
) -> list[str]:
    """Those on which nothing works, and did not before this moment either."""
    found: list[str] = []
    for begin in range(0, len(recording_ids), _RECONCILED_AT_ONCE):
        query = select(Recording.id).where(
            Recording.id.in_(recording_ids[begin : begin + _RECONCILED_AT_ONCE]),
            Recording.state.in_([state for state in RecordingState if state.settled]),
            Recording.state_since <= since_before,
        )
        found += await session.scalars(query)
    return found


async def films_missing(session: AsyncSession) -> Sequence[str]:
    """The ids of some of those that had a film of which nothing was left."""
    query = (
        select(Recording.id)
        .where(
            Recording.state == RecordingState.FAILED,
            Recording.failure == Failure.FILES_MISSING,
            Recording.version > 0,
        )
        .order_by(Recording.state_since.desc())
        .limit(_RECONCILED_AT_ONCE)
    )
    return (await session.scalars(query)).all()


async def playable_after(session: AsyncSession, recording_id: str) -> Sequence[str]:
    """The ids of the next recordings that should have a film, in order."""
    query = (
        select(Recording.id)
        .where(
            Recording.state.in_([RecordingState.READY, RecordingState.DAMAGED]), Recording.id > recording_id
        )
        .order_by(Recording.id)
        .limit(_RECONCILED_AT_ONCE)
    )
    return (await session.scalars(query)).all()
