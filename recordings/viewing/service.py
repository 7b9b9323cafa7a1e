"""`Viewings`: takes the players' reports."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database
from members.cards import CardEntryKind, Cards, NewEntry
from members.policy import Actor
from recordings.access import RecordingAccess, find
from recordings.models import Recording, Viewing
from recordings.viewing import repository
from recordings.viewing.coverage import Account, is_enough, plausible, share, watch
from recordings.views import CoverageView, WatchReport
from rooms.attendance.service import Attendance

CARD_SOURCE = "recording"

_log = structlog.get_logger(__name__)


class Viewings:
    """Every public method is one unit of work, but that attendance learns of a studied recording in one of its own."""

    def __init__(self, database: Database, attendance: Attendance, cards: Cards, clock: Clock) -> None:
        self._database = database
        self._attendance = attendance
        self._cards = cards
        self._clock = clock

    async def report(self, actor: Actor, recording_id: str, report: WatchReport) -> CoverageView:
        """Count what can be true of it; answers what counts so far.

        The first report of a member who has not even fetched the film opens the account, and counts for nothing.
        Problems: recording_not_found, recording_not_playable.
        """
        async with self._database.transaction() as session:
            access = await find(session, actor, recording_id)
            access.require_playable()
            if actor.member_id is None:
                return CoverageView(0.0, 0.0, (), 0.0)
            now = self._clock()
            viewing = await repository.open_and_lock(session, recording_id, actor.member_id, now)
            _count(viewing, access.recording, report, now)
            if viewing.completed_at is None and _is_complete(viewing, access.recording):
                viewing.completed_at = now
                await self._write_card(session, viewing, access)
            view = coverage_view(viewing, access.recording)
            unsettled = viewing.completed_at is not None and not viewing.settled
        if unsettled:
            await self._settle(actor.member_id, access.recording)
        return view

    async def _write_card(self, session: AsyncSession, viewing: Viewing, access: RecordingAccess) -> None:
        entry = NewEntry(
            member_id=viewing.member_id,
            kind=CardEntryKind.RECORDING_STUDIED,
            occurred_at=viewing.completed_at or viewing.reported_at,
            duration_seconds=round(viewing.seconds),
            organization_id=access.organization.id,
            organization_name=access.organization.name,
            title=access.recording.title,
            source=CARD_SOURCE,
            reference=viewing.recording_id,
            details={
                "meetingId": access.recording.meeting_id,
                "share": round(_share(viewing, access.recording), 3),
            },
        )
        await self._cards.append(session, entry)
        _log.info("recording_studied", recording_id=viewing.recording_id, member_id=viewing.member_id)

    async def _settle(self, member_id: str, recording: Recording) -> None:
        """Tell attendance, then remember that it knows; killed in between, the next report tells it again."""
        if recording.meeting_id is not None:
            await self._attendance.made_up(member_id, recording.meeting_id, recording.id)
        async with self._database.transaction() as session:
            viewing = await repository.get(session, recording.id, member_id)
            if viewing is not None:
                viewing.settled = True


def coverage_view(viewing: Viewing | None, recording: Recording) -> CoverageView:
    """What a member has watched, for the member."""
    if viewing is None:
        return CoverageView(0.0, 0.0, (), 0.0)
    intervals = _intervals(viewing)
    return CoverageView(
        seconds=viewing.seconds,
        share=share(intervals, recording.duration_seconds or 0.0),
        intervals=intervals,
        resume_at=min(viewing.resume_at, recording.duration_seconds or 0.0),
    )


def _count(viewing: Viewing, recording: Recording, report: WatchReport, now: datetime) -> None:
    duration = recording.duration_seconds or 0.0
    before = Account(_intervals(viewing), viewing.credit_seconds)
    elapsed = (now - viewing.reported_at).total_seconds()
    after = watch(before, report.intervals, report.rate, elapsed, duration)
    viewing.intervals = [list(interval) for interval in after.intervals]
    viewing.seconds, viewing.credit_seconds = after.seconds, after.credit
    viewing.reported_at = max(now, viewing.reported_at)  # a clock set back gives nobody time twice
    claims = plausible(report.intervals, duration)
    if report.ended:
        viewing.resume_at = 0.0
    elif claims:
        viewing.resume_at = claims[-1][1]  # where to go on is a convenience, and may be believed


def _intervals(viewing: Viewing) -> tuple[tuple[float, float], ...]:
    return tuple((float(begin), float(end)) for begin, end in viewing.intervals)


def _share(viewing: Viewing, recording: Recording) -> float:
    return share(_intervals(viewing), recording.duration_seconds or 0.0)


def _is_complete(viewing: Viewing, recording: Recording) -> bool:
    return is_enough(_intervals(viewing), recording.duration_seconds or 0.0)
