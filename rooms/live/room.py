"""The aggregate: one live room. Commands in, events out, no clock and no I/O.

Invariant: nobody is admitted who was removed, and a person has an open presence exactly while one of the person's
admitted peers is connected or within its grace period.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from errors import Kind, Problem
from rooms.live.commands import (
    Command,
    ConnectionLost,
    EndMeeting,
    EndReason,
    Enter,
    Leave,
    LeaveReason,
    MarkAgenda,
    Moderate,
    Person,
    PostChat,
    RaiseHand,
    Role,
    WithdrawDevice,
)
from rooms.live.core import RoomCore, Standing
from rooms.live.events import (
    AgendaMarked,
    ChatPosted,
    Event,
    HandChanged,
    MeetingEnded,
    PeerReconnected,
    PeerReconnecting,
    PeerResumed,
    PeerWaiting,
)
from rooms.live.moderation import moderate
from rooms.live.peers import Peer, PresenceRecord, opens, peer_id_of
from rooms.live.settings import RoomSettings
from rooms.live.views import Occasion, PeerState, PeerView, RoomSnapshot, RoomState
from rooms.texts import clean_text


class LiveRoom:
    """One room from its start to its end.

    `new_id` makes ids of peers and presences, `new_secret` the proofs in resume tokens (unguessable).
    """

    def __init__(
        self,
        occasion: Occasion,
        settings: RoomSettings,
        now: datetime,
        *,
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
        standing: Standing | None = None,
    ) -> None:
        self._core = RoomCore(occasion, settings, standing or Standing(), now, new_id, new_secret)
        self._now = now
        self._handlers: dict[type[Command], Callable[[Any, datetime], list[Event]]] = {
            Enter: self._enter,
            ConnectionLost: self._lose,
            Leave: self._leave,
            WithdrawDevice: self._withdraw,
            PostChat: self._post,
            RaiseHand: self._raise_hand,
            MarkAgenda: self._mark_agenda,
            Moderate: self._moderate,
            EndMeeting: self._end,
        }

    @property
    def occasion(self) -> Occasion:
        """What the room is for."""
        return self._core.occasion

    @property
    def state(self) -> RoomState:
        """Live, or ended for good."""
        return self._core.state

    def handle(self, command: Command, now: datetime) -> list[Event]:
        """Carry out one command; answers what happened, in order. Problem when refused: then nothing has changed."""
        if self._core.state is RoomState.ENDED:
            raise Problem(Kind.CONFLICT, "meeting_ended", {"command": type(command).__name__})
        at = self._advance(now)
        return self._handlers[type(command)](command, at)

    def tick(self, now: datetime) -> list[Event]:
        """Let the clock do its work: peers whose grace period has passed are gone."""
        at = self._advance(now)
        limit = at - timedelta(seconds=self._core.settings.grace)
        lost = [
            peer for peer in self._core.peers.values() if peer.lost_at is not None and peer.lost_at <= limit
        ]
        return [event for peer in lost for event in self._core.drop(peer, LeaveReason.LOST, at)]

    def overdue(self, now: datetime) -> EndMeeting | None:
        """The command that ends the room, when it is abandoned or has run longer than any meeting may."""
        settings, planned_end = self._core.settings, self._core.occasion.planned_end
        if now > planned_end + timedelta(seconds=settings.overdue_after):
            return EndMeeting(None, EndReason.OVERDUE)
        empty_since = self._core.empty_since
        if empty_since is None or now < planned_end:
            return None
        if now - max(empty_since, planned_end) < timedelta(seconds=settings.abandoned_after):
            return None
        return EndMeeting(None, EndReason.ABANDONED, at=self._core.last_present)

    def credentials(self, peer_id: str) -> tuple[int, str]:
        """The number of the peer's present connection and its resume token."""
        peer = self._core.find(peer_id)
        return peer.connection, peer.resume_token

    def view(self, peer_id: str) -> PeerView:
        """One peer as others see it; Problem peer_not_found."""
        return self._core.find(peer_id).view()

    def count(self, state: PeerState) -> int:
        """How many peers stand there."""
        return self._core.count(state)

    def require_host(self, peer_id: str, command: str) -> None:
        """Problem unless the peer is a host and in."""
        self._core.host(peer_id, command)

    def presences(self, now: datetime) -> list[PresenceRecord]:
        """The open presences as they stand now, for the heartbeat."""
        connected = frozenset(
            peer.person.key for peer in self._core.peers.values() if peer.admitted and peer.connected
        )
        return self._core.presences.records(self._advance(now), connected)

    def take_closed(self) -> list[PresenceRecord]:
        """The presences that closed since this was asked last; they never change again."""
        return self._core.presences.take_closed()

    def snapshot(self) -> RoomSnapshot:
        """The room now."""
        peers = self._core.peers.values()
        return RoomSnapshot(
            occasion=self._core.occasion,
            state=self._core.state,
            locked=self._core.locked,
            peers=tuple(peer.view() for peer in peers if peer.admitted),
            waiting=tuple(peer.view() for peer in peers if not peer.admitted),
            chat=tuple(self._core.chat),
            agenda_item=self._core.agenda_item,
        )

    def _advance(self, now: datetime) -> datetime:
        """Time never runs backwards in a room, whatever the machine's clock is set to."""
        self._now = max(self._now, now)
        return self._now

    def _enter(self, command: Enter, now: datetime) -> list[Event]:
        core, person = self._core, command.person
        if person.key in core.removed:
            raise Problem(Kind.FORBIDDEN, "removed")
        if command.resume_token is not None:
            peer = core.peers.get(peer_id_of(command.resume_token))
            if peer is not None and peer.person.key == person.key and opens(command.resume_token, peer):
                return self._resume(peer, now)
        role = core.role_of(person.key, person.role)
        state = self._door(person, role)
        peer = Peer(core.new_id(), person, command.display_name, role, state, now, core.new_secret())
        core.add(peer)
        if state is PeerState.LOBBY:
            return [PeerWaiting(peer.id, peer.display_name, role, now)]
        return core.let_in(peer, now)

    def _door(self, person: Person, role: Role) -> PeerState:
        """Where somebody who comes in new will stand; Problem when there is no place for him."""
        core, person_key = self._core, person.key
        if len(core.devices(person_key)) >= core.settings.maximum_devices:
            raise Problem(Kind.CONFLICT, "too_many_devices", {"maximum": core.settings.maximum_devices})
        known = role is Role.HOST or person.known or person_key in core.admitted
        if core.locked and not known:
            raise Problem(Kind.FORBIDDEN, "room_locked")
        if core.occasion.lobby and not known and not person.device:  # a host made its key
            if core.count(PeerState.LOBBY) >= core.settings.maximum_waiting:
                raise Problem(Kind.CONFLICT, "lobby_full", {"maximum": core.settings.maximum_waiting})
            return PeerState.LOBBY
        if core.count(PeerState.ADMITTED) >= core.settings.maximum_peers and role is not Role.HOST:
            raise Problem(Kind.CONFLICT, "room_full", {"maximum": core.settings.maximum_peers})
        return PeerState.ADMITTED

    def _resume(self, peer: Peer, now: datetime) -> list[Event]:
        """Move the peer to a new connection; the token is spent. The older connection may not know yet that it died."""
        was_lost = not peer.connected
        peer.connection += 1
        peer.secret = self._core.new_secret()
        peer.lost_at = None
        if peer.admitted and not peer.person.device:
            self._core.presences.alive(peer.person.key, now)
            self._core.look_whether_empty(now)
        events: list[Event] = [PeerResumed(peer.id, peer.connection)]
        return [*events, PeerReconnected(peer.id)] if was_lost else events

    def _lose(self, command: ConnectionLost, now: datetime) -> list[Event]:
        """News of a connection that is not the peer's present one, or of a peer that is gone, is late and harmless."""
        peer = self._core.peers.get(command.peer_id)
        if peer is None or not peer.connected or command.connection not in {None, peer.connection}:
            return []
        peer.lost_at = now
        if peer.admitted and not peer.person.device:
            self._core.presences.alive(peer.person.key, now)
            self._core.look_whether_empty(now)
        return [PeerReconnecting(peer.id)]

    def _leave(self, command: Leave, now: datetime) -> list[Event]:
        return self._core.drop(self._core.find(command.peer_id), LeaveReason.LEFT, now)

    def _withdraw(self, command: WithdrawDevice, now: datetime) -> list[Event]:
        devices = self._core.devices(command.person_key)
        return [event for peer in devices for event in self._core.drop(peer, LeaveReason.REMOVED, now)]

    def _moderate(self, command: Moderate, now: datetime) -> list[Event]:
        return moderate(self._core, command, now)

    def _post(self, command: PostChat, now: datetime) -> list[Event]:
        core = self._core
        peer = core.acting(command.peer_id, "chat")
        text = clean_text(command.text, core.settings.chat_length, "chat_text_invalid")
        core.chat_count += 1
        message = ChatPosted(core.chat_count, peer.id, peer.display_name, text, now)
        core.chat.append(message)
        return [message]

    def _raise_hand(self, command: RaiseHand, now: datetime) -> list[Event]:
        peer = self._core.acting(command.peer_id, "raiseHand")
        if command.raised is (peer.hand_raised_at is not None):
            return []
        peer.hand_raised_at = now if command.raised else None
        return [HandChanged(peer.id, raised=command.raised, at=now, by=peer.id)]

    def _mark_agenda(self, command: MarkAgenda, now: datetime) -> list[Event]:
        core = self._core
        core.host(command.peer_id, "markAgenda")
        items = core.occasion.agenda
        if not 0 <= command.item < len(items):
            raise Problem(Kind.NOT_FOUND, "agenda_item_not_found", {"items": len(items)})
        if command.item == core.agenda_item:
            return []
        core.agenda_item = command.item
        return [AgendaMarked(command.item, items[command.item], now, command.peer_id)]

    def _end(self, command: EndMeeting, now: datetime) -> list[Event]:
        core = self._core
        if command.peer_id is not None:
            core.host(command.peer_id, "endMeeting")
        events = [
            event for peer in list(core.peers.values()) for event in core.drop(peer, LeaveReason.ENDED, now)
        ]
        core.state = RoomState.ENDED
        return [*events, MeetingEnded(command.at or now, command.reason)]
