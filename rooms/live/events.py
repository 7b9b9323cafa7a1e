"""What happened in a live room. All frozen, in the order in which it happened.

Listeners get them as `on_room_event(room_id, event)`. Names of people and chat texts are in them: send them to the
people in the room, never to a log.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rooms.live.commands import EndReason, LeaveReason, Role


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """A peer is in (admitted): everybody else may be told. Comes after PeerAdmitted for one who waited."""

    peer_id: str
    person_key: str
    member_id: str | None
    display_name: str
    role: Role
    at: datetime


@dataclass(frozen=True, slots=True)
class PeerWaiting:
    """A peer waits in the lobby: tell the hosts. Nothing is forwarded to or from it."""

    peer_id: str
    display_name: str
    role: Role
    at: datetime


@dataclass(frozen=True, slots=True)
class PeerAdmitted:
    """A host let the waiting peer in: tell it, open its media. PeerJoined follows."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class PeerRejected:
    """A host refused the waiting peer: tell it. PeerLeft(rejected) follows."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class PeerRemoved:
    """A host removed the peer: tell it. PeerLeft(removed) follows, and its resume token is dead.

    `named` is the device of the person that the host named: by that one he may be readmitted.
    """

    peer_id: str
    person_key: str
    by: str
    named: str


@dataclass(frozen=True, slots=True)
class PersonReadmitted:
    """A host let a removed person come again; nobody is in yet. `peer_id` is the one named when he was removed."""

    peer_id: str
    person_key: str
    by: str


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """The peer is gone for good: close its media. `waiting`: it never was in, so only the hosts knew of it."""

    peer_id: str
    reason: LeaveReason
    waiting: bool


@dataclass(frozen=True, slots=True)
class PeerReconnecting:
    """The peer's connection is lost; its media stay as they are until PeerReconnected, PeerResumed or PeerLeft."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class PeerReconnected:
    """The peer that was reconnecting is back. Follows PeerResumed."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class PeerResumed:
    """A resume token moved the peer to connection number `connection`; an older connection of it is void: close it."""

    peer_id: str
    connection: int


@dataclass(frozen=True, slots=True)
class HandChanged:
    """A hand went up or down; `by` is the host who lowered it, else the peer itself."""

    peer_id: str
    raised: bool
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ChatPosted:
    """A message for everybody admitted; ids grow, so that a client that comes back can tell what it has."""

    id: int
    peer_id: str
    display_name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AgendaMarked:
    """An item of the agenda, counted from 0, has begun."""

    item: int
    title: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """The peer's role is now `role`."""

    peer_id: str
    person_key: str
    role: Role
    by: str


class Source(StrEnum):
    """What a producer shows; the wire's own words."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN = "screen"
    SCREEN_AUDIO = "screenAudio"


@dataclass(frozen=True, slots=True)
class MediaMuted:
    """A host silenced the peer: pause its producers of these sources (it may resume them itself)."""

    peer_id: str
    sources: frozenset[Source]
    by: str


@dataclass(frozen=True, slots=True)
class RoomLocked:
    """Nobody new comes in; those who were in may come back."""

    by: str


@dataclass(frozen=True, slots=True)
class RoomUnlocked:
    """The door is open again."""

    by: str


@dataclass(frozen=True, slots=True)
class MeetingStarted:
    """The room is live. `recovered`: it already was, before this process started."""

    at: datetime
    record: bool
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class MeetingEnded:
    """The room is over; a PeerLeft(ended) for every peer came before. `at` is the end that counts for attendance."""

    at: datetime
    reason: EndReason


@dataclass(frozen=True, slots=True)
class PresenceOpened:
    """A person's presence began: the first device is in."""

    presence_id: str
    person_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PresenceClosed:
    """A person's presence ended at `at`, when the last device was last connected (not when its grace period passed)."""

    presence_id: str
    person_key: str
    at: datetime


Event = (
    PeerJoined
    | PeerWaiting
    | PeerAdmitted
    | PeerRejected
    | PeerRemoved
    | PersonReadmitted
    | PeerLeft
    | PeerReconnecting
    | PeerReconnected
    | PeerResumed
    | HandChanged
    | ChatPosted
    | AgendaMarked
    | RoleChanged
    | MediaMuted
    | RoomLocked
    | RoomUnlocked
    | MeetingStarted
    | MeetingEnded
    | PresenceOpened
    | PresenceClosed
)
