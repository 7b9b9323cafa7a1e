"""The end of a meeting for attendance: results fixed, cards written, inside the transaction that ends it."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from members.cards import Cards, NewEntry
from members.cards.models import CardEntryKind
from members.organizations import Organization
from rooms.attendance import records
from rooms.attendance.judgement import Span, by_person, measured, state_of
from rooms.attendance.rules import ATTENDED, AttendanceState, Measured
from rooms.meetings.kinds import KINDS
from rooms.meetings.models import Meeting

CARD_SOURCE = "meeting"


async def conclude(session: AsyncSession, meeting: Meeting, organization: Organization, cards: Cards) -> None:
    """Judge everybody expected or present, and write the attended meeting to the members' cards.

    The meeting has its actual start and end already, and all presence is in the database. A handful of statements
    however many people there are. Called once a meeting: its state, locked by the caller, sees to that; the cards
    would not take a second entry either.
    """
    if meeting.started_at is None or meeting.ended_at is None:
        raise ValueError("a meeting is concluded after its start and its end are known")
    await records.close_open_presences(session, meeting.id)
    span = Span.of(meeting, meeting.ended_at)
    people = by_person(await records.intervals(session, meeting.id))
    excused = await records.excused(session, meeting.id)
    rows = await records.rows(session, meeting.id)
    entries: list[NewEntry] = []
    results: list[dict[str, Any]] = []
    for row in rows:
        what = measured(people.pop(row.person_key, ()), span)
        state = state_of(row, what, span, excused)
        results.append({"meeting_id": row.meeting_id, "person_key": row.person_key, **_result(what, state)})
        if row.member_id is not None and state in ATTENDED:
            entries.append(_entry(meeting, organization, row.member_id, what, state, expected=True))
    unexpected: list[dict[str, Any]] = []
    for key, found in people.items():
        what = measured(found, span)
        if what.first_seen is None:
            continue
        place, member_id = len(rows) + len(unexpected) + 1, found[0].member_id
        unexpected.append(
            {
                "meeting_id": meeting.id,
                "person_key": key,
                "place": place,
                "member_id": member_id,
                "name": found[0].name,
                "expected": False,
                **_result(what, AttendanceState.PRESENT),
            }
        )
        if member_id is not None:
            entries.append(
                _entry(meeting, organization, member_id, what, AttendanceState.PRESENT, expected=False)
            )
    await records.write_results(session, results)
    await records.add_unexpected(session, unexpected)
    if not KINDS[meeting.kind].private:
        await cards.append_all(session, entries)


def _result(what: Measured, state: AttendanceState) -> dict[str, Any]:
    return {
        "state": state,
        "seconds": what.seconds,
        "first_seen_at": what.first_seen,
        "last_seen_at": what.last_seen,
    }


def _entry(
    meeting: Meeting,
    organization: Organization,
    member_id: str,
    what: Measured,
    state: AttendanceState,
    *,
    expected: bool,
) -> NewEntry:
    return NewEntry(
        member_id=member_id,
        kind=CardEntryKind.MEETING_ATTENDED,
        occurred_at=meeting.started_at or meeting.starts_at,
        duration_seconds=round(what.seconds),
        organization_id=organization.id,
        organization_name=organization.name,
        title=meeting.title,
        source=CARD_SOURCE,
        reference=meeting.id,
        details={"kind": meeting.kind.value, "state": state.value, "expected": expected},
    )
