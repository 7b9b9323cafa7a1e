"""The mutable parts inside a live room: its peers and the presence of its people. Only `room.LiveRoom` changes them."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from rooms.live.commands import Person, Role
from rooms.live.views import PeerState, PeerView

TOKEN_SEPARATOR = "."  # noqa: S105 - stands between the two parts of a resume token


@dataclass(slots=True)
class Peer:
    """One device of a person. `lost_at` is set exactly while its connection is lost."""

    id: str
    person: Person
    display_name: str
    role: Role
    state: PeerState
    joined_at: datetime
    secret: str
    connection: int = 1
    lost_at: datetime | None = None
    hand_raised_at: datetime | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection of it is alive."""
        return self.lost_at is None

    @property
    def admitted(self) -> bool:
        """Whether it is in, not waiting."""
        return self.state is PeerState.ADMITTED

    @property
    def resume_token(self) -> str:
        """What brings it back after a lost connection: says which peer, and proves it."""
        return f"{self.id}{TOKEN_SEPARATOR}{self.secret}"

    def view(self) -> PeerView:
        """As others see it."""
        return PeerView(
            peer_id=self.id,
            person_key=self.person.key,
            member_id=self.person.member_id,
            display_name=self.display_name,
            role=self.role,
            state=self.state,
            connected=self.connected,
            hand_raised_at=self.hand_raised_at,
            joined_at=self.joined_at,
        )


def opens(token: str, peer: Peer) -> bool:
    """Whether `token` is the peer's own, compared in constant time."""
    return hmac.compare_digest(token.encode(errors="replace"), peer.resume_token.encode())


def peer_id_of(token: str) -> str:
    """The peer that a resume token speaks of, unproven."""
    return token.partition(TOKEN_SEPARATOR)[0]


@dataclass(slots=True)
class Presence:
    """One person's unbroken presence. `alive_until` is when the last of the devices was last connected."""

    id: str
    person: Person
    opened_at: datetime
    alive_until: datetime


@dataclass(frozen=True, slots=True)
class PresenceRecord:
    """A presence as it goes to the database; `closed` ones never change again."""

    id: str
    person: Person
    opened_at: datetime
    last_seen_at: datetime
    closed: bool
