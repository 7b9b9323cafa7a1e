"""What live rooms write into the records: presence by the heartbeat; what outlives a crash and a full disk."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from database import PageRequest
from errors import Kind, Problem
from rooms.attendance.models import PresenceInterval
from rooms.live.commands import (
    ConnectionLost,
    EndMeeting,
    EndReason,
    Leave,
    MarkAgenda,
    Moderate,
    ModerationAction,
    Role,
)
from rooms.live.events import MeetingEnded, MeetingStarted
from rooms.live.views import PeerState
from rooms.meetings.states import MeetingState
from rooms.meetings.views import MeetingView
from tests.factories import FakeClock, Records
from tests.rooms.conftest import Branch, Services, code_of, request
from tests.statements import statements

ALL = PageRequest(200)


async def intervals(services: Services) -> Sequence[PresenceInterval]:
    async with services.database.reading() as session:
        return (await session.scalars(select(PresenceInterval).order_by(PresenceInterval.opened_at))).all()


async def test_a_whole_room_takes_one_statement_a_heartbeat(
    services: Services, branch: Branch, live: MeetingView, records: Records
) -> None:
    for number in range(10):
        member = await records.member(branch.tree.branch, f"新{number}")
        await services.enter(await records.actor(member=member), live.id)
    await services.pass_time(15)
    services.clock.advance(15)
    with statements(services.database) as seen:
        await services.live.advance()
    assert len([text for text in seen if text.startswith("INSERT")]) == 1
    assert {row.last_seen_at for row in await intervals(services)} == {services.clock.now}


async def test_presence_is_in_the_database_within_a_tick_and_extended_by_each_heartbeat(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.pass_time(1)  # a heartbeat, so that the next is far
    entered = await services.enter(branch.members[0], live.id)
    opened = services.clock.now
    await services.pass_time(1)
    (row,) = await intervals(services)
    assert (row.opened_at, row.closed, row.name) == (opened, False, "王芳")
    await services.pass_time(30)
    (row,) = await intervals(services)
    assert services.clock.now - row.last_seen_at <= timedelta(seconds=15)
    await services.live.handle(live.id, Leave(entered.peer_id))
    left = services.clock.now
    await services.pass_time(1)
    (row,) = await intervals(services)
    assert (row.last_seen_at, row.closed) == (left, True)


async def test_two_tabs_and_a_reconnection_are_one_interval(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    first = await services.enter(branch.members[0], live.id)
    await services.pass_time(20)
    second = await services.enter(branch.members[0], live.id)
    await services.live.handle(live.id, Leave(first.peer_id))
    await services.pass_time(20)
    await services.live.handle(live.id, ConnectionLost(second.peer_id))
    await services.pass_time(10)
    await services.enter(branch.members[0], live.id, second.resume_token)
    await services.pass_time(20)
    assert len(await intervals(services)) == 1


async def test_after_kill_the_meeting_is_joinable_at_once_and_at_most_a_heartbeat_is_lost(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.enter(branch.secretary, live.id)
    first = await services.enter(branch.members[0], live.id)
    await services.pass_time(100)
    killed_at = services.clock.now
    revived = await services.killed()
    try:
        assert revived.heard.rooms == [
            (live.id, MeetingStarted(live.starts_at, record=False, recovered=True))
        ]
        for row in await intervals(services):
            assert row.closed
            assert timedelta() <= killed_at - row.last_seen_at <= timedelta(seconds=15)
        services.clock.advance(5)
        back = await revived.enter(branch.members[0], live.id, first.resume_token)
        assert not back.resumed
        await revived.pass_time(30)
        assert [row.closed for row in await intervals(services)].count(False) == 1
        ended = await revived.live.end_meeting(branch.secretary, live.id)
        assert ended.state is MeetingState.ENDED
        page = await revived.attendance.list(branch.secretary, live.id, ALL)
        (row_of_member,) = [row for row in page.items if row.name == "王芳"]
        lost = (services.clock.now - live.starts_at).total_seconds() - row_of_member.seconds_present
        assert 5 <= lost <= 20, "the five seconds without a server and at most one heartbeat"
    finally:
        await revived.stop()


async def test_an_orderly_stop_loses_nothing_and_leaves_the_meeting_live(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.enter(branch.members[0], live.id)
    await services.pass_time(1)
    services.clock.advance(7)
    await services.live.stop()
    (row,) = await intervals(services)
    assert row.last_seen_at == services.clock.now
    assert (await services.meetings.get(branch.secretary, live.id)).state is MeetingState.LIVE


async def test_what_hosts_decided_outlives_a_restart(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    meeting = await services.meetings.schedule(branch.secretary, request(branch, clock.now, lobby=True))
    host = await services.enter(branch.secretary, meeting.id)
    made, removed, inside = [await services.enter(member, meeting.id) for member in branch.members[:3]]
    for peer in (made, removed, inside):
        await services.live.handle(meeting.id, Moderate(host.peer_id, ModerationAction.ADMIT, peer.peer_id))
    await services.enter(
        branch.members[1], meeting.id
    )  # another device, which goes too and is not the one named
    for action, target in (
        (ModerationAction.MAKE_HOST, made.peer_id),
        (ModerationAction.REMOVE, removed.peer_id),
        (ModerationAction.LOCK, None),
    ):
        await services.live.handle(meeting.id, Moderate(host.peer_id, action, target))
    await services.pass_time(1)
    revived = await services.killed()
    try:
        assert await code_of(revived.enter(branch.members[1], meeting.id, removed.resume_token)) == "removed"
        assert await code_of(revived.enter(branch.members[3], meeting.id)) == "room_locked"
        assert (await revived.enter(branch.members[2], meeting.id)).state is PeerState.ADMITTED
        again = await revived.enter(branch.members[0], meeting.id)
        assert again.role is Role.HOST
        await revived.live.handle(meeting.id, Moderate(again.peer_id, ModerationAction.UNLOCK))
        await revived.live.handle(
            meeting.id, Moderate(again.peer_id, ModerationAction.ADMIT, removed.peer_id)
        )
        assert (await revived.enter(branch.members[1], meeting.id)).state is PeerState.ADMITTED
        assert (await revived.live.end_meeting(branch.members[0], meeting.id)).state is MeetingState.ENDED
    finally:
        await revived.stop()


@pytest.mark.parametrize("hours", [1, -1])
async def test_the_item_that_began_last_is_on_after_a_restart_however_the_clock_was_set(
    services: Services, branch: Branch, clock: FakeClock, hours: int
) -> None:
    """While the server is down: a room that is rebuilt has the time of then."""
    meeting = await services.meetings.schedule(
        branch.secretary, request(branch, clock.now, agenda="一、学习\n二、讨论\n三、表决")
    )
    running = services
    for item in (0, 2, 1):
        host = await running.enter(branch.secretary, meeting.id)
        await running.live.handle(meeting.id, MarkAgenda(host.peer_id, item))
        clock.advance(timedelta(hours=hours))
        running = await running.killed()
    try:
        room = running.live.snapshot(meeting.id)
        assert room is not None
        assert room.agenda_item == 1
    finally:
        await running.stop()


async def test_an_abandoned_meeting_ends_by_itself_at_the_moment_it_emptied(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    entered = await services.enter(branch.members[0], live.id)
    await services.pass_time(3600, step=60)
    await services.live.handle(live.id, Leave(entered.peer_id))
    left = services.clock.now
    await services.pass_time(540, step=60)
    assert services.live.snapshot(live.id) is not None
    await services.pass_time(120, step=60)
    assert services.heard.rooms[-1] == (live.id, MeetingEnded(left, EndReason.ABANDONED))
    view = await services.meetings.get(branch.secretary, live.id)
    assert (view.state, view.ended_at) == (MeetingState.ENDED, left)
    page = await services.attendance.list(branch.secretary, live.id, ALL)
    assert page.summary.present == 1, "waiting for nobody does not make those absent who were there"


async def test_a_meeting_abandoned_over_a_crash_ended_when_somebody_was_seen_last(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.enter(branch.members[0], live.id)
    await services.pass_time(600, step=15)
    seen = max(row.last_seen_at for row in await intervals(services))
    services.clock.advance(timedelta(hours=2))
    revived = await services.killed()
    try:
        await revived.pass_time(540, step=60)
        assert revived.live.snapshot(live.id) is not None, "people may come back first"
        await revived.pass_time(120, step=60)
        assert (await revived.meetings.get(branch.secretary, live.id)).ended_at == seen
    finally:
        await revived.stop()


async def test_a_database_that_is_away_costs_no_presence_when_it_comes_back(
    services: Services, branch: Branch, live: MeetingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Problem(Kind.UNAVAILABLE, "database_unavailable")

    first = await services.enter(branch.members[0], live.id)
    with monkeypatch.context() as broken:
        broken.setattr(services.database, "transaction", away)
        await services.pass_time(30)
        await services.live.handle(live.id, Leave(first.peer_id))
        await services.pass_time(30)
    left_after = 30
    assert services.live.statistics().heartbeat_failures > 0
    assert await intervals(services) == []
    await services.pass_time(1)
    (row,) = await intervals(services)
    assert row.closed
    assert row.last_seen_at - row.opened_at == timedelta(seconds=left_after)


async def test_an_end_that_fails_ends_nothing_and_can_be_tried_again(
    services: Services, branch: Branch, live: MeetingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = await services.enter(branch.secretary, live.id)
    await services.pass_time(60)

    async def full(*_: object) -> None:
        raise Problem(Kind.UNAVAILABLE, "storage_full")

    with monkeypatch.context() as broken:
        broken.setattr(services.cards, "append_all", full)
        assert await code_of(services.live.handle(live.id, EndMeeting(host.peer_id))) == "storage_full"
    assert "MeetingEnded" not in services.heard.kinds(live.id)
    assert (await services.meetings.get(branch.secretary, live.id)).state is MeetingState.LIVE
    assert not (await services.attendance.list(branch.secretary, live.id, ALL)).final
    await services.live.handle(live.id, EndMeeting(host.peer_id))
    page = await services.attendance.list(branch.secretary, live.id, ALL)
    assert page.final
    assert page.summary.present == 1


async def test_a_room_that_cannot_be_ended_now_keeps_no_other_from_its_heartbeat_and_ends_later(
    services: Services, branch: Branch, live: MeetingView, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = await services.meetings.schedule(branch.secretary, request(branch, clock.now))
    await services.enter(branch.secretary, busy.id)
    clock.now = live.ends_at + timedelta(hours=1)

    async def full(*_: object) -> None:
        raise Problem(Kind.UNAVAILABLE, "storage_full")

    with monkeypatch.context() as broken:
        broken.setattr(services.cards, "append_all", full)
        await services.pass_time(15)
    assert services.live.snapshot(live.id) is not None
    assert clock.now - (await intervals(services))[-1].last_seen_at <= timedelta(seconds=15)
    await services.pass_time(1)
    assert services.live.snapshot(live.id) is None
