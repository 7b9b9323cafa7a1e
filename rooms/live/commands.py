"""What can be asked of a live room. All frozen; `LiveRoom.handle(command, now)` is the only way in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a room. An observer (列席) sees, hears and speaks, and has no vote."""

    HOST = "host"
    PARTICIPANT = "participant"
    OBSERVER = "observer"


class ModerationAction(StrEnum):
    """What a host may do; the wire's own words."""

    MUTE = "mute"
    STOP_VIDEO = "stopVideo"
    REMOVE = "remove"
    ADMIT = "admit"
    REJECT = "reject"
    LOWER_HAND = "lowerHand"
    MAKE_HOST = "makeHost"
    MUTE_ALL = "muteAll"
    LOCK = "lock"
    UNLOCK = "unlock"


class LeaveReason(StrEnum):
    """Why a peer is gone; `peerLeft` carries it."""

    LEFT = "left"
    LOST = "lost"  # the connection was lost and the grace period passed
    REMOVED = "removed"
    REJECTED = "rejected"  # was waiting and a host said no
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a room ended."""

    HOST = "host"
    ABANDONED = "abandoned"  # nobody came back for a long time after its planned end
    OVERDUE = "overdue"  # it ran longer than any meeting may
    CLOSED = "closed"  # by the rules of its occasion: a consultation was finished or went back to the queue


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the door, as the service has established it.

    `key` is what presence is counted by: `member:<id>`, `account:<id>` for people without a card, `guest:<id>` for
    people invited by a link, `station:<id>` for a desk. `role` is what the person is by office or invitation; a host
    may raise it. A `device:<id>` is an encoder or player with a stream key: nobody is present through it, so it counts
    neither in attendance nor as somebody for whom a room stays open. `known`: was in this room before.
    """

    key: str
    member_id: str | None
    name: str
    role: Role
    device: bool = False
    known: bool = False


@dataclass(frozen=True, slots=True)
class Enter:
    """Come in, or come back with a resume token. An unknown token is an ordinary entry."""

    person: Person
    display_name: str
    resume_token: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection broke without a word. With `connection` given, news of an older connection changes nothing."""

    peer_id: str
    connection: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Go on purpose: no grace period."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class WithdrawDevice:
    """A device's stream key was revoked: it goes at once. Nobody here may be gone already; then nothing happens."""

    person_key: str


@dataclass(frozen=True, slots=True)
class PostChat:
    """Say something in writing to everybody in the room."""

    peer_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RaiseHand:
    """Raise or lower one's own hand; repeating it changes nothing."""

    peer_id: str
    raised: bool


@dataclass(frozen=True, slots=True)
class MarkAgenda:
    """A host says which item of the agenda begins, counted from 0; the one that is on already changes nothing."""

    peer_id: str
    item: int


@dataclass(frozen=True, slots=True)
class Moderate:
    """A host acts; `target` is a peer id, and absent for muteAll, lock and unlock."""

    peer_id: str
    action: ModerationAction
    target: str | None = None


@dataclass(frozen=True, slots=True)
class EndMeeting:
    """End it for everybody. `peer_id` None: the service ends it (HTTP, abandoned) and has checked the right itself.

    `at` None is now; an earlier moment is the end that counts for attendance (an abandoned room ended when it emptied).
    """

    peer_id: str | None = None
    reason: EndReason = EndReason.HOST
    at: datetime | None = None


Command = (
    Enter
    | ConnectionLost
    | Leave
    | WithdrawDevice
    | PostChat
    | RaiseHand
    | MarkAgenda
    | Moderate
    | EndMeeting
)
