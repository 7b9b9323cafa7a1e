"""Attendance through the service: expected, measured, judged, corrected, made up, and on the cards."""

from datetime import timedelta

import pytest

from database import PageRequest
from errors import Kind, Problem
from members.cards import CardEntryKind
from members.policy import Actor
from rooms.attendance import records as attendance_records
from rooms.attendance.judgement import prevailing
from rooms.attendance.rules import AttendanceState
from rooms.attendance.views import AttendanceRow, AttendanceSummary
from rooms.live.commands import EndMeeting, Leave, Role
from rooms.meetings.requests import Invite
from rooms.meetings.states import MeetingKind
from rooms.meetings.views import MeetingView
from tests.factories import FakeClock, Records
from tests.rooms.conftest import Branch, Services, code_of, request
from tests.statements import statements

ALL = PageRequest(200)
MINUTE = 60
STEP = 5 * MINUTE


async def rows(services: Services, branch: Branch, meeting_id: str) -> dict[str, AttendanceRow]:
    page = await services.attendance.list(branch.secretary, meeting_id, ALL)
    return {row.name: row for row in page.items}


async def held(services: Services, branch: Branch, live: MeetingView) -> MeetingView:
    """An hour in which everybody does something else.

    陈书记 is there throughout; 王芳 until minute 30; 李强 from minute 20 on; 赵敏 had leave; 周游 never came;
    the district's officer looked in for ten minutes.
    """
    host = await services.enter(branch.secretary, live.id)
    wang = await services.enter(branch.members[0], live.id)
    await services.pass_time(20 * MINUTE, step=STEP)
    await services.enter(branch.members[1], live.id)
    guest = await services.enter(branch.district, live.id)
    await services.pass_time(10 * MINUTE, step=STEP)
    await services.live.handle(live.id, Leave(wang.peer_id))
    await services.live.handle(live.id, Leave(guest.peer_id))
    await services.pass_time(30 * MINUTE, step=STEP)
    await services.live.handle(live.id, EndMeeting(host.peer_id))
    return await services.meetings.get(branch.secretary, live.id)


@pytest.fixture
async def ended(services: Services, branch: Branch, meeting: MeetingView, clock: FakeClock) -> MeetingView:
    await services.meetings.ask_leave(branch.members[2], meeting.id, "出差")
    member_id = branch.members[2].member_id or ""
    await services.meetings.decide_leave(branch.secretary, meeting.id, member_id, granted=True)
    clock.now = meeting.starts_at
    live = await services.live.start_meeting(branch.secretary, meeting.id)
    return await held(services, branch, live)


async def test_everybody_expected_or_present_has_one_row_with_the_state_that_follows(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    found = await rows(services, branch, ended.id)
    assert {name: (row.state, row.seconds_present, row.expected) for name, row in found.items()} == {
        "陈书记": (AttendanceState.PRESENT, 3600, True),
        "王芳": (AttendanceState.LEFT_EARLY, 1800, True),
        "李强": (AttendanceState.LATE, 2400, True),
        "赵敏": (AttendanceState.EXCUSED, 0, True),
        "周游": (AttendanceState.ABSENT, 0, True),
        branch.district.name: (AttendanceState.PRESENT, 600, False),
    }
    assert ended.started_at is not None
    assert found["李强"].first_seen_at == ended.started_at + timedelta(minutes=20)
    assert found["王芳"].last_seen_at == ended.started_at + timedelta(minutes=30)
    assert found[branch.district.name].member_id is None


async def test_the_summary_counts_the_expected_and_the_list_is_final(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    page = await services.attendance.list(branch.secretary, ended.id, PageRequest(2))
    assert page.final
    assert page.summary == AttendanceSummary(expected=5, present=1, late=1, left_early=1, excused=1, absent=1)
    seen = [row.name for row in page.items]
    while page.next_cursor is not None:
        page = await services.attendance.list(branch.secretary, ended.id, PageRequest(2, page.next_cursor))
        seen += [row.name for row in page.items]
    assert len(seen) == len(set(seen)) == 6
    assert seen[-1] == branch.district.name, "the expected come first"


async def test_who_attended_has_it_on_the_card_and_nobody_else(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    for actor, state, seconds in (
        (branch.secretary, "present", 3600),
        (branch.members[0], "left_early", 1800),
        (branch.members[1], "late", 2400),
    ):
        (entry,) = (await services.cards.list(actor, actor.member_id or "")).items
        assert entry.kind is CardEntryKind.MEETING_ATTENDED
        assert (entry.duration_seconds, entry.title, entry.organization_name) == (
            seconds,
            "十一月主题党日",
            "东湖村党支部",
        )
        assert (entry.source, entry.reference, entry.occurred_at) == ("meeting", ended.id, ended.started_at)
        assert entry.details == {"kind": "theme_day", "state": state, "expected": True}
    for actor in branch.members[2:]:
        assert (await services.cards.list(actor, actor.member_id or "")).items == []
    assert (await services.cards.verify()).broken == ()


async def test_ending_twice_writes_each_card_once(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    await services.live.end_meeting(branch.secretary, ended.id)
    assert len((await services.cards.list(branch.secretary, branch.secretary.member_id or "")).items) == 1


async def test_while_it_is_live_the_list_says_how_it_stands_now(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.enter(branch.secretary, live.id)
    await services.enter(branch.district, live.id)
    await services.pass_time(8)
    page = await services.attendance.list(branch.secretary, live.id, ALL)
    assert not page.final
    assert page.summary == AttendanceSummary(expected=5, present=1, absent=4)
    found = {row.name: row for row in page.items}
    assert found["陈书记"].seconds_present == 8, "up to now, not to the last heartbeat"
    assert (found[branch.district.name].expected, found[branch.district.name].seconds_present) == (False, 8)
    assert len(page.items) == 6
    first = await services.attendance.list(branch.secretary, live.id, PageRequest(3))
    rest = await services.attendance.list(branch.secretary, live.id, PageRequest(3, first.next_cursor))
    assert [row.name for row in first.items + rest.items] == [row.name for row in page.items]


async def test_before_the_start_it_says_only_how_many_are_expected(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    page = await services.attendance.list(branch.secretary, meeting.id, ALL)
    assert (page.items, page.summary, page.final) == ([], AttendanceSummary(expected=5), False)


async def test_members_see_their_own_row_and_strangers_nothing(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    page = await services.attendance.list(branch.members[1], ended.id, ALL)
    assert [row.name for row in page.items] == ["李强"]
    assert page.summary == AttendanceSummary(expected=1, late=1)
    assert len((await services.attendance.list(branch.committee, ended.id, ALL)).items) == 6
    assert await code_of(services.attendance.list(branch.neighbour, ended.id, ALL)) == "meeting_not_found"


async def test_ones_own_row_while_it_is_live(services: Services, branch: Branch, live: MeetingView) -> None:
    await services.enter(branch.members[0], live.id)
    await services.pass_time(5)
    page = await services.attendance.list(branch.members[0], live.id, ALL)
    assert [(row.name, row.seconds_present) for row in page.items] == [("王芳", 5)]
    assert not page.final


async def test_a_correction_stands_beside_what_was_measured_and_on_the_card(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    member = branch.members[0]
    corrected = await services.attendance.correct(
        branch.secretary, ended.id, member.member_id or "", AttendanceState.PRESENT, "手机没电，借同事的听完"
    )
    assert (corrected.state, corrected.seconds_present) == (AttendanceState.LEFT_EARLY, 1800)
    assert corrected.correction is not None
    assert corrected.correction.state is AttendanceState.PRESENT
    assert corrected.correction.reason == "手机没电，借同事的听完"
    page = await services.attendance.list(branch.secretary, ended.id, ALL)
    assert (page.summary.present, page.summary.left_early) == (2, 0)
    correction, attended = (await services.cards.list(member, member.member_id or "")).items
    assert (correction.kind, correction.refers_to) == (CardEntryKind.CORRECTION, attended.id)
    assert correction.written_by == branch.secretary.account_id
    assert correction.details == {
        "kind": "theme_day",
        "state": "present",
        "before": "left_early",
        "reason": "手机没电，借同事的听完",
    }
    await services.attendance.correct(
        branch.secretary, ended.id, member.member_id or "", AttendanceState.EXCUSED, "更正"
    )
    entries = (await services.cards.list(member, member.member_id or "")).items
    assert [entry.details["before"] for entry in entries[:2]] == ["present", "left_early"]
    assert (await services.cards.verify()).broken == ()


async def test_the_absent_can_be_corrected_too_without_an_entry_to_refer_to(
    services: Services, branch: Branch, ended: MeetingView
) -> None:
    flowing = branch.members[3]
    await services.attendance.correct(
        branch.secretary, ended.id, flowing.member_id or "", AttendanceState.PRESENT, "在现场"
    )
    (entry,) = (await services.cards.list(flowing, flowing.member_id or "")).items
    assert (entry.kind, entry.refers_to) == (CardEntryKind.CORRECTION, None)


async def test_what_cannot_be_corrected(
    services: Services, branch: Branch, ended: MeetingView, clock: FakeClock
) -> None:
    member_id = branch.members[0].member_id or ""

    async def correct(
        who: Actor, meeting_id: str = ended.id, member: str = member_id, **changes: object
    ) -> object:
        given: dict[str, object] = {"state": AttendanceState.PRESENT, "reason": "更正"} | changes
        return await services.attendance.correct(who, meeting_id, member, **given)  # type: ignore[arg-type]

    assert await code_of(correct(branch.members[0])) == "forbidden"
    assert await code_of(correct(branch.committee)) == "forbidden"
    assert await code_of(correct(branch.neighbour)) == "meeting_not_found"
    assert await code_of(correct(branch.secretary, reason=" ")) == "invalid_reason"
    assert await code_of(correct(branch.secretary, reason="长" * 501)) == "invalid_reason"
    assert await code_of(correct(branch.secretary, state=AttendanceState.MADE_UP)) == "invalid_correction"
    neighbour = branch.neighbour.member_id or ""
    assert await code_of(correct(branch.secretary, member=neighbour)) == "attendance_not_found"
    scheduled = await services.meetings.schedule(branch.secretary, request(branch, clock.now))
    assert await code_of(correct(branch.secretary, scheduled.id)) == "meeting_in_wrong_state"


@pytest.mark.parametrize(
    ("name", "changes"), [("陈书记", False), ("王芳", True), ("李强", False), ("赵敏", True), ("周游", True)]
)
async def test_watching_the_recording_makes_up_for_absence_and_for_nothing_else(
    services: Services, branch: Branch, ended: MeetingView, name: str, *, changes: bool
) -> None:
    before = (await rows(services, branch, ended.id))[name]
    member_id = before.member_id or ""
    assert await services.attendance.made_up([member_id], ended.id, "recording") == (
        {member_id} if changes else set()
    )
    assert await services.attendance.made_up([member_id], ended.id, "recording") == set(), "once"
    after = (await rows(services, branch, ended.id))[name]
    assert (after.state is AttendanceState.MADE_UP) is changes
    assert after.seconds_present == before.seconds_present
    page = await services.attendance.list(branch.secretary, ended.id, ALL)
    assert page.summary.made_up == changes
    assert page.summary.expected == 5


async def test_nobody_else_can_make_up(services: Services, branch: Branch, ended: MeetingView) -> None:
    made_up = services.attendance.made_up
    assert await made_up([branch.neighbour.member_id or ""], ended.id, "recording") == set()
    assert await made_up([branch.members[0].member_id or ""], "no meeting", "recording") == set()


async def test_of_a_correction_and_a_making_up_the_later_prevails(
    services: Services, branch: Branch, ended: MeetingView, clock: FakeClock
) -> None:
    member_id = branch.members[3].member_id or ""

    async def stands() -> tuple[AttendanceState, AttendanceState | None, int]:
        page = await services.attendance.list(branch.secretary, ended.id, ALL)
        row = next(row for row in page.items if row.member_id == member_id)
        return row.state, row.correction.state if row.correction else None, page.summary.made_up

    async def correct(state: AttendanceState) -> None:
        clock.advance(60)
        await services.attendance.correct(branch.secretary, ended.id, member_id, state, "核实")

    await correct(AttendanceState.EXCUSED)
    clock.advance(60)
    assert await services.attendance.made_up([member_id], ended.id, "recording")
    assert await stands() == (AttendanceState.MADE_UP, None, 1)
    await correct(AttendanceState.ABSENT)
    assert await stands() == (AttendanceState.MADE_UP, AttendanceState.ABSENT, 0)
    await correct(AttendanceState.MADE_UP)
    assert await stands() == (AttendanceState.MADE_UP, None, 1), "and is taken back"


@pytest.mark.parametrize("ahead", ["correction", "making up"])
async def test_what_is_said_later_prevails_though_what_was_said_before_came_of_a_clock_ahead(
    services: Services, branch: Branch, ended: MeetingView, clock: FakeClock, ahead: str
) -> None:
    member_id, right = branch.members[3].member_id or "", clock()

    async def correct() -> None:
        state = AttendanceState.ABSENT
        await services.attendance.correct(branch.secretary, ended.id, member_id, state, "核实")

    async def make_up() -> None:
        assert await services.attendance.made_up([member_id], ended.id, "recording") == {member_id}

    first, then = (correct, make_up) if ahead == "correction" else (make_up, correct)
    clock.advance(86_400)
    await first()
    clock.now = right
    await then()
    page = await services.attendance.list(branch.secretary, ended.id, ALL)
    assert page.summary.made_up == (ahead == "correction")


async def test_observers_are_not_expected_and_are_listed_when_they_come(
    services: Services, branch: Branch, meeting: MeetingView, clock: FakeClock
) -> None:
    observer = Invite(branch.registered[0].id, Role.OBSERVER)
    await services.meetings.invite(branch.secretary, meeting.id, (observer,))
    clock.now = meeting.starts_at
    host = await services.enter(branch.secretary, meeting.id)
    assert (await services.enter(branch.members[0], meeting.id)).role is Role.OBSERVER
    await services.pass_time(60)
    await services.live.handle(meeting.id, EndMeeting(host.peer_id))
    found = await rows(services, branch, meeting.id)
    assert (found["王芳"].expected, found["王芳"].state) == (False, AttendanceState.PRESENT)
    (entry,) = (await services.cards.list(branch.members[0], branch.members[0].member_id or "")).items
    assert entry.details["expected"] is False


async def test_a_private_meeting_leaves_nothing_on_the_card(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    flowing = branch.members[3]
    asked = request(branch, clock.now, MeetingKind.FAMILY_VISIT, member_ids=(flowing.member_id,))
    visit = await services.meetings.schedule(branch.secretary, asked)
    host = await services.enter(branch.secretary, visit.id)
    await services.enter(flowing, visit.id)
    await services.pass_time(60)
    await services.live.handle(visit.id, EndMeeting(host.peer_id))
    assert (await services.cards.list(flowing, flowing.member_id or "")).items == []


async def test_the_meetings_own_thresholds_count(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    asked = request(branch, clock.now, present_share=0.4, late_after=timedelta(minutes=30))
    meeting = await services.meetings.schedule(branch.secretary, asked)
    clock.now = meeting.starts_at
    ended = await held(services, branch, await services.live.start_meeting(branch.secretary, meeting.id))
    found = await rows(services, branch, ended.id)
    assert found["王芳"].state is AttendanceState.PRESENT
    assert found["李强"].state is AttendanceState.PRESENT


async def test_a_crash_within_the_end_leaves_nothing_half(
    services: Services, branch: Branch, live: MeetingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cards are the last thing written; whatever fails there takes the whole end back with it."""
    await services.enter(branch.secretary, live.id)
    await services.pass_time(60)
    original = services.cards.append_all

    async def written_and_killed(*given: object) -> None:
        await original(*given)  # type: ignore[arg-type]
        raise Problem(Kind.UNAVAILABLE, "database_unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(services.cards, "append_all", written_and_killed)
        assert await code_of(services.live.end_meeting(branch.secretary, live.id)) == "database_unavailable"
    assert (await services.cards.list(branch.secretary, branch.secretary.member_id or "")).items == []
    revived = await services.killed()
    try:
        await revived.live.end_meeting(branch.secretary, live.id)
        assert len((await services.cards.list(branch.secretary, branch.secretary.member_id or "")).items) == 1
    finally:
        await revived.stop()


async def test_the_end_of_a_larger_meeting_takes_no_more_statements(
    services: Services, branch: Branch, clock: FakeClock, records: Records
) -> None:
    counts = []
    for newcomers in (0, 20):
        for number in range(newcomers):
            await records.member(branch.tree.branch, f"新{number:02}")
        meeting = await services.meetings.schedule(branch.secretary, request(branch, clock.now))
        await services.enter(branch.secretary, meeting.id)
        for member in branch.members:
            await services.enter(member, meeting.id)
        await services.pass_time(60)
        with statements(services.database) as seen:
            await services.live.end_meeting(branch.secretary, meeting.id)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_the_summary_in_sql_is_the_rule_in_python(
    services: Services, branch: Branch, ended: MeetingView, clock: FakeClock
) -> None:

    for member, state in zip(branch.members, AttendanceState, strict=False):
        clock.advance(1)
        await services.attendance.made_up([member.member_id or ""], ended.id, "recording")
        if state is not AttendanceState.MADE_UP:
            clock.advance(1)
            await services.attendance.correct(
                branch.secretary, ended.id, member.member_id or "", state, "核实"
            )
        clock.advance(1)
        await services.attendance.made_up([member.member_id or ""], ended.id, "recording")
    async with services.database.reading() as session:
        counted = await attendance_records.totals(session, ended.id)
        everybody = await attendance_records.rows(session, ended.id)
    expected: dict[AttendanceState | None, int] = {}
    for row in everybody:
        if row.expected:
            expected[prevailing(row)] = expected.get(prevailing(row), 0) + 1
    assert counted == expected
