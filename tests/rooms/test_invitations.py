"""Who is invited to a meeting: by its kind, by hand, by signing up; leave; the list that is fixed at the start."""

import pytest

from rooms.live.commands import Role
from rooms.meetings.requests import Invite, MeetingsFilter, UpdateMeeting
from rooms.meetings.states import InvitationOrigin, LeaveState, MeetingKind
from rooms.meetings.views import MeetingView
from tests.factories import FakeClock, Records
from tests.rooms.conftest import ALL, Branch, Services, code_of, invited_names, request
from tests.statements import statements


async def test_members_with_a_vote_are_the_full_ones(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    page = await services.meetings.invitations(branch.secretary, meeting.id, ALL)
    assert {invitation.name for invitation in page.items if not invitation.vote} == {"赵敏"}
    flowing = next(invitation for invitation in page.items if invitation.name == "周游")
    assert flowing.organization_name == "河西社区党支部"


@pytest.mark.parametrize(
    ("kind", "place", "expected"),
    [
        (MeetingKind.GENERAL_MEETING, "branch", ["周游", "李强", "王芳", "赵敏", "陈书记"]),
        (MeetingKind.COMMITTEE_MEETING, "branch", ["王芳", "陈书记"]),
        (MeetingKind.GROUP_MEETING, "group", ["李强", "王芳"]),
        (MeetingKind.GROUP_MEETING, "branch", ["李强", "王芳", "赵敏", "陈书记"]),
        (MeetingKind.THEME_DAY, "group", ["李强", "王芳"]),
        (MeetingKind.FAMILY_VISIT, "branch", []),
        (MeetingKind.WORK_MEETING, "committee", ["吴邻", "周游", "李强", "王芳", "赵敏", "陈书记"]),
        (MeetingKind.OPEN_LIFE, "branch", ["周游", "李强", "王芳", "赵敏", "陈书记"]),
    ],
)
async def test_each_kind_invites_its_own(
    services: Services, branch: Branch, clock: FakeClock, kind: MeetingKind, place: str, expected: list[str]
) -> None:
    organization = getattr(branch.tree, place)
    actor = branch.committee if place == "committee" else branch.secretary
    meeting = await services.meetings.schedule(
        actor, request(branch, clock.now, kind, organization_id=organization.id)
    )
    page = await services.meetings.invitations(actor, meeting.id, ALL)
    assert sorted(invitation.name for invitation in page.items) == sorted(expected)


async def test_a_lecture_takes_further_organizations_and_counts_nobody_twice(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    further = (branch.tree.sibling.id, branch.tree.branch.id, branch.tree.cousin.id)
    asked = request(branch, clock.now, MeetingKind.LECTURE, organization_ids=further)
    meeting = await services.meetings.schedule(branch.district, asked)
    page = await services.meetings.invitations(branch.district, meeting.id, ALL)
    assert sorted(each.name for each in page.items) == sorted(
        ["陈书记", "王芳", "李强", "赵敏", "周游", "吴邻"]
    )


async def test_a_branch_cannot_summon_the_organizations_above_it(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    above = request(branch, clock.now, MeetingKind.LECTURE, organization_ids=(branch.tree.department.id,))
    assert await code_of(services.meetings.schedule(branch.secretary, above)) == "forbidden"


async def test_a_family_visit_is_for_the_named_is_never_recorded_and_superiors_do_not_see_it(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    flowing = branch.registered[3].id
    asked = request(branch, clock.now, MeetingKind.FAMILY_VISIT, member_ids=(flowing,))
    meeting = await services.meetings.schedule(branch.secretary, asked)
    assert await invited_names(services, branch, meeting.id) == ["周游"]
    recorded = request(branch, clock.now, MeetingKind.FAMILY_VISIT, member_ids=(flowing,), record=True)
    assert await code_of(services.meetings.schedule(branch.secretary, recorded)) == "kind_is_never_recorded"
    changes = UpdateMeeting(record=True)
    assert (
        await code_of(services.meetings.update(branch.secretary, meeting.id, changes))
        == "kind_is_never_recorded"
    )
    for superior in (branch.district, branch.committee):
        assert await code_of(services.meetings.get(superior, meeting.id)) == "meeting_not_found"
        assert (await services.meetings.list(superior, MeetingsFilter(), ALL)).items == []
    assert (await services.meetings.get(branch.members[3], meeting.id)).my_role is Role.PARTICIPANT


async def test_inviting_and_striking_by_hand(
    services: Services, branch: Branch, meeting: MeetingView, records: Records
) -> None:
    newcomer = await records.member(branch.tree.branch, "新来")
    invites = (Invite(branch.registered[0].id, Role.OBSERVER), Invite(newcomer.id, Role.HOST))
    assert await services.meetings.invite(branch.secretary, meeting.id, invites) == 5
    await services.meetings.uninvite(branch.secretary, meeting.id, branch.registered[1].id)
    page = await services.meetings.invitations(branch.secretary, meeting.id, ALL)
    found = {each.name: (each.role, each.vote, each.origin) for each in page.items}
    assert found == {
        "陈书记": (Role.PARTICIPANT, True, InvitationOrigin.RULE),
        "王芳": (Role.OBSERVER, False, InvitationOrigin.HAND),
        "赵敏": (Role.PARTICIPANT, False, InvitationOrigin.RULE),
        "周游": (Role.PARTICIPANT, True, InvitationOrigin.RULE),
        "新来": (Role.HOST, True, InvitationOrigin.HAND),
    }
    assert await code_of(services.meetings.get(branch.members[1], meeting.id)) == "meeting_not_found"
    host = await records.actor(member=newcomer)
    assert (await services.meetings.get(host, meeting.id)).my_role is Role.HOST
    stranger = (Invite(branch.neighbour.member_id or ""),)
    assert await code_of(services.meetings.invite(branch.secretary, meeting.id, stranger)) == "not_found"
    assert (
        await code_of(
            services.meetings.uninvite(branch.secretary, meeting.id, branch.neighbour.member_id or "")
        )
        == "invitation_not_found"
    )
    await services.meetings.invite(branch.secretary, meeting.id, (Invite(branch.registered[1].id),))
    assert (await services.meetings.get(branch.members[1], meeting.id)).expected_count == 5


async def test_the_list_follows_the_register_until_the_start_and_is_fixed_then(
    services: Services, branch: Branch, meeting: MeetingView, records: Records, clock: FakeClock
) -> None:
    await services.meetings.uninvite(branch.secretary, meeting.id, branch.registered[0].id)
    await records.member(branch.tree.branch, "转入")
    async with services.database.transaction() as session:
        moved = await session.get(type(branch.registered[1]), branch.registered[1].id)
        assert moved is not None
        moved.organization_id = branch.tree.sibling.id
    started = await services.live.start_meeting(branch.secretary, meeting.id)
    expected = sorted(["陈书记", "赵敏", "周游", "转入"])
    assert await invited_names(services, branch, meeting.id) == expected
    assert started.expected_count == 4
    await records.member(branch.tree.branch, "迟来")
    clock.advance(60)
    page = await services.attendance.list(branch.secretary, meeting.id, ALL)
    assert sorted(row.name for row in page.items) == expected


async def test_signing_up_for_an_open_meeting(
    services: Services, branch: Branch, clock: FakeClock, meeting: MeetingView
) -> None:
    opened = await services.meetings.schedule(
        branch.secretary, request(branch, clock.now, MeetingKind.OPEN_LIFE)
    )
    assert (await services.meetings.get(branch.neighbour, opened.id)).my_role is None
    for _ in range(2):
        signed = await services.meetings.sign_up(branch.neighbour, opened.id)
        assert (signed.my_role, signed.expected_count) == (Role.PARTICIPANT, 6)
    assert await code_of(services.meetings.sign_up(branch.members[0], meeting.id)) == "sign_up_not_possible"
    assert await code_of(services.meetings.sign_up(branch.resident, opened.id)) == "meeting_not_found"


async def test_leave_is_asked_decided_and_decided_anew(
    services: Services, branch: Branch, meeting: MeetingView, clock: FakeClock
) -> None:
    member = branch.members[0]
    member_id = member.member_id or ""
    meetings = services.meetings
    asked = await meetings.ask_leave(member, meeting.id, "出差")
    assert (asked.state, asked.reason, asked.name) == (LeaveState.ASKED, "出差", "王芳")
    clock.advance(60)
    granted = await meetings.decide_leave(branch.secretary, meeting.id, member_id, granted=True)
    assert (granted.state, granted.decided_at) == (LeaveState.GRANTED, clock.now)
    refused = await meetings.decide_leave(branch.secretary, meeting.id, member_id, granted=False)
    assert refused.state is LeaveState.REFUSED
    again = await meetings.ask_leave(member, meeting.id, "生病")
    assert (again.state, again.decided_at) == (LeaveState.ASKED, None)
    await meetings.ask_leave(branch.members[1], meeting.id, "探亲")
    everybody = await meetings.leave_requests(branch.secretary, meeting.id, ALL)
    assert {view.name for view in everybody.items} == {"王芳", "李强"}
    own = await meetings.leave_requests(member, meeting.id, ALL)
    assert [view.name for view in own.items] == ["王芳"]
    page = await meetings.invitations(branch.secretary, meeting.id, ALL)
    assert {each.name: each.leave.state for each in page.items if each.leave} == {
        "王芳": LeaveState.ASKED,
        "李强": LeaveState.ASKED,
    }


async def test_who_may_not_ask_or_decide(services: Services, branch: Branch, meeting: MeetingView) -> None:
    meetings, member = services.meetings, branch.members[0]
    member_id = member.member_id or ""
    assert await code_of(meetings.ask_leave(branch.district, meeting.id, "不是党员")) == "forbidden"
    assert await code_of(meetings.ask_leave(branch.neighbour, meeting.id, "未受邀")) == "meeting_not_found"
    assert await code_of(meetings.ask_leave(member, meeting.id, " ")) == "invalid_reason"
    decide = meetings.decide_leave(branch.secretary, meeting.id, member_id, granted=True)
    assert await code_of(decide) == "leave_request_not_found"
    await meetings.ask_leave(member, meeting.id, "出差")
    decide = meetings.decide_leave(member, meeting.id, member_id, granted=True)
    assert await code_of(decide) == "forbidden"
    await services.live.start_meeting(branch.secretary, meeting.id)
    assert await code_of(meetings.ask_leave(member, meeting.id, "晚了")) == "meeting_in_wrong_state"


async def test_scheduling_for_more_people_takes_no_more_queries(
    services: Services, branch: Branch, clock: FakeClock, records: Records
) -> None:
    counts = []
    for expected in (6, 46):
        asked = request(
            branch, clock.now, MeetingKind.WORK_MEETING, organization_id=branch.tree.department.id
        )
        with statements(services.database) as counted:
            view = await services.meetings.schedule(branch.district, asked)
        assert view.expected_count == expected
        counts.append(len(counted))
        for number in range(40):
            await records.member(branch.tree.cousin, f"党员{number:02}")
    assert counts[0] == counts[1]


async def test_each_further_organization_takes_one_query(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    tree, counts = branch.tree, []
    for further in ((tree.sibling.id,), (tree.sibling.id, tree.cousin.id, tree.committee.id)):
        asked = request(branch, clock.now, MeetingKind.LECTURE, organization_ids=further)
        with statements(services.database) as counted:
            await services.meetings.schedule(branch.district, asked)
        counts.append(len(counted))
    assert counts[1] - counts[0] == 2, "for its members"
