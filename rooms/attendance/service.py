"""`Attendance`: lists, corrections, made-up absences."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, Page, PageRequest, new_id
from errors import Kind, Problem
from members.cards import Cards, NewEntry
from members.cards.models import CardEntryKind
from members.policy import Action, Actor
from rooms.attendance import records
from rooms.attendance.conclusion import CARD_SOURCE
from rooms.attendance.judgement import (
    Span,
    by_person,
    counts,
    measured,
    prevailing,
    said_last,
    state_of,
)
from rooms.attendance.models import AttendanceRecord, PresenceInterval
from rooms.attendance.rules import CAN_BE_MADE_UP, AttendanceState, Measured
from rooms.attendance.views import AttendancePage, AttendanceRow, AttendanceSummary, CorrectionView
from rooms.meetings import repository as meetings
from rooms.meetings.access import Access
from rooms.meetings.kinds import KINDS
from rooms.meetings.rules import check_reason, must_be
from rooms.meetings.states import MeetingState
from rooms.persons import member_key, person_key


class Attendance:
    """Every public method is one unit of work."""

    def __init__(self, database: Database, cards: Cards, clock: Clock) -> None:
        self._database = database
        self._cards = cards
        self._clock = clock

    async def list(self, actor: Actor, meeting_id: str, page: PageRequest) -> AttendancePage:
        """The rows of a meeting, the expected first; while it is live, as measured so far.

        Who may not see everybody's gets the own row. Before the start there are no rows, only how many are expected.
        """
        async with self._database.reading() as session:
            access = await meetings.access(session, meeting_id, actor)
            access.require(Action.SEE_MEETING)
            if not access.may(Action.SEE_ATTENDANCE):
                return await self._own(session, access)
            match access.meeting.state:
                case MeetingState.LIVE:
                    return await self._so_far(session, access, page)
                case MeetingState.ENDED:
                    return await self._final(session, access, page)
                case _:
                    return AttendancePage(
                        [], None, AttendanceSummary(access.meeting.expected_count), final=False
                    )

    async def correct(
        self, actor: Actor, meeting_id: str, member_id: str, state: AttendanceState, reason: str
    ) -> AttendanceRow:
        """Set a state beside the measured one, with a reason, after the end; goes to the card as a correction.

        Problems: meeting_not_found, forbidden, meeting_in_wrong_state, attendance_not_found, invalid_reason,
        invalid_correction (made up is nothing that one can declare; only a correction of it can be taken back).
        """
        why = check_reason(reason)
        async with self._database.transaction() as session:
            access = await meetings.access(session, meeting_id, actor)
            access.require(Action.CORRECT_ATTENDANCE)
            must_be(access.meeting.state, MeetingState.ENDED)
            row = await records.row(session, meeting_id, member_key(member_id), lock=True)
            if row is None:
                raise Problem(Kind.NOT_FOUND, "attendance_not_found")
            if state is AttendanceState.MADE_UP and row.made_up_at is None:
                raise Problem(Kind.INVALID, "invalid_correction", {"field": "state"})
            before = prevailing(row)
            row.corrected_state, row.correction_reason = state, why
            row.corrected_at = said_last(row.made_up_at, self._clock())
            row.corrected_by = actor.account_id
            if not KINDS[access.meeting.kind].private:
                await self._write_correction(session, access, row, before)
            return _row_view(row)

    async def made_up(self, member_ids: Iterable[str], meeting_id: str, recording_id: str) -> set[str]:
        """The members have watched the recording: absence becomes made up; answers for whom anything changed.

        Idempotent, and without those who were not expected or were there; a correction after a making up stands. Writes
        no card entry: `recording_studied` is the recordings' to write.
        """
        async with self._database.transaction() as session:
            found = await records.rows_of(session, meeting_id, member_ids)
            absent = [
                row
                for row in found
                if row.expected and row.made_up_at is None and prevailing(row) in CAN_BE_MADE_UP
            ]
            for row in absent:
                row.made_up_at = said_last(row.corrected_at, self._clock())
                row.made_up_recording_id = recording_id
            return {row.member_id for row in absent if row.member_id is not None}

    async def _own(self, session: AsyncSession, access: Access) -> AttendancePage:
        final = access.meeting.state is MeetingState.ENDED
        row = await records.row(session, access.meeting.id, person_key(access.actor))
        if row is None:
            return AttendancePage([], None, AttendanceSummary(), final=final)
        view = _row_view(row)
        if not final:
            views = await self._measured_views(session, access, [row])
            view = views[0]
        states = [view.correction.state if view.correction else view.state] if row.expected else []
        return AttendancePage([view], None, _summary(counts(states)), final=final)

    async def _final(self, session: AsyncSession, access: Access, page: PageRequest) -> AttendancePage:
        found = await records.rows_page(session, access.meeting.id, page)
        summary = _summary(await records.totals(session, access.meeting.id))
        return AttendancePage([_row_view(row) for row in found.items], found.next_cursor, summary, final=True)

    async def _so_far(self, session: AsyncSession, access: Access, page: PageRequest) -> AttendancePage:
        """The expected by page, and after the last of them who else came: at most as many as a room holds."""
        meeting_id = access.meeting.id
        found: Page[AttendanceRecord] = await records.rows_page(session, meeting_id, page)
        people = by_person(await records.intervals(session, meeting_id))
        excused = await records.excused(session, meeting_id)
        everybody = await records.rows(session, meeting_id)
        span = Span.of(access.meeting, self._clock())
        states = [
            state_of(row, measured(people.get(row.person_key, ()), span), span, excused) for row in everybody
        ]
        items = list(await self._measured_views(session, access, found.items))
        if found.next_cursor is None:
            expected = {row.person_key for row in everybody}
            items += [_guest_view(each, span) for key, each in people.items() if key not in expected]
        return AttendancePage(items, found.next_cursor, _summary(counts(states)), final=False)

    async def _measured_views(
        self, session: AsyncSession, access: Access, rows: Sequence[AttendanceRecord]
    ) -> Sequence[AttendanceRow]:
        keys = [row.person_key for row in rows]
        people = by_person(await records.intervals(session, access.meeting.id, keys))
        excused = await records.excused(session, access.meeting.id)
        span = Span.of(access.meeting, self._clock())
        views = []
        for row in rows:
            what = measured(people.get(row.person_key, ()), span)
            views.append(_row_view(row, what, state_of(row, what, span, excused)))
        return views

    async def _write_correction(
        self, session: AsyncSession, access: Access, row: AttendanceRecord, before: AttendanceState | None
    ) -> None:
        if row.member_id is None or row.corrected_state is None:
            return
        meeting = access.meeting
        attended = await records.card_entry(session, row.member_id, CARD_SOURCE, meeting.id)
        entry = NewEntry(
            member_id=row.member_id,
            kind=CardEntryKind.CORRECTION,
            occurred_at=meeting.started_at or meeting.starts_at,
            duration_seconds=round(row.seconds),
            organization_id=access.organization.id,
            organization_name=access.organization.name,
            title=meeting.title,
            source=CARD_SOURCE,
            reference=f"{meeting.id}/{new_id()}",
            written_by=access.actor.account_id,
            refers_to=attended,
            details={
                "kind": meeting.kind.value,
                "state": row.corrected_state.value,
                "before": before.value if before else None,
                "reason": row.correction_reason,
            },
        )
        await self._cards.append(session, entry)


def _row_view(
    row: AttendanceRecord, what: Measured | None = None, state: AttendanceState | None = None
) -> AttendanceRow:
    """The view of a row; with what was measured so far while it holds no result yet."""
    correction = None
    made_up_last = prevailing(row) is AttendanceState.MADE_UP
    if row.corrected_state is not None and row.corrected_at is not None and not made_up_last:
        correction = CorrectionView(row.corrected_state, row.correction_reason or "", row.corrected_at)
    if row.made_up_at is not None:
        state = AttendanceState.MADE_UP
    what = what or Measured(row.seconds, row.first_seen_at, row.last_seen_at)
    return AttendanceRow(
        member_id=row.member_id,
        name=row.name,
        expected=row.expected,
        state=state or row.state or AttendanceState.ABSENT,
        seconds_present=what.seconds,
        first_seen_at=what.first_seen,
        last_seen_at=what.last_seen,
        correction=correction,
    )


def _guest_view(found: Sequence[PresenceInterval], span: Span) -> AttendanceRow:
    what = measured(found, span)
    return AttendanceRow(
        member_id=found[0].member_id,
        name=found[0].name,
        expected=False,
        state=AttendanceState.PRESENT,
        seconds_present=what.seconds,
        first_seen_at=what.first_seen,
        last_seen_at=what.last_seen,
        correction=None,
    )


def _summary(totals: Mapping[AttendanceState, int]) -> AttendanceSummary:
    return AttendanceSummary(
        expected=sum(totals.values()),
        present=totals.get(AttendanceState.PRESENT, 0),
        late=totals.get(AttendanceState.LATE, 0),
        left_early=totals.get(AttendanceState.LEFT_EARLY, 0),
        excused=totals.get(AttendanceState.EXCUSED, 0),
        absent=totals.get(AttendanceState.ABSENT, 0),
        made_up=totals.get(AttendanceState.MADE_UP, 0),
    )
