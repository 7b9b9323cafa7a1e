"""What happened in a live room, as messages and changes of media: here a person's going closes his media."""

from collections.abc import Callable

from rooms.live.commands import LeaveReason, Role
from rooms.live.events import (
    AgendaMarked,
    ChatPosted,
    Event,
    HandChanged,
    MediaMuted,
    MeetingEnded,
    MeetingStarted,
    PeerAdmitted,
    PeerJoined,
    PeerLeft,
    PeerReconnected,
    PeerReconnecting,
    PeerRejected,
    PeerRemoved,
    PeerResumed,
    PeerWaiting,
    RoleChanged,
    RoomLocked,
    RoomUnlocked,
    Source,
)
from signaling.rooms.hall import Hall
from signaling.rooms.halls import Halls
from signaling.rooms.session import Session
from signaling.rooms.snapshot import chat_message
from signaling.wire import timestamp

LEAVE_REASONS = {
    LeaveReason.LEFT: "left",
    LeaveReason.LOST: "lost",
    LeaveReason.REMOVED: "removed",
    LeaveReason.REJECTED: "rejected",
    LeaveReason.ENDED: "ended",
}


class RoomNews:
    """The listener of all live rooms."""

    def __init__(
        self, halls: Halls, admitted: Callable[[Hall, Session], None], disconnect: Callable[[str], None]
    ) -> None:
        """`admitted` sends the join answer to one who waited; `disconnect` closes a connection by sid."""
        self._halls = halls
        self._admitted = admitted
        self._disconnect = disconnect

    def on_room_event(self, room_id: str, event: Event) -> None:
        """Tell of one event; nobody is there to be told of a room without a hall."""
        if isinstance(event, MeetingEnded):
            self._halls.close(room_id)
            return
        hall = self._halls.get(room_id)
        if hall is not None:
            self._tell(hall, event)

    def _tell(self, hall: Hall, event: Event) -> None:  # noqa: C901, PLR0912 - a table of events, a line or two each
        match event:
            case PeerJoined(peer_id=peer, display_name=name, role=role):
                hall.tell_everybody(
                    "peerJoined", {"peerId": peer, "displayName": name, "role": role.value}, but=peer
                )
            case PeerWaiting(peer_id=peer, display_name=name):
                hall.tell_hosts("lobby", {"peerId": peer, "displayName": name, "waiting": True})
            case PeerAdmitted(peer_id=peer):
                self._let_in(hall, peer)
            case PeerRejected(peer_id=peer):
                hall.tell(hall.session(peer), "rejected", {})
            case PeerRemoved(peer_id=peer):
                self._remove(hall, peer)
            case PeerLeft():
                self._close(hall, event)
            case PeerReconnecting(peer_id=peer):
                self._tell_of_connection(hall, "peerReconnecting", peer)
            case PeerReconnected(peer_id=peer):
                self._tell_of_connection(hall, "peerReconnected", peer)
            case PeerResumed(peer_id=peer):
                self._take_over(hall, peer)
            case HandChanged(peer_id=peer, raised=raised, at=at):
                hall.tell_everybody("handRaised", {"peerId": peer, "raised": raised, "at": timestamp(at)})
            case ChatPosted():
                hall.tell_everybody("chat", chat_message(event))
            case AgendaMarked(item=item, at=at):
                hall.mark(item, at)
            case RoleChanged(peer_id=peer, role=role):
                self._change_role(hall, peer, role)
            case MediaMuted(peer_id=peer, sources=sources):
                self._mute(hall, peer, sources)
            case RoomLocked() | RoomUnlocked():
                hall.tell_everybody("roomLocked", {"locked": isinstance(event, RoomLocked)})
            case MeetingStarted(at=at):
                hall.tell_everybody("meetingStarted", {"startedAt": timestamp(at)})

    def _let_in(self, hall: Hall, peer_id: str) -> None:
        session = hall.session(peer_id)
        if session is None:
            return
        session.admitted = True
        self._tell_no_longer_waiting(hall, session)
        self._admitted(hall, session)

    def _remove(self, hall: Hall, peer_id: str) -> None:
        """Media first: nothing more goes in or out, then the person hears of it, and who saw him wait."""
        session = hall.session(peer_id)
        if session is None:
            return
        hall.close_session(session)
        hall.tell(session, "removed", {"reason": "removed"})
        self._halls.unseat(session)
        if not session.admitted:
            self._tell_no_longer_waiting(hall, session)

    def _close(self, hall: Hall, event: PeerLeft) -> None:
        session = hall.session(event.peer_id)
        if session is not None:
            hall.close_session(session)
            if event.reason is LeaveReason.ENDED:
                hall.tell(session, "meetingEnded", {})
            self._halls.unseat(session)
            if event.waiting:
                self._tell_no_longer_waiting(hall, session)
        if not event.waiting and event.reason is not LeaveReason.ENDED:
            hall.tell_everybody("peerLeft", {"peerId": event.peer_id, "reason": LEAVE_REASONS[event.reason]})

    @staticmethod
    def _tell_of_connection(hall: Hall, event: str, peer_id: str) -> None:
        """Nobody knows of those who wait but hosts, who see only that they wait."""
        session = hall.session(peer_id)
        if session is not None and session.admitted:
            hall.tell_everybody(event, {"peerId": peer_id}, but=peer_id)

    @staticmethod
    def _mute(hall: Hall, peer_id: str, sources: frozenset[Source]) -> None:
        session = hall.session(peer_id)
        for publication in session.of_sources(sources) if session is not None else ():
            hall.pause(publication, by_host=True)

    def _take_over(self, hall: Hall, peer_id: str) -> None:
        """The older connection is void: its media belong to the newer, which is seated when its join is answered."""
        session = hall.session(peer_id)
        if session is None or session.sid is None:
            return
        hall.tell(session, "removed", {"reason": "taken_over"})
        sid = self._halls.unseat(session)
        if sid is not None:
            self._disconnect(sid)

    def _change_role(self, hall: Hall, peer_id: str, role: Role) -> None:
        session = hall.session(peer_id)
        if session is None:
            return
        session.role = role
        hall.tell_everybody("roleChanged", {"peerId": peer_id, "role": role.value})
        if role is Role.HOST:
            for waiting in hall.sessions.values():
                if not waiting.admitted:
                    payload = {
                        "peerId": waiting.peer_id,
                        "displayName": waiting.display_name,
                        "waiting": True,
                    }
                    hall.tell(session, "lobby", payload)

    @staticmethod
    def _tell_no_longer_waiting(hall: Hall, session: Session) -> None:
        payload = {"peerId": session.peer_id, "displayName": session.display_name, "waiting": False}
        hall.tell_hosts("lobby", payload)
