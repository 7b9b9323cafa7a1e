"""The service around live rooms: who may enter, start and end."""

import asyncio

import pytest

from errors import Kind, Problem
from members.accounts import Accounts
from rooms.live.commands import (
    ConnectionLost,
    EndMeeting,
    Moderate,
    ModerationAction,
    PostChat,
    Role,
)
from rooms.live.views import PeerState
from rooms.meetings.states import MeetingKind, MeetingState
from rooms.meetings.views import MeetingView
from tests.factories import FakeClock
from tests.rooms.conftest import Branch, Services, code_of, request
from tests.statements import statements


async def test_a_host_who_joins_starts_the_meeting(
    services: Services, branch: Branch, meeting: MeetingView, clock: FakeClock
) -> None:
    entered = await services.enter(branch.secretary, meeting.id, display_name="书记")
    assert (entered.state, entered.role, entered.resumed) == (PeerState.ADMITTED, Role.HOST, False)
    assert entered.meeting is not None
    assert (entered.meeting.state, entered.meeting.started_at) == (MeetingState.LIVE, clock.now)
    assert [view.display_name for view in services.room(meeting.id).peers] == ["书记"]
    assert services.heard.kinds(meeting.id) == ["MeetingStarted", "PresenceOpened", "PeerJoined"]


async def test_a_member_who_comes_before_the_start_is_told_when(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    with pytest.raises(Problem) as refusal:
        await services.enter(branch.members[0], meeting.id)
    assert (refusal.value.kind, refusal.value.code) == (Kind.CONFLICT, "meeting_not_started")
    assert refusal.value.details == {"startsAt": "2026-11-20T12:30:00.000Z"}
    assert (await services.meetings.get(branch.secretary, meeting.id)).state is MeetingState.SCHEDULED


async def test_who_comes_after_the_end_is_told_when_it_was(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.live.end_meeting(branch.secretary, live.id)
    for actor in (branch.secretary, branch.members[0]):
        with pytest.raises(Problem) as refusal:
            await services.enter(actor, live.id)
        assert (refusal.value.code, refusal.value.details) == (
            "meeting_ended",
            {"endedAt": "2026-11-20T12:30:00.000Z"},
        )


async def test_roles_in_the_room_and_those_who_may_not_know_of_it(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    assert (await services.enter(branch.members[3], live.id)).role is Role.PARTICIPANT
    assert (await services.enter(branch.district, live.id)).role is Role.OBSERVER
    for stranger in (branch.neighbour, branch.resident):
        assert await code_of(services.enter(stranger, live.id)) == "meeting_not_found"
    assert await code_of(services.enter(branch.members[0], "no such room")) == "meeting_not_found"


async def test_a_new_password_makes_the_room_tokens_of_before_void(
    services: Services, branch: Branch, live: MeetingView, accounts: Accounts, clock: FakeClock
) -> None:
    """Who changes it because somebody else got in is rid of that one in the rooms too."""
    member = branch.members[0]
    stolen = await services.meetings.room_pass(member, live.id)
    clock.advance(1)
    await accounts.set_password(member.account_id, "a further password")
    assert await code_of(services.enter(stolen.token, live.id)) == "token_invalid"
    own = await services.meetings.room_pass(member, live.id)
    assert (await services.enter(own.token, live.id)).state is PeerState.ADMITTED


async def test_a_display_name_is_cleaned_and_without_one_the_account_speaks(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    named = await services.enter(branch.members[0], live.id, display_name=" 老\u202e王 ")
    plain = await services.enter(branch.members[1], live.id)
    assert [view.display_name for view in services.room(live.id).peers] == ["老王", "李强"]
    assert named.peer_id != plain.peer_id
    for wrong in ("", "\x00", "名" * 65):
        assert (
            await code_of(services.enter(branch.members[0], live.id, display_name=wrong))
            == "invalid_display_name"
        )


async def test_a_room_token_stands_for_its_account_in_its_room_alone(
    services: Services, branch: Branch, live: MeetingView, clock: FakeClock
) -> None:
    given = await services.meetings.room_pass(branch.members[0], live.id)
    await services.enter(given.token, live.id)
    assert services.room(live.id).peers[0].member_id == branch.members[0].member_id
    other = await services.meetings.schedule(branch.secretary, request(branch, clock.now))
    assert await code_of(services.enter(given.token, other.id)) == "token_of_another_room"
    assert await code_of(services.enter(given.token[:-2], live.id)) == "token_invalid"
    clock.now = given.expires_at
    assert await code_of(services.enter(given.token, live.id)) == "token_expired"


async def test_family_comes_by_a_hosts_link_to_kinds_that_take_guests(
    services: Services, branch: Branch, clock: FakeClock, live: MeetingView
) -> None:
    flowing = branch.registered[3]
    visit = await services.meetings.schedule(
        branch.secretary, request(branch, clock.now, MeetingKind.FAMILY_VISIT, member_ids=(flowing.id,))
    )
    link = await services.meetings.invite_guest(branch.secretary, visit.id, "女儿")
    assert await code_of(services.enter(link.token, visit.id)) == "meeting_not_started"
    await services.enter(branch.secretary, visit.id)
    first = await services.enter(link.token, visit.id)
    await services.enter(link.token, visit.id)
    assert (first.role, first.meeting and first.meeting.my_role) == (Role.PARTICIPANT, Role.PARTICIPANT)
    keys = {view.person_key for view in services.room(visit.id).peers}
    assert len(keys) == 2, "one link is one person on any device"
    for who, where, code in (
        (branch.secretary, live.id, "kind_takes_no_guests"),
        (branch.members[3], visit.id, "forbidden"),
    ):
        assert await code_of(services.meetings.invite_guest(who, where, "外人")) == code


async def test_a_lobby_and_its_door_work_through_the_service(
    services: Services, branch: Branch, clock: FakeClock
) -> None:
    meeting = await services.meetings.schedule(branch.secretary, request(branch, clock.now, lobby=True))
    host = await services.enter(branch.secretary, meeting.id)
    waiting = await services.enter(branch.members[0], meeting.id)
    assert waiting.state is PeerState.LOBBY
    await services.live.handle(meeting.id, Moderate(host.peer_id, ModerationAction.ADMIT, waiting.peer_id))
    snapshot = services.live.snapshot(meeting.id)
    assert snapshot is not None
    assert len(snapshot.peers) == 2


async def test_a_resume_token_brings_back_the_same_peer(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    first = await services.enter(branch.members[0], live.id)
    await services.live.handle(live.id, ConnectionLost(first.peer_id, first.connection))
    await services.pass_time(10)
    back = await services.enter(branch.members[0], live.id, first.resume_token)
    assert (back.peer_id, back.resumed, back.connection) == (first.peer_id, True, 2)
    assert back.resume_token != first.resume_token
    await services.live.handle(live.id, ConnectionLost(back.peer_id, back.connection))
    await services.pass_time(25)
    late = await services.enter(branch.members[0], live.id, back.resume_token)
    assert (late.resumed, late.peer_id == first.peer_id) == (False, False)
    assert services.heard.kinds(live.id)[-5:] == [
        "PeerReconnecting",
        "PeerLeft",
        "PresenceClosed",
        "PresenceOpened",
        "PeerJoined",
    ]


async def test_starting_and_ending_over_http_is_for_hosts_and_can_be_repeated(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    assert await code_of(services.live.start_meeting(branch.members[0], meeting.id)) == "forbidden"
    assert await code_of(services.live.start_meeting(branch.district, meeting.id)) == "forbidden"
    assert await code_of(services.live.end_meeting(branch.secretary, meeting.id)) == "meeting_in_wrong_state"
    for _ in range(2):
        assert (await services.live.start_meeting(branch.secretary, meeting.id)).state is MeetingState.LIVE
    assert await code_of(services.live.end_meeting(branch.members[0], meeting.id)) == "forbidden"
    for _ in range(2):
        assert (await services.live.end_meeting(branch.secretary, meeting.id)).state is MeetingState.ENDED
    assert services.heard.kinds(meeting.id) == ["MeetingStarted", "MeetingEnded"]
    assert await code_of(services.live.start_meeting(branch.secretary, meeting.id)) == "meeting_ended"


async def test_ending_in_the_room_is_for_hosts_and_leaves_no_room(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    host, member = (
        await services.enter(branch.secretary, live.id),
        await services.enter(branch.members[0], live.id),
    )
    assert await code_of(services.live.handle(live.id, EndMeeting(member.peer_id))) == "forbidden"
    await services.live.handle(live.id, EndMeeting(host.peer_id))
    assert services.live.snapshot(live.id) is None
    assert services.heard.kinds(live.id)[-1] == "MeetingEnded"
    assert await code_of(services.live.handle(live.id, PostChat(member.peer_id, "还在吗"))) == "meeting_ended"
    assert await services.live.handle(live.id, ConnectionLost(member.peer_id)) == []
    assert services.live.statistics().rooms == 0


async def test_coming_into_a_live_meeting_asks_the_records_once(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    await services.enter(branch.members[0], live.id)
    with statements(services.database) as seen:
        await services.enter(branch.members[1], live.id)
    assert len([text for text in seen if text.startswith("SELECT")]) == 1


async def test_a_crowd_at_the_door_of_a_live_meeting_is_looked_up_together(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    with statements(services.database) as seen:
        await asyncio.gather(
            *(services.enter(member, live.id) for member in branch.members for _ in range(3))
        )
    assert services.live.statistics().peers == 3 * len(branch.members)
    assert len([text for text in seen if text.startswith("SELECT")]) == 1


async def test_a_listener_that_fails_keeps_nobody_else_from_hearing(
    services: Services, branch: Branch, live: MeetingView
) -> None:
    class Broken:
        def on_room_event(self, room_id: str, event: object) -> None:
            raise RuntimeError(room_id, event)

    stop = services.live.subscribe(Broken())
    await services.enter(branch.members[0], live.id)
    assert services.heard.kinds(live.id)[-1] == "PeerJoined"
    stop()


async def test_twenty_at_the_same_moment_all_come_in_and_the_meeting_starts_once(
    services: Services, branch: Branch, meeting: MeetingView
) -> None:
    entries = [services.enter(branch.secretary, meeting.id) for _ in range(3)]
    entries += [services.enter(member, meeting.id) for member in branch.members for _ in range(3)]
    await asyncio.gather(*entries, return_exceptions=True)
    assert services.heard.kinds(meeting.id).count("MeetingStarted") == 1
    assert services.heard.kinds(meeting.id).count("PresenceOpened") == 5
    assert services.live.statistics().peers == 15
