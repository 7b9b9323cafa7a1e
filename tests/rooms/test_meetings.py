"""Meetings in the records: scheduled, changed, cancelled, seen and listed."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from database import PageRequest
from errors import Problem
from rooms.live.commands import Role
from rooms.meetings.requests import MeetingsFilter, UpdateMeeting
from rooms.meetings.states import MeetingKind, MeetingState
from rooms.meetings.views import MeetingView
from tests.factories import FakeClock, Records
from tests.rooms.conftest import ALL, Branch, Services, code_of, invited_names, request
from tests.statements import statements


async def test_a_secretary_schedules_and_the_branch_with_its_guests_is_invited(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    assert meeting.state is MeetingState.SCHEDULED
    assert meeting.organization_name == "东湖村党支部"
    assert meeting.timezone == "Asia/Shanghai"
    assert meeting.expected_count == 5
    assert (meeting.my_role, meeting.can_join, meeting.can_manage) == (Role.HOST, True, True)
    assert await invited_names(services, branch, meeting.id) == sorted(
        ["陈书记", "王芳", "李强", "赵敏", "周游"]
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": "  "}, "invalid_title"),
        ({"title": "长" * 201}, "invalid_title"),
        ({"agenda": "长" * 10_001}, "invalid_agenda"),
        ({"timezone": "Asia/Nowhere"}, "invalid_timezone"),
        ({"timezone": "../etc/passwd"}, "invalid_timezone"),
        ({"present_share": 0.0}, "invalid_threshold"),
        ({"present_share": float("nan")}, "invalid_threshold"),
        ({"late_after": timedelta(seconds=-1)}, "invalid_threshold"),
        ({"organization_ids": ("x",)}, "kind_takes_no_organizations"),
        ({"kind": MeetingKind.LECTURE, "organization_ids": ("x",)}, "not_found"),
        ({"member_ids": ("x",)}, "not_found"),
        ({"member_ids": tuple(str(number) for number in range(1001))}, "too_many_named"),
        ({"organization_id": "x"}, "not_found"),
    ],
)
async def test_what_cannot_be_scheduled(
    services: Services, branch: Branch, clock: FakeClock, changes: dict[str, object], code: str
) -> None:
    asked = request(branch, clock.now, **{"kind": MeetingKind.THEME_DAY} | changes)  # type: ignore[arg-type]
    assert await code_of(services.meetings.schedule(branch.secretary, asked)) == code
    assert (await services.meetings.list(branch.secretary, MeetingsFilter(), ALL)).items == []


async def test_a_committee_holds_no_group_meeting(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    above = request(branch, clock.now, MeetingKind.GROUP_MEETING, organization_id=branch.tree.committee.id)
    assert await code_of(services.meetings.schedule(branch.district, above)) == "kind_not_for_organization"


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("starts", "ends", "problem"),
    [
        (HOUR, HOUR, "not_after_start"),
        (2 * HOUR, HOUR, "not_after_start"),
        (HOUR, 26 * HOUR, "too_long"),
        (-25 * HOUR, -24 * HOUR, "in_the_past"),
        (401 * 24 * HOUR, 401 * 24 * HOUR + HOUR, "too_far_ahead"),
    ],
)
async def test_times_that_cannot_be(
    services: Services, branch: Branch, clock: FakeClock, starts: timedelta, ends: timedelta, problem: str
) -> None:
    asked = request(branch, clock.now, starts_at=clock.now + starts, ends_at=clock.now + ends)
    with pytest.raises(Problem, match="invalid_meeting_time") as refusal:
        await services.meetings.schedule(branch.secretary, asked)
    assert refusal.value.details["problem"] == problem


async def test_a_naive_time_is_refused(services: Services, branch: Branch, clock: FakeClock) -> None:
    naive = clock.now.replace(tzinfo=None)
    asked = request(branch, clock.now, starts_at=naive + HOUR, ends_at=naive + 2 * HOUR)
    assert await code_of(services.meetings.schedule(branch.secretary, asked)) == "invalid_meeting_time"


async def test_only_officers_of_the_organization_or_above_schedule(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    asked = request(branch, clock.now)
    assert await code_of(services.meetings.schedule(branch.members[0], asked)) == "forbidden"
    assert await code_of(services.meetings.schedule(branch.neighbour, asked)) == "not_found"
    assert (await services.meetings.schedule(branch.committee, asked)).can_manage


async def test_who_sees_a_meeting_in_which_role(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    roles = [
        (branch.secretary, Role.HOST),
        *((member, Role.PARTICIPANT) for member in branch.members),
        (branch.committee, Role.OBSERVER),
        (branch.district, Role.OBSERVER),
    ]
    for actor, role in roles:
        assert (await services.meetings.get(actor, meeting.id)).my_role is role
    for stranger in (branch.neighbour, branch.resident):
        assert await code_of(services.meetings.get(stranger, meeting.id)) == "meeting_not_found"
    assert await code_of(services.meetings.get(branch.secretary, "no such meeting")) == "meeting_not_found"


async def test_lists_show_exactly_what_the_policy_lets_one_see(
    services: Services, branch: Branch, clock: FakeClock, records: Records
) -> None:
    tree = branch.tree
    cousin_secretary = await records.actor()
    kinds = [
        (MeetingKind.THEME_DAY, tree.branch),
        (MeetingKind.COMMITTEE_MEETING, tree.branch),
        (MeetingKind.GROUP_MEETING, tree.group),
        (MeetingKind.OPEN_LIFE, tree.cousin),
        (MeetingKind.WORK_MEETING, tree.department),
        (MeetingKind.THEME_DAY, tree.cousin),
        (MeetingKind.THEME_DAY, tree.sibling),
        (MeetingKind.FAMILY_VISIT, tree.branch),
    ]
    made = []
    for kind, organization in kinds:
        asked = request(
            branch,
            clock.now,
            kind,
            organization_id=organization.id,
            member_ids=(branch.registered[1].id,) if kind is MeetingKind.FAMILY_VISIT else (),
        )
        made.append((await services.meetings.schedule(branch.district, asked)).id)
    await services.meetings.uninvite(branch.district, made[0], branch.registered[0].id)
    actors = [
        branch.secretary,
        *branch.members,
        branch.district,
        branch.committee,
        branch.neighbour,
        branch.resident,
        cousin_secretary,
        replace(branch.district, roles=()),  # who organized them all, before he left the office
        replace(branch.district, roles=branch.secretary.roles),
    ]
    for actor in actors:
        listed = {view.id for view in (await services.meetings.list(actor, MeetingsFilter(), ALL)).items}
        seen = set()
        for meeting_id in made:
            with suppress(Problem):
                seen.add((await services.meetings.get(actor, meeting_id)).id)
        assert listed == seen


async def test_lists_are_cut_by_time_and_by_organization_and_paged(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    now = clock.now
    ids = []
    for hours in (1, 3, 5, 30):
        asked = request(
            branch, now, starts_at=now + timedelta(hours=hours), ends_at=now + timedelta(hours=hours + 1)
        )
        ids.append((await services.meetings.schedule(branch.secretary, asked)).id)

    async def listed(wanted: MeetingsFilter) -> list[str]:
        return [view.id for view in (await services.meetings.list(branch.secretary, wanted, ALL)).items]

    assert await listed(MeetingsFilter()) == ids
    assert await listed(MeetingsFilter(newest_first=True)) == ids[::-1]
    assert await listed(MeetingsFilter(from_=now + timedelta(hours=3.5))) == ids[1:]
    assert await listed(MeetingsFilter(to=now + timedelta(hours=5))) == ids[:2]
    assert await listed(MeetingsFilter(organization_id=branch.tree.group.id)) == []
    assert await listed(MeetingsFilter(organization_id=branch.tree.committee.id)) == ids
    assert await code_of(listed(MeetingsFilter(organization_id=branch.tree.cousin.id))) == "not_found"
    first = await services.meetings.list(branch.secretary, MeetingsFilter(), PageRequest(3))
    rest = await services.meetings.list(branch.secretary, MeetingsFilter(), PageRequest(3, first.next_cursor))
    assert [view.id for view in first.items + rest.items] == ids
    assert rest.next_cursor is None


async def test_what_is_live_belongs_to_now_however_late(
    services: Services, branch: Branch, live: MeetingView, clock: FakeClock
) -> None:
    clock.now = live.ends_at + timedelta(hours=3)
    page = await services.meetings.list(branch.members[0], MeetingsFilter(from_=clock.now), ALL)
    assert [view.id for view in page.items] == [live.id]
    assert page.items[0].can_join


async def test_a_scheduled_meeting_can_be_changed_and_cancelled_a_live_one_not(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    later = meeting.ends_at + timedelta(hours=1)
    changes = UpdateMeeting(title="改期", agenda="一、学习", ends_at=later, record=True, lobby=True)
    changed = await services.meetings.update(branch.secretary, meeting.id, changes)
    assert (changed.title, changed.agenda, changed.ends_at) == ("改期", "一、学习", later)
    assert changed.record
    assert changed.lobby
    assert changed.starts_at == meeting.starts_at
    cleared = await services.meetings.update(branch.secretary, meeting.id, UpdateMeeting(agenda=""))
    assert cleared.agenda is None
    early = UpdateMeeting(starts_at=later + timedelta(hours=1))
    assert (
        await code_of(services.meetings.update(branch.secretary, meeting.id, early)) == "invalid_meeting_time"
    )
    assert await code_of(services.meetings.update(branch.members[0], meeting.id, changes)) == "forbidden"
    cancelled = await services.meetings.cancel(branch.secretary, meeting.id)
    assert cancelled.state is MeetingState.CANCELLED
    for again in (
        services.meetings.cancel(branch.secretary, meeting.id),
        services.meetings.update(branch.secretary, meeting.id, changes),
    ):
        assert await code_of(again) == "meeting_in_wrong_state"
    assert await code_of(services.live.start_meeting(branch.secretary, meeting.id)) == "meeting_cancelled"


async def test_a_list_of_many_meetings_takes_no_query_a_row(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    for _ in range(12):
        await services.meetings.schedule(branch.secretary, request(branch, clock.now))
    counts = []
    for limit in (3, 12):
        with statements(services.database) as counted:
            await services.meetings.list(branch.members[0], MeetingsFilter(), PageRequest(limit))
        counts.append(len(counted))
    assert counts[0] == counts[1]
