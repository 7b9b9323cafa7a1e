"""Losing the connection is not leaving: grace period, resume tokens, late news of old connections."""

import pytest

from errors import Problem
from rooms.live.commands import EndMeeting, EndReason, LeaveReason, ModerationAction, Role
from rooms.live.events import (
    MeetingEnded,
    PeerLeft,
    PeerReconnected,
    PeerReconnecting,
    PeerResumed,
    PresenceClosed,
    PresenceOpened,
)
from rooms.live.settings import RoomSettings
from tests.rooms.simulated import START, SimulatedRoom, kinds, of, only

GRACE = RoomSettings().grace


def test_a_lost_peer_that_resumes_in_time_is_the_same_peer_with_one_presence() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    token = room.token(peer)
    assert kinds(room.lose(peer)) == ["PeerReconnecting"]
    room.wait(GRACE - 1)
    assert room.enter("王芳", token=token) == peer
    assert kinds(room.events)[-2:] == ["PeerResumed", "PeerReconnected"]
    room.wait(GRACE * 2)
    room.leave(peer)
    assert len(of(room.events, PresenceOpened)) == len(of(room.events, PresenceClosed)) == 1


def test_a_lost_peer_is_gone_when_the_grace_period_has_passed_and_was_present_until_the_loss() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    room.wait(100)
    room.lose(peer)
    lost_at = room.now
    assert room.wait(GRACE - 1) == []
    events = room.wait(1)
    assert only(events, PeerLeft) == PeerLeft(peer, LeaveReason.LOST, waiting=False)
    assert only(events, PresenceClosed).at == lost_at


def test_every_use_of_a_token_makes_a_new_one_and_the_old_one_is_spent() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    first = room.token(peer)
    room.lose(peer)
    room.enter("王芳", token=first)
    second = room.token(peer)
    assert second != first
    stranger = room.enter("王芳", token=first)
    assert stranger != peer, "a spent token is an ordinary entry: another device"
    assert room.enter("王芳", token=second) == peer


def test_a_token_works_for_its_own_person_alone() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    room.lose(peer)
    assert room.enter("李强", token=room.token(peer)) != peer
    assert room.token(peer)
    assert only(room.events, PeerReconnecting).peer_id == peer
    assert not of(room.events, PeerReconnected)


@pytest.mark.parametrize(
    "token", ["", ".", "id2", "id2.", "id2.secret", "id9.secret1", "x" * 1000, "id2.党", "id2.\ud800"]
)
def test_any_other_token_is_an_ordinary_entry(token: str) -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    room.lose(peer)
    assert room.enter("王芳", token=token) != peer


def test_a_second_connection_takes_over_and_news_of_the_first_changes_nothing() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    first, token = room.room.credentials(peer)
    events_before = len(room.events)
    assert room.enter("王芳", token=token) == peer
    (resumed,) = room.events[events_before:]
    assert resumed == PeerResumed(peer, first + 1), "nobody need hear of it"
    assert room.lose(peer, first) == []
    assert room.room.snapshot().peers[0].connected
    assert kinds(room.lose(peer, first + 1)) == ["PeerReconnecting"]


def test_news_of_a_loss_comes_late_or_twice_without_harm() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    assert room.lose(peer) != []
    assert room.lose(peer) == []
    room.wait(GRACE)
    assert room.lose(peer) == []


def test_a_removed_persons_token_is_dead() -> None:
    room = SimulatedRoom()
    host, peer = room.enter("书记", Role.HOST), room.enter("王芳")
    token = room.token(peer)
    room.moderate(host, ModerationAction.REMOVE, peer)
    for again in (token, None):
        with pytest.raises(Problem, match="removed"):
            room.enter("王芳", token=again)


def test_the_token_of_one_who_left_or_timed_out_is_dead() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    token = room.token(peer)
    room.leave(peer)
    assert room.enter("王芳", token=token) != peer


def test_one_who_waits_in_the_lobby_keeps_the_place_over_a_lost_connection() -> None:
    room = SimulatedRoom(lobby=True)
    host, peer = room.enter("书记", Role.HOST), room.enter("王芳")
    token = room.token(peer)
    room.lose(peer)
    assert room.enter("王芳", token=token) == peer
    room.lose(peer)
    room.moderate(host, ModerationAction.ADMIT, peer)
    room.wait(GRACE)
    assert only(room.events, PeerLeft).reason is LeaveReason.LOST


def test_time_that_runs_backwards_ends_no_grace_period_early_and_no_presence_before_its_begin() -> None:
    room = SimulatedRoom()
    room.wait(10)
    entered_at = room.now
    peer = room.enter("王芳")
    room.now = START
    room.lose(peer)
    assert room.room.tick(room.now) == []
    room.wait(GRACE + 10)
    assert only(room.events, PresenceClosed).at == entered_at


def test_an_end_leaves_nobody_and_closes_every_presence_before_it_is_told() -> None:
    room = SimulatedRoom(lobby=True)
    host = room.enter("书记", Role.HOST)
    room.enter("王芳")
    events = room.do(EndMeeting(host))
    assert {event.reason for event in of(events, PeerLeft)} == {LeaveReason.ENDED}
    assert kinds(events)[-1] == "MeetingEnded"
    assert only(events, MeetingEnded) == MeetingEnded(room.now, EndReason.HOST)
    assert len(of(events, PresenceClosed)) == 1


def test_only_a_host_ends() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    with pytest.raises(Problem, match="forbidden"):
        room.do(EndMeeting(peer))


def test_a_room_is_abandoned_some_time_after_its_planned_end_and_ended_when_the_last_one_went() -> None:
    settings = RoomSettings(abandoned_after=600)
    room = SimulatedRoom(settings=settings)
    peer = room.enter("王芳")
    room.wait(3700)
    assert room.room.overdue(room.now) is None, "somebody is there"
    room.leave(peer)
    left_at = room.now
    room.wait(599)
    assert room.room.overdue(room.now) is None
    room.wait(1)
    assert room.room.overdue(room.now) == EndMeeting(None, EndReason.ABANDONED, left_at)


def test_an_empty_room_is_not_abandoned_before_its_planned_end() -> None:
    room = SimulatedRoom()
    peer = room.enter("王芳")
    room.leave(peer)
    room.wait(3599)
    assert room.room.overdue(room.now) is None
    room.wait(600)
    assert room.room.overdue(room.now) is None
    room.wait(1)
    command = room.room.overdue(room.now)
    assert command is not None
    assert command.at == START, "the meeting was over when the last one went, not when it was planned to be"


def test_a_room_that_runs_longer_than_any_meeting_may_is_overdue() -> None:
    room = SimulatedRoom(settings=RoomSettings(overdue_after=100))
    room.enter("王芳")
    room.wait(3600 + 100)
    assert room.room.overdue(room.now) is None
    room.wait(1)
    assert room.room.overdue(room.now) == EndMeeting(None, EndReason.OVERDUE)
