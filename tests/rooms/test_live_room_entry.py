"""Coming in: the door, the lobby, the lock, the bounds."""

import asyncio
import sys

import pytest

from errors import Kind, Problem
from rooms.live.commands import EndMeeting, ModerationAction, Role
from rooms.live.events import PeerAdmitted, PeerJoined, PeerLeft, PeerRejected, PeerWaiting, PresenceOpened
from rooms.live.settings import RoomSettings
from rooms.live.turns import Turns
from rooms.live.views import PeerState
from tests.rooms.simulated import SimulatedRoom, kinds, of, only


def refused(room: SimulatedRoom, name: str, role: Role = Role.PARTICIPANT) -> str:
    with pytest.raises(Problem) as refusal:
        room.enter(name, role)
    return refusal.value.code


def test_who_enters_an_open_room_is_in_at_once() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    assert kinds(room.events) == ["PresenceOpened", "PeerJoined"]
    (view,) = room.room.snapshot().peers
    assert (view.peer_id, view.display_name, view.state, view.connected) == (
        peer,
        "王芳",
        PeerState.ADMITTED,
        True,
    )


def test_with_a_lobby_everybody_but_hosts_waits() -> None:
    room = SimulatedRoom(lobby=True)
    room.enter("书记", Role.HOST)
    waiting = room.enter("王芳")
    snapshot = room.room.snapshot()
    assert [view.display_name for view in snapshot.peers] == ["书记"]
    assert [view.peer_id for view in snapshot.waiting] == [waiting]
    assert only(room.events, PeerWaiting).peer_id == waiting
    assert len(of(room.events, PresenceOpened)) == 1, "waiting is not attending"


def test_coming_in_takes_as_many_steps_in_a_full_room_as_in_one_of_ten() -> None:
    steps = []
    room = SimulatedRoom()
    for number in range(400):
        counted = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal counted
            counted += event == "call"  # of a generator too, once a step

        sys.setprofile(count)
        room.enter(f"person {number}")
        sys.setprofile(None)
        steps.append(counted)
    assert steps[399] == steps[9]


def test_a_host_admits_from_the_lobby() -> None:
    room = SimulatedRoom(lobby=True)
    host, waiting = room.enter("书记", Role.HOST), room.enter("王芳")
    events = room.moderate(host, ModerationAction.ADMIT, waiting)
    assert kinds(events) == ["PeerAdmitted", "PresenceOpened", "PeerJoined"]
    assert only(events, PeerAdmitted).peer_id == waiting
    assert room.moderate(host, ModerationAction.ADMIT, waiting) == [], "two hosts may be quick"


def test_who_was_admitted_does_not_wait_again() -> None:
    room = SimulatedRoom(lobby=True)
    host, first = room.enter("书记", Role.HOST), room.enter("王芳")
    room.moderate(host, ModerationAction.ADMIT, first)
    second_device = room.enter("王芳")
    room.leave(first)
    room.leave(second_device)
    room.enter("王芳")
    assert room.room.snapshot().waiting == ()


def test_a_host_rejects_and_the_person_may_ask_again() -> None:
    room = SimulatedRoom(lobby=True)
    host, waiting = room.enter("书记", Role.HOST), room.enter("王芳")
    events = room.moderate(host, ModerationAction.REJECT, waiting)
    assert kinds(events) == ["PeerRejected", "PeerLeft"]
    assert only(events, PeerRejected).peer_id == waiting
    assert only(events, PeerLeft).waiting
    room.enter("王芳")
    assert len(room.room.snapshot().waiting) == 1


def test_rejecting_who_is_in_is_a_wrong_transition_and_says_where_he_is() -> None:
    room = SimulatedRoom()
    host, member = room.enter("书记", Role.HOST), room.enter("王芳")
    with pytest.raises(Problem) as refusal:
        room.moderate(host, ModerationAction.REJECT, member)
    assert (refusal.value.code, refusal.value.details) == ("peer_not_waiting", {"state": "admitted"})


def test_a_waiting_person_can_only_wait_or_go() -> None:
    room = SimulatedRoom(lobby=True)
    waiting = room.enter("王芳")
    with pytest.raises(Problem) as refusal:
        room.moderate(waiting, ModerationAction.ADMIT, waiting)
    assert refusal.value.code == "not_admitted"
    assert only(room.leave(waiting), PeerLeft).waiting


def test_a_locked_room_lets_in_hosts_and_those_who_were_in() -> None:
    room = SimulatedRoom()
    host, member = room.enter("书记", Role.HOST), room.enter("王芳")
    assert kinds(room.moderate(host, ModerationAction.LOCK)) == ["RoomLocked"]
    assert room.moderate(host, ModerationAction.LOCK) == []
    assert refused(room, "李强") == "room_locked"
    room.leave(member)
    room.enter("王芳")
    room.enter("副书记", Role.HOST)
    room.moderate(host, ModerationAction.UNLOCK)
    room.enter("李强")
    assert not room.room.snapshot().locked


def test_bounds_of_the_room_its_lobby_and_one_persons_devices() -> None:
    settings = RoomSettings(maximum_peers=2, maximum_waiting=1, maximum_devices=2)
    room = SimulatedRoom(settings=settings)
    room.enter("甲")
    room.enter("甲")
    assert refused(room, "甲") == "too_many_devices"
    assert refused(room, "乙") == "room_full"
    room.enter("书记", Role.HOST)  # a host always finds a chair
    lobby = SimulatedRoom(lobby=True, settings=settings)
    lobby.enter("甲")
    assert refused(lobby, "乙") == "lobby_full"


@pytest.mark.parametrize("lobby", [False, True])
async def test_a_full_room_may_come_at_one_moment_and_with_one_log_in(*, lobby: bool) -> None:
    settings = RoomSettings()
    room, turns = SimulatedRoom(lobby=lobby, settings=settings), Turns(settings.maximum_pending)

    async def come() -> str:
        async with turns.of("the room"):
            return room.enter("甲")

    peers = await asyncio.gather(*(come() for _ in range(settings.maximum_peers)))
    snapshot = room.room.snapshot()
    inside = snapshot.waiting if lobby else snapshot.peers
    assert len(inside) == len(set(peers)) == settings.maximum_peers >= 600


def test_admitting_into_a_full_room_is_refused_and_the_person_goes_on_waiting() -> None:
    room = SimulatedRoom(lobby=True, settings=RoomSettings(maximum_peers=1))
    host, waiting = room.enter("书记", Role.HOST), room.enter("王芳")
    with pytest.raises(Problem, match="room_full"):
        room.moderate(host, ModerationAction.ADMIT, waiting)
    assert [view.peer_id for view in room.room.snapshot().waiting] == [waiting]


def test_nothing_can_be_done_in_a_room_that_has_ended() -> None:
    room = SimulatedRoom()
    host = room.enter("书记", Role.HOST)
    room.do(EndMeeting(host))
    with pytest.raises(Problem) as refusal:
        room.enter("王芳")
    assert (refusal.value.kind, refusal.value.code) == (Kind.CONFLICT, "meeting_ended")
    assert refusal.value.details == {"command": "Enter"}


def test_peers_are_listed_in_the_order_in_which_they_came() -> None:
    room = SimulatedRoom()
    for name in ("丙", "甲", "乙"):
        room.enter(name)
        room.wait(1)
    assert [view.display_name for view in room.room.snapshot().peers] == ["丙", "甲", "乙"]
    assert [event.display_name for event in of(room.events, PeerJoined)] == ["丙", "甲", "乙"]
