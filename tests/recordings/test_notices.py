"""What waits for whom: told while it is true, and not a day longer."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import update

from database import Database, new_id
from members.people import Member
from members.policy import Actor, RoleName
from recordings.models import Recording
from recordings.notices import NEWS, NoticeKind, Notices, NoticeView
from recordings.states import Failure, RecordingState
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.models import StorageRules
from recordings.upkeep.retention import NOTICE
from rooms.attendance.models import AttendanceRecord
from rooms.attendance.rules import AttendanceState
from rooms.consultations.models import Consultation, Service
from rooms.consultations.states import ConsultationEnd, ConsultationState, ServiceKind
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.states import LeaveState, MeetingState
from rooms.persons import member_key
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.test_library import everybody, recorded

DAY = timedelta(days=1)


@pytest.fixture
def notices(database: Database, clock: FakeClock) -> Notices:
    return Notices(database, clock, default_days=60)


@pytest.fixture
async def missed(
    database: Database, make_meeting: MakeMeeting, member: Member, clock: FakeClock
) -> Recording:
    """A recorded meeting that the member was expected at and did not come to."""
    meeting = await make_meeting(state=MeetingState.ENDED)
    row = await recorded(database, meeting, clock)
    async with database.transaction() as session:
        session.add(
            AttendanceRecord(
                meeting_id=meeting.id, person_key=member_key(member.id), place=1, member_id=member.id,
                name=member.name, expected=True, seconds=0.0, state=AttendanceState.ABSENT,
            )
        )  # fmt: skip
    return row


def told(found: Sequence[NoticeView]) -> list[tuple[NoticeKind, str]]:
    return [(notice.kind, notice.subject_id) for notice in found]


async def test_a_meeting_one_missed_is_told_when_it_can_be_watched_and_for_a_while(
    notices: Notices, actor: Actor, missed: Recording, clock: FakeClock, records: Records, tree: Tree
) -> None:
    assert told(await notices.of(actor)) == [(NoticeKind.RECORDING_READY, missed.id)]
    other = await records.actor(member=await records.member(tree.branch))
    assert await notices.of(other) == [], "who was not expected need not make anything up"
    clock.advance(NEWS)
    assert await notices.of(actor) == []


@pytest.mark.usefixtures("missed")
async def test_what_was_made_up_is_no_notice(
    database: Database, notices: Notices, actor: Actor, clock: FakeClock
) -> None:
    async with database.transaction() as session:
        await session.execute(update(AttendanceRecord).values(made_up_at=clock()))
    assert await notices.of(actor) == []


async def test_making_up_ends_when_the_recording_goes(
    database: Database, notices: Notices, actor: Actor, missed: Recording, clock: FakeClock, tree: Tree
) -> None:
    clock.advance(50 * DAY)
    async with database.transaction() as session:
        row = await session.get_one(Recording, missed.id)
        row.deletion_warned_at = clock()
    (notice,) = await notices.of(actor)
    assert (notice.kind, notice.subject_id) == (NoticeKind.MAKING_UP_ENDS, missed.id)
    assert notice.until == clock() + NOTICE, "sixty days are over sooner than the notice"
    async with database.transaction() as session:
        session.add(
            StorageRules(
                organization_id=tree.branch.id,
                keep_days=0,
                keep_days_by_kind={},
                set_by=actor.account_id,
                set_at=clock(),
            )
        )
    assert await notices.of(actor) == [], "the branch keeps it for ever now"


async def test_who_had_not_made_an_absence_up_is_told_when_the_recording_was_deleted(
    database: Database, notices: Notices, actor: Actor, missed: Recording, clock: FakeClock, records: Records,
    tree: Tree,
) -> None:  # fmt: skip
    secretary = await records.actor((RoleName.SECRETARY, tree.branch))
    other = await records.actor(member=await records.member(tree.branch))
    deletions = Deletions(database, clock)
    await change(database, missed, ended_at=clock())
    await deletions.delete(secretary, missed.id, "误录")
    assert told(await notices.of(actor)) == [(NoticeKind.MAKING_UP_LOST, missed.id)]
    assert [one.reason for one in (await deletions.missed_by(actor)).items] == ["误录"]
    for who in (secretary, other):
        assert await notices.of(who) == []
        assert (await deletions.missed_by(who)).items == []
    clock.advance(NEWS)
    assert await notices.of(actor) == [], "the bell tells news"
    assert len((await deletions.missed_by(actor)).items) == 1, "the list at home stays longer"
    async with database.transaction() as session:
        await session.execute(update(AttendanceRecord).values(corrected_state=AttendanceState.PRESENT))
    assert (await deletions.missed_by(actor)).items == []


@pytest.mark.parametrize(
    ("state", "live", "kind"),
    [
        (RecordingState.FAILED, False, NoticeKind.RECORDING_FAILED),
        (RecordingState.DAMAGED, False, NoticeKind.RECORDING_DAMAGED),
        (RecordingState.FAILED, True, NoticeKind.CAPTURE_STOPPED),
    ],
)
async def test_officers_of_the_branch_and_above_are_told_of_what_is_broken_until_it_is_put_right(
    database: Database, notices: Notices, records: Records, tree: Tree, make_meeting: MakeMeeting, clock: FakeClock,
    state: RecordingState, live: bool, kind: NoticeKind,
) -> None:  # fmt: skip
    people = await everybody(records, tree)
    meeting = await make_meeting(state=MeetingState.LIVE if live else MeetingState.ENDED)
    row = await recorded(database, meeting, clock, state)
    await change(database, row, failure=Failure.DISK_FULL, ended_at=None if live else clock())
    subject = meeting.id if live else row.id
    found = {who: await notices.of(actor) for who, actor in people.items()}
    assert {who for who, notes in found.items() if notes} == {"secretary", "committee", "district"}
    for who in ("secretary", "committee", "district"):
        (notice,) = found[who]
        assert (notice.kind, notice.subject_id, notice.reason) == (kind, subject, Failure.DISK_FULL)
    clock.advance(NEWS)
    assert await notices.of(people["secretary"]) == []
    right = RecordingState.CAPTURING if live else RecordingState.READY
    await change(database, row, state_since=clock(), state=right)
    assert await notices.of(people["secretary"]) == []


async def test_a_capture_that_has_stopped_comes_before_everything_else(
    database: Database,
    notices: Notices,
    records: Records,
    tree: Tree,
    make_meeting: MakeMeeting,
    clock: FakeClock,
) -> None:
    secretary = await records.actor(
        (RoleName.SECRETARY, tree.branch), member=await records.member(tree.branch)
    )
    assert secretary.member_id is not None
    await make_meeting(state=MeetingState.SCHEDULED, invited=(secretary.member_id,), starts_in=DAY)
    stopped = await recorded(database, await make_meeting(), clock, RecordingState.FAILED)
    later = await recorded(database, await make_meeting(), clock, RecordingState.FAILED)
    await change(database, later, ended_at=clock())
    assert told(await notices.of(secretary))[0] == (NoticeKind.CAPTURE_STOPPED, stopped.meeting_id)


@pytest.mark.parametrize("why_not", ["struck", "began", "old", "asked for leave", "cancelled"])
async def test_an_invitation_is_told_until_the_meeting_begins(
    database: Database, notices: Notices, actor: Actor, member: Member, make_meeting: MakeMeeting, clock: FakeClock,
    why_not: str,
) -> None:  # fmt: skip
    meeting = await make_meeting(state=MeetingState.SCHEDULED, invited=(member.id,))
    async with database.transaction() as session:
        row = await session.get_one(Meeting, meeting.id)
        row.starts_at, row.ends_at = clock() + 20 * DAY, clock() + 21 * DAY
    (notice,) = await notices.of(actor)
    assert (notice.kind, notice.subject_id, notice.until) == (
        NoticeKind.INVITED, meeting.id, clock() + 20 * DAY,
    )  # fmt: skip
    async with database.transaction() as session:
        row = await session.get_one(Meeting, meeting.id)
        invitation = await session.get_one(Invitation, (meeting.id, member.id))
        match why_not:
            case "struck":
                invitation.struck = True
            case "began":
                row.starts_at = clock()
            case "old":
                row.created_at = clock() - NEWS
            case "asked for leave":
                invitation.leave_state = LeaveState.ASKED
            case _:
                row.state = MeetingState.CANCELLED
    assert await notices.of(actor) == []


async def test_an_answered_consultation_is_told_to_who_asked_and_nobody_else(
    database: Database, notices: Notices, records: Records, tree: Tree, clock: FakeClock
) -> None:
    resident = await records.actor((RoleName.RESIDENT, tree.branch))
    other = await records.actor((RoleName.RESIDENT, tree.branch))
    service = Service(
        id=new_id(), organization_id=tree.committee.id, kind=ServiceKind.LEGAL, name="法律咨询", place=1,
        created_at=clock(),
    )  # fmt: skip
    asked = Consultation(
        id=new_id(), service_id=service.id, resident_account_id=resident.account_id, display_name="李大爷",
        day=clock().date(), number=1, state=ConsultationState.ENDED, returned=False, created_at=clock(),
        ended_at=clock(), end_reason=ConsultationEnd.FINISHED, outcome="带上合同到司法所。",
    )  # fmt: skip
    async with database.transaction() as session:
        session.add(service)
        await session.flush()
        session.add(asked)
    (notice,) = await notices.of(resident)
    assert (notice.kind, notice.title, notice.text) == (
        NoticeKind.CONSULTATION_ANSWERED, "法律咨询", "带上合同到司法所。",
    )  # fmt: skip
    assert await notices.of(other) == []
    clock.advance(NEWS)
    assert await notices.of(resident) == []


async def test_what_was_looked_at_is_so_on_every_device_and_what_comes_later_is_not(
    notices: Notices, actor: Actor, missed: Recording, member: Member, make_meeting: MakeMeeting, records: Records,
    tree: Tree, clock: FakeClock,
) -> None:  # fmt: skip
    (notice,) = await notices.of(actor)
    assert not notice.seen
    shown = notice.at.replace(microsecond=notice.at.microsecond // 1000 * 1000)  # as the interface tells it
    await notices.see(actor, shown)
    assert [(one.subject_id, one.seen) for one in await notices.of(actor)] == [(missed.id, True)]
    clock.advance(1)
    meeting = await make_meeting(state=MeetingState.SCHEDULED, invited=(member.id,), starts_in=DAY)
    await notices.see(actor, shown - DAY)
    assert {one.subject_id: one.seen for one in await notices.of(actor)} == {
        missed.id: True,
        meeting.id: False,
    }
    other = await records.actor(member=await records.member(tree.branch))
    await notices.see(other, clock())
    assert not all(one.seen for one in await notices.of(actor)), "another's look is not one's own"


async def test_nobody_has_seen_what_is_yet_to_come(
    notices: Notices, actor: Actor, member: Member, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    await notices.see(actor, clock() + 365 * DAY)
    clock.advance(1)
    await make_meeting(state=MeetingState.SCHEDULED, invited=(member.id,), starts_in=DAY)
    (notice,) = await notices.of(actor)
    assert not notice.seen


async def test_what_ends_first_comes_first(
    database: Database, notices: Notices, actor: Actor, member: Member, missed: Recording, make_meeting: MakeMeeting,
    clock: FakeClock,
) -> None:  # fmt: skip
    meetings = [await make_meeting(state=MeetingState.SCHEDULED, invited=(member.id,)) for _ in range(2)]
    async with database.transaction() as session:
        for days, meeting in zip((5, 2), meetings, strict=True):
            row = await session.get_one(Meeting, meeting.id)
            row.starts_at = clock() + days * DAY
    assert [subject for _, subject in told(await notices.of(actor))] == [
        meetings[1].id, meetings[0].id, missed.id,
    ]  # fmt: skip
