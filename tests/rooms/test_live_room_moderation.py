"""What hosts may do, and what others may not."""

import pytest

from errors import Problem
from rooms.live.commands import LeaveReason, ModerationAction, PostChat, RaiseHand, Role
from rooms.live.core import Standing
from rooms.live.events import (
    ChatPosted,
    HandChanged,
    MediaMuted,
    PeerLeft,
    PeerRemoved,
    PersonReadmitted,
    PresenceClosed,
    RoleChanged,
    Source,
)
from rooms.live.settings import RoomSettings
from tests.rooms.simulated import SimulatedRoom, kinds, of, only

ON_ROOM = {ModerationAction.MUTE_ALL, ModerationAction.LOCK, ModerationAction.UNLOCK}


@pytest.mark.parametrize("action", ModerationAction)
@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.OBSERVER])
def test_nobody_but_a_host_moderates(action: ModerationAction, role: Role) -> None:
    room = SimulatedRoom()
    peer, other = room.enter("王芳", role), room.enter("李强")
    before = room.room.snapshot()
    with pytest.raises(Problem, match="forbidden") as refusal:
        room.moderate(peer, action, None if action in ON_ROOM else other)
    assert refusal.value.details == {"command": action.value, "role": role.value}
    assert room.room.snapshot() == before


@pytest.mark.parametrize("action", sorted(set(ModerationAction) - ON_ROOM))
def test_actions_on_people_need_somebody_who_is_there(action: ModerationAction) -> None:
    room = SimulatedRoom()
    host = room.enter("书记", Role.HOST)
    with pytest.raises(Problem, match="moderation_needs_peer"):
        room.moderate(host, action)
    with pytest.raises(Problem, match="peer_not_found"):
        room.moderate(host, action, "nobody")


@pytest.mark.parametrize(
    ("action", "sources"),
    [
        (ModerationAction.MUTE, {Source.MICROPHONE}),
        (ModerationAction.STOP_VIDEO, {Source.CAMERA, Source.SCREEN}),
    ],
)
def test_silencing_one_person(action: ModerationAction, sources: set[Source]) -> None:
    room = SimulatedRoom()
    host, peer = room.enter("书记", Role.HOST), room.enter("王芳")
    assert room.moderate(host, action, peer) == [MediaMuted(peer, frozenset(sources), host)]


def test_mute_all_leaves_hosts_and_the_waiting_alone() -> None:
    room = SimulatedRoom(lobby=True)
    host, waiting, member = room.enter("书记", Role.HOST), room.enter("候"), room.enter("王芳")
    room.moderate(host, ModerationAction.ADMIT, member)
    room.enter("副书记", Role.HOST)
    muted = of(room.moderate(host, ModerationAction.MUTE_ALL), MediaMuted)
    assert [event.peer_id for event in muted] == [member]
    with pytest.raises(Problem, match="not_admitted"):
        room.moderate(host, ModerationAction.MUTE, waiting)


def test_a_removed_person_goes_with_all_devices_and_stays_out_until_a_host_readmits() -> None:
    room = SimulatedRoom()
    host, first, second = room.enter("书记", Role.HOST), room.enter("王芳"), room.enter("王芳")
    events = room.moderate(host, ModerationAction.REMOVE, second)
    assert {(event.peer_id, event.named) for event in of(events, PeerRemoved)} == {
        (first, second),
        (second, second),
    }
    assert {event.reason for event in of(events, PeerLeft)} == {LeaveReason.REMOVED}
    assert len(of(events, PresenceClosed)) == 1
    with pytest.raises(Problem, match="removed"):
        room.enter("王芳")
    events = room.moderate(host, ModerationAction.ADMIT, second)
    assert only(events, PersonReadmitted).person_key == "member:王芳"
    room.enter("王芳")


def test_hosts_by_office_cannot_be_removed_hosts_made_here_can() -> None:
    room = SimulatedRoom()
    host, officer = room.enter("书记", Role.HOST), room.enter("副书记", Role.HOST)
    made = room.enter("王芳")
    assert only(room.moderate(host, ModerationAction.MAKE_HOST, made), RoleChanged).role is Role.HOST
    for target in (officer, host):
        with pytest.raises(Problem, match="cannot_remove_host"):
            room.moderate(made, ModerationAction.REMOVE, target)
    room.moderate(host, ModerationAction.REMOVE, made)


def test_who_was_made_host_is_one_on_all_devices_and_after_coming_back() -> None:
    room = SimulatedRoom()
    host, first, second = room.enter("书记", Role.HOST), room.enter("王芳"), room.enter("王芳")
    changed = of(room.moderate(host, ModerationAction.MAKE_HOST, first), RoleChanged)
    assert {event.peer_id for event in changed} == {first, second}
    assert room.moderate(host, ModerationAction.MAKE_HOST, second) == []
    room.leave(first)
    room.leave(second)
    again = room.enter("王芳")
    assert room.moderate(again, ModerationAction.MUTE_ALL) == []


def test_what_outlives_a_restart_is_in_force_again() -> None:
    standing = Standing(
        removed={"member:丁": "old peer"},
        admitted=frozenset({"member:王芳"}),
        hosts=frozenset({"member:李强"}),
        locked=True,
    )
    room = SimulatedRoom(lobby=True, standing=standing)
    with pytest.raises(Problem, match="removed"):
        room.enter("丁")
    with pytest.raises(Problem, match="room_locked"):
        room.enter("新")
    room.enter("王芳")
    host = room.enter("李强")
    assert [view.role for view in room.room.snapshot().peers] == [Role.PARTICIPANT, Role.HOST]
    room.moderate(host, ModerationAction.ADMIT, "old peer")
    room.moderate(host, ModerationAction.UNLOCK)
    room.enter("丁")
    assert len(room.room.snapshot().waiting) == 1, "readmitted is not yet admitted"


def test_hands_go_up_once_and_come_down_by_oneself_or_a_host() -> None:
    room = SimulatedRoom()
    host, peer = room.enter("书记", Role.HOST), room.enter("王芳")
    assert only(room.do(RaiseHand(peer, raised=True)), HandChanged).by == peer
    assert room.do(RaiseHand(peer, raised=True)) == []
    assert room.room.snapshot().peers[1].hand_raised_at == room.now
    assert only(room.moderate(host, ModerationAction.LOWER_HAND, peer), HandChanged).by == host
    assert room.moderate(host, ModerationAction.LOWER_HAND, peer) == []
    assert room.do(RaiseHand(peer, raised=False)) == []


def test_chat_is_kept_for_those_who_come_late_up_to_a_bound() -> None:
    room = SimulatedRoom(settings=RoomSettings(chat_history=3))
    peer = room.enter("王芳")
    for number in range(5):
        room.do(PostChat(peer, f"第{number}条"))
    kept = room.room.snapshot().chat
    assert [message.text for message in kept] == ["第2条", "第3条", "第4条"]
    assert [message.id for message in kept] == [3, 4, 5]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  好  ", "好"),
        ("一\r\n二", "一\n二"),
        ("a\x00b\x1b[31mc\u202ed", "ab[31mcd"),
        ("字" * 2000, "字" * 2000),
    ],
)
def test_chat_text_is_made_safe_to_show(text: str, shown: str) -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    assert only(room.do(PostChat(peer, text)), ChatPosted).text == shown


@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "\ud800", "字" * 2001])
def test_chat_text_that_cannot_be_shown_is_refused(text: str) -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    with pytest.raises(Problem, match="chat_text_invalid"):
        room.do(PostChat(peer, text))
    assert room.room.snapshot().chat == ()


def test_a_wrong_command_says_what_arrived_and_where_it_was() -> None:
    room = SimulatedRoom(lobby=True)
    waiting = room.enter("王芳")
    with pytest.raises(Problem) as refusal:
        room.do(RaiseHand(waiting, raised=True))
    assert (refusal.value.code, refusal.value.details) == (
        "not_admitted",
        {"command": "raiseHand", "state": "lobby"},
    )
    assert kinds(room.events) == ["PeerWaiting"]
