"""Whatever people do in whatever order, the room's invariants hold after each step."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from errors import Problem
from rooms.live.commands import (
    Command,
    ConnectionLost,
    EndMeeting,
    Enter,
    Leave,
    Moderate,
    ModerationAction,
    RaiseHand,
    Role,
)
from rooms.live.events import Event, PeerJoined, PeerLeft, PeerWaiting, PresenceClosed, PresenceOpened
from rooms.live.settings import RoomSettings
from rooms.live.views import RoomState
from tests.rooms.simulated import SimulatedRoom, person

NAMES = ["书记", "王芳", "李强", "赵敏"]

names = st.sampled_from(NAMES)
peers = st.integers(1, 14).map(lambda number: f"id{number}")
steps = st.lists(
    st.one_of(
        st.builds(
            lambda name, token: Enter(
                person(name, Role.HOST if name == "书记" else Role.PARTICIPANT), name, token
            ),
            names,
            st.one_of(
                st.none(),
                st.builds(lambda peer, secret: f"{peer}.secret{secret}", peers, st.integers(1, 9)),
            ),
        ),
        st.builds(ConnectionLost, peers, st.one_of(st.none(), st.integers(1, 3))),
        st.builds(Leave, peers),
        st.builds(RaiseHand, peers, st.booleans()),
        st.builds(Moderate, peers, st.sampled_from(ModerationAction), st.one_of(st.none(), peers)),
        st.builds(EndMeeting, peers),
        st.floats(0.1, 30),
    ),
    max_size=40,
)


class Bystander:
    """Keeps its own account of the room from the events alone, as signaling and attendance do."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.waiting: set[str] = set()
        self.present: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        match event:
            case PeerJoined(peer_id=peer_id):
                assert peer_id not in self.inside
                self.waiting.discard(peer_id)
                self.inside.add(peer_id)
            case PeerWaiting(peer_id=peer_id):
                self.waiting.add(peer_id)
            case PeerLeft(peer_id=peer_id, waiting=waiting):
                (self.waiting if waiting else self.inside).remove(peer_id)
            case PresenceOpened(person_key=key, presence_id=presence_id):
                assert key not in self.present
                self.present[key] = presence_id
            case PresenceClosed(person_key=key, presence_id=presence_id):
                assert self.present.pop(key) == presence_id
            case _:
                pass


@settings(max_examples=300, deadline=None)
@given(steps=steps, lobby=st.booleans())
def test_events_alone_tell_who_is_in_and_presence_is_open_exactly_while_a_device_is_in(
    steps: list[Command | float], *, lobby: bool
) -> None:
    room = SimulatedRoom(
        lobby=lobby, settings=RoomSettings(maximum_peers=3, maximum_waiting=2, maximum_devices=2)
    )
    bystander = Bystander()
    removed: set[str] = set()
    for step in steps:
        before = room.room.snapshot()
        try:
            events = room.wait(step) if isinstance(step, float) else room.do(step)
        except Problem:
            assert room.room.snapshot() == before, "a refused command changes nothing"
            continue
        for event in events:
            bystander.hear(event)
        if isinstance(step, Moderate) and step.action is ModerationAction.REMOVE:
            removed |= {
                view.person_key for view in before.peers + before.waiting if view.peer_id == step.target
            }
        if isinstance(step, Moderate) and step.action is ModerationAction.ADMIT:
            removed.clear()  # who was readmitted is another test's subject
        snapshot = room.room.snapshot()
        assert {view.peer_id for view in snapshot.peers} == bystander.inside
        assert {view.peer_id for view in snapshot.waiting} == bystander.waiting
        assert {view.person_key for view in snapshot.peers} == set(bystander.present)
        assert not removed & {view.person_key for view in snapshot.peers}
        if snapshot.state is RoomState.ENDED:
            assert not bystander.inside | bystander.waiting
            assert not bystander.present


@settings(max_examples=200, deadline=None)
@given(steps=steps)
def test_presence_never_ends_before_it_begins_nor_after_now(steps: list[Command | float]) -> None:
    room = SimulatedRoom()
    for step in steps:
        try:
            if isinstance(step, float):
                room.wait(step)
            else:
                room.do(step)
        except Problem:
            continue
    records = room.room.take_closed() + room.room.presences(room.now)
    assert all(record.opened_at <= record.last_seen_at <= room.now for record in records)
    by_person: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        spans = by_person.setdefault(record.person.key, [])
        spans.append((record.opened_at.timestamp(), record.last_seen_at.timestamp()))
    for spans in by_person.values():
        spans.sort()
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans)), (
            "one person's presences do not overlap, whatever the number of devices"
        )
