"""What `join` answers and `admitted` says: the room as it is at this moment."""

from typing import Any

from recordings.events import RecordingStatus
from rooms.live.commands import Role
from rooms.live.events import ChatPosted
from rooms.live.views import PeerView, RoomSnapshot
from signaling.rooms.hall import Hall
from signaling.rooms.session import Session
from signaling.wire import timestamp, wire


def join_answer(
    session: Session,
    hall: Hall,
    snapshot: RoomSnapshot,
    *,
    ice_servers: list[dict[str, Any]],
    recording: RecordingStatus | None,
    resumed: bool,
) -> dict[str, Any]:
    """All that a participant may know; one who waits learns what a device needs to get ready, and nothing else."""
    answer: dict[str, Any] = {
        "peerId": session.peer_id,
        "resumeToken": session.resume_token,
        "state": "admitted" if session.admitted else "lobby",
        "role": session.role.value,
        "routerRtpCapabilities": hall.router.rtp_capabilities,
        "iceServers": ice_servers,
        "meeting": session.meeting,
        "recordPicture": not hall.hides(session.person_key),
        "resumed": resumed,
        "locked": snapshot.locked,
        "peers": [],
        "recording": None,
        "handRaised": False,
        "waiting": [],
        "chat": [],
        "agenda": {"items": [], "current": None},
        "transports": [],
        "producers": [],
        "consumers": [],
    }
    return answer | _inside(session, hall, snapshot, recording) if session.admitted else answer


def chat_message(message: ChatPosted) -> dict[str, Any]:
    """One line of the chat."""
    return {
        "id": message.id,
        "peerId": message.peer_id,
        "displayName": message.display_name,
        "text": message.text,
        "at": timestamp(message.at),
    }


def _inside(
    session: Session, hall: Hall, snapshot: RoomSnapshot, recording: RecordingStatus | None
) -> dict[str, Any]:
    own = next((view for view in snapshot.peers if view.peer_id == session.peer_id), None)
    waiting = snapshot.waiting if session.role is Role.HOST else ()
    return {
        "peers": [_peer(view, hall) for view in snapshot.peers if view.peer_id != session.peer_id],
        "recording": None if recording is None else wire(recording),
        "handRaised": own is not None and own.hand_raised_at is not None,
        "waiting": [{"peerId": view.peer_id, "displayName": view.display_name} for view in waiting],
        "chat": [chat_message(message) for message in snapshot.chat],
        "agenda": {"items": snapshot.occasion.agenda, "current": snapshot.agenda_item},
        "transports": [
            {"transportId": transport.id, "direction": transport.direction}
            for transport in session.transports.values()
        ],
        "producers": [
            {**publication.view(), "layersWanted": publication.producer.layers_wanted}
            for publication in session.publications.values()
        ],
        "consumers": [
            {
                "consumerId": consumer.id,
                "producerId": consumer.producer_id,
                "paused": consumer.paused,
                "producerPaused": consumer.producer_paused,
                "starved": consumer.starved,
            }
            for consumer in session.consumers.values()
        ],
    }


def _peer(view: PeerView, hall: Hall) -> dict[str, Any]:
    session = hall.session(view.peer_id)
    publications = session.publications.values() if session is not None else ()
    return {
        "peerId": view.peer_id,
        "displayName": view.display_name,
        "role": view.role.value,
        "state": "connected" if view.connected else "reconnecting",
        "handRaised": view.hand_raised_at is not None,
        "producers": [publication.view() for publication in publications],
    }
