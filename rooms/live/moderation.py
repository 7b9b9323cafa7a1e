"""What hosts may do to a room and the people in it: one function an action, in a table."""

from collections.abc import Callable
from datetime import datetime

from errors import Kind, Problem
from rooms.live.commands import LeaveReason, Moderate, ModerationAction, Role
from rooms.live.core import RoomCore
from rooms.live.events import (
    Event,
    HandChanged,
    MediaMuted,
    PeerAdmitted,
    PeerRejected,
    PeerRemoved,
    PersonReadmitted,
    RoleChanged,
    RoomLocked,
    RoomUnlocked,
    Source,
)
from rooms.live.peers import Peer
from rooms.live.views import OccasionKind, PeerState

VOICE = frozenset({Source.MICROPHONE})
PICTURE = frozenset({Source.CAMERA, Source.SCREEN})


def moderate(core: RoomCore, command: Moderate, now: datetime) -> list[Event]:
    """Check the right and the target, then act. Doing again what is done already changes nothing."""
    host = core.host(command.peer_id, command.action.value)
    if command.action in _ON_ROOM:
        return _ON_ROOM[command.action](core, host, now)
    if command.target is None:
        raise Problem(Kind.INVALID, "moderation_needs_peer", {"action": command.action.value})
    if command.action is ModerationAction.ADMIT and command.target not in core.peers:
        return _readmit(core, host, command.target)
    return _ON_PEER[command.action](core, host, core.find(command.target), now)


def _mute(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    _must_be_in(target, ModerationAction.MUTE)
    return [MediaMuted(target.id, VOICE, host.id)]


def _stop_video(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    _must_be_in(target, ModerationAction.STOP_VIDEO)
    return [MediaMuted(target.id, PICTURE, host.id)]


def _remove(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:
    """The person goes with all devices, and stays out until a host readmits. Hosts by office cannot be removed."""
    if target.person.key == host.person.key or target.person.role is Role.HOST:
        raise Problem(Kind.FORBIDDEN, "cannot_remove_host")
    core.removed[target.person.key] = target.id
    core.hosts.discard(target.person.key)
    events: list[Event] = []
    for device in core.devices(target.person.key):
        events.append(PeerRemoved(device.id, device.person.key, host.id, target.id))
        events += core.drop(device, LeaveReason.REMOVED, now)
    return events


def _admit(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    if target.admitted:
        return []  # two hosts were quick
    if core.count(PeerState.ADMITTED) >= core.settings.maximum_peers:
        raise Problem(Kind.CONFLICT, "room_full")
    return [PeerAdmitted(target.id), *core.let_in(target, now)]


def _readmit(core: RoomCore, host: Peer, peer_id: str) -> list[Event]:
    for person_key, removed_peer_id in core.removed.items():
        if removed_peer_id == peer_id:
            del core.removed[person_key]
            return [PersonReadmitted(peer_id, person_key, host.id)]
    raise Problem(Kind.NOT_FOUND, "peer_not_found")


def _reject(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    if target.admitted:
        raise Problem(Kind.CONFLICT, "peer_not_waiting", {"state": target.state.value})
    return [PeerRejected(target.id), *core.drop(target, LeaveReason.REJECTED, now)]


def _lower_hand(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    if target.hand_raised_at is None:
        return []
    target.hand_raised_at = None
    return [HandChanged(target.id, raised=False, at=now, by=host.id)]


def _make_host(core: RoomCore, host: Peer, target: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    """In a consultation the roles are the sides, which its record has: the expert is host, the resident is not."""
    if core.occasion.kind is OccasionKind.CONSULTATION:
        raise Problem(Kind.FORBIDDEN, "consultation_takes_no_hosts")
    _must_be_in(target, ModerationAction.MAKE_HOST)
    if target.person.device:
        raise Problem(Kind.FORBIDDEN, "device_cannot_host")
    if target.role is Role.HOST:
        return []
    core.hosts.add(target.person.key)
    events: list[Event] = []
    for device in core.devices(target.person.key):
        device.role = Role.HOST
        events.append(RoleChanged(device.id, device.person.key, Role.HOST, host.id))
    return events


def _mute_all(core: RoomCore, host: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    return [
        MediaMuted(peer.id, VOICE, host.id)
        for peer in core.peers.values()
        if peer.admitted and peer.role is not Role.HOST
    ]


def _lock(core: RoomCore, host: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    if core.locked:
        return []
    core.locked = True
    return [RoomLocked(host.id)]


def _unlock(core: RoomCore, host: Peer, now: datetime) -> list[Event]:  # noqa: ARG001
    if not core.locked:
        return []
    core.locked = False
    return [RoomUnlocked(host.id)]


def _must_be_in(target: Peer, action: ModerationAction) -> None:
    if not target.admitted:
        raise Problem(Kind.CONFLICT, "not_admitted", {"command": action.value, "state": target.state.value})


_ON_ROOM: dict[ModerationAction, Callable[[RoomCore, Peer, datetime], list[Event]]] = {
    ModerationAction.MUTE_ALL: _mute_all,
    ModerationAction.LOCK: _lock,
    ModerationAction.UNLOCK: _unlock,
}

_ON_PEER: dict[ModerationAction, Callable[[RoomCore, Peer, Peer, datetime], list[Event]]] = {
    ModerationAction.MUTE: _mute,
    ModerationAction.STOP_VIDEO: _stop_video,
    ModerationAction.REMOVE: _remove,
    ModerationAction.ADMIT: _admit,
    ModerationAction.REJECT: _reject,
    ModerationAction.LOWER_HAND: _lower_hand,
    ModerationAction.MAKE_HOST: _make_host,
}
