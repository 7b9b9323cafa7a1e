"""What a live room shows to the outside: frozen, without tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rooms.live.commands import Role
from rooms.live.events import ChatPosted


class OccasionKind(StrEnum):
    """What a room is for."""

    MEETING = "meeting"
    CONSULTATION = "consultation"


class RoomState(StrEnum):
    """A room is live from its start to its end; before and after it does not exist."""

    LIVE = "live"
    ENDED = "ended"


class PeerState(StrEnum):
    """Where a peer stands. The first two are what `join` answers."""

    ADMITTED = "admitted"
    LOBBY = "lobby"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a live room must know of its meeting or consultation."""

    id: str
    kind: OccasionKind
    organization_id: str
    title: str
    record: bool
    lobby: bool
    planned_end: datetime
    started_at: datetime
    agenda: tuple[str, ...] = ()  # its items


@dataclass(frozen=True, slots=True)
class PeerView:
    """One peer as others see it."""

    peer_id: str
    person_key: str
    member_id: str | None
    display_name: str
    role: Role
    state: PeerState
    connected: bool
    hand_raised_at: datetime | None
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """The room now: admitted peers in order of joining, waiting ones in order of coming, the last chat messages."""

    occasion: Occasion
    state: RoomState
    locked: bool
    peers: tuple[PeerView, ...]
    waiting: tuple[PeerView, ...]
    chat: tuple[ChatPosted, ...]
    agenda_item: int | None = None  # the one that is on, from 0
