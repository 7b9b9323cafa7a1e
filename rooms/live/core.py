"""The state of a live room and the few steps that every change is made of. Only this package touches it."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from errors import Kind, Problem
from rooms.live.commands import LeaveReason, Role
from rooms.live.events import ChatPosted, Event, PeerJoined, PeerLeft
from rooms.live.peers import Peer
from rooms.live.presence import PresenceBook
from rooms.live.settings import RoomSettings
from rooms.live.views import Occasion, PeerState, RoomState


@dataclass(frozen=True, slots=True)
class Standing:
    """What outlives the process: who was removed (person key -> the peer id then), was in, was made host; the lock.

    `last_present` is when somebody was last seen in the room before, `agenda_item` the item that was on then.
    """

    removed: dict[str, str] = field(default_factory=dict)
    admitted: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    locked: bool = False
    last_present: datetime | None = None
    agenda_item: int | None = None


class RoomCore:
    """Peers, people and the door of one room."""

    def __init__(
        self,
        occasion: Occasion,
        settings: RoomSettings,
        standing: Standing,
        now: datetime,
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
    ) -> None:
        self.occasion = occasion
        self.settings = settings
        self.new_id = new_id
        self.new_secret = new_secret
        self.state = RoomState.LIVE
        self.locked = standing.locked
        self.agenda_item = standing.agenda_item
        self.removed = dict(standing.removed)
        self.admitted = set(standing.admitted)  # people who were in: the lobby and the lock are behind them
        self.hosts = set(standing.hosts)  # people made host here, beside those who are by office
        self.peers: dict[str, Peer] = {}  # in order of coming
        self._devices: dict[str, dict[str, Peer]] = {}  # the same by person key
        self._counts: Counter[PeerState] = Counter()
        self.presences = PresenceBook(new_id)
        self.chat: deque[ChatPosted] = deque(maxlen=settings.chat_history)
        self.chat_count = 0
        self.empty_since: datetime | None = now
        self.last_present = max(standing.last_present or occasion.started_at, occasion.started_at)

    def find(self, peer_id: str) -> Peer:
        """The peer, admitted or waiting; Problem peer_not_found."""
        peer = self.peers.get(peer_id)
        if peer is None:
            raise Problem(Kind.NOT_FOUND, "peer_not_found")
        return peer

    def acting(self, peer_id: str, command: str) -> Peer:
        """The peer that asks for `command`, which only the admitted may; Problem peer_not_found, not_admitted."""
        peer = self.find(peer_id)
        if not peer.admitted:
            raise Problem(Kind.CONFLICT, "not_admitted", {"command": command, "state": peer.state.value})
        return peer

    def host(self, peer_id: str, command: str) -> Peer:
        """The peer that asks for `command`, which only hosts may; Problem peer_not_found, not_admitted, forbidden."""
        peer = self.acting(peer_id, command)
        if peer.role is not Role.HOST:
            raise Problem(Kind.FORBIDDEN, "forbidden", {"command": command, "role": peer.role.value})
        return peer

    def devices(self, person_key: str) -> list[Peer]:
        """All peers of one person, waiting ones too."""
        return list(self._devices.get(person_key, {}).values())

    def role_of(self, person_key: str, by_office: Role) -> Role:
        """What the person is here: by office or invitation, or made host."""
        return Role.HOST if person_key in self.hosts else by_office

    def count(self, state: PeerState) -> int:
        """How many peers are in, or wait."""
        return self._counts[state]

    def add(self, peer: Peer) -> None:
        """The peer stands where its state says. What a coming costs must not grow with how many came before."""
        self.peers[peer.id] = peer
        self._devices.setdefault(peer.person.key, {})[peer.id] = peer
        self._counts[peer.state] += 1

    def let_in(self, peer: Peer, now: datetime) -> list[Event]:
        """The peer is in from now on."""
        self._move(peer, PeerState.ADMITTED)
        self.admitted.add(peer.person.key)
        events: list[Event] = []
        if not peer.person.device:
            # One who is admitted within its grace period was there until the loss, and may come back.
            events += self.presences.came(peer.person, peer.lost_at or now)
        events.append(
            PeerJoined(peer.id, peer.person.key, peer.person.member_id, peer.display_name, peer.role, now)
        )
        self.look_whether_empty(now)
        return events

    def drop(self, peer: Peer, reason: LeaveReason, now: datetime) -> list[Event]:
        """The peer is gone for good, and its resume token with it."""
        del self.peers[peer.id]
        devices = self._devices[peer.person.key]
        del devices[peer.id]
        if not devices:
            del self._devices[peer.person.key]
        waiting = not peer.admitted
        self._move(peer, PeerState.GONE)
        events: list[Event] = [PeerLeft(peer.id, reason, waiting)]
        if not waiting and not peer.person.device:
            if peer.connected:
                self.presences.alive(peer.person.key, now)
            rest = [other for other in self.devices(peer.person.key) if other.admitted]
            events += self.presences.went(peer.person.key, now, rest)
            self.look_whether_empty(now)
        return events

    def _move(self, peer: Peer, state: PeerState) -> None:
        self._counts[peer.state] -= 1
        peer.state = state
        self._counts[state] += 1

    def look_whether_empty(self, now: datetime) -> None:
        """Note since when no admitted person has a living connection: a camera left on keeps no room open."""
        if any(peer.admitted and peer.connected and not peer.person.device for peer in self.peers.values()):
            self.empty_since = None
        elif self.empty_since is None:
            self.empty_since = now
            self.last_present = now
