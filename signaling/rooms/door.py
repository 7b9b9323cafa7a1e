"""Coming in, coming back, going: `join`, `leave`, and the loss of a connection."""

from collections.abc import Callable
from typing import Any

from errors import Kind, Problem
from rooms import LiveRooms
from rooms.live.commands import ConnectionLost, Leave
from rooms.live.peers import peer_id_of
from rooms.live.service import Entered
from rooms.live.views import PeerState, PeerView, RoomSnapshot
from signaling.connection import Connection
from signaling.ice_servers import IceServers
from signaling.messages import Nothing
from signaling.rooms.hall import Hall
from signaling.rooms.halls import Halls
from signaling.rooms.messages import Join
from signaling.rooms.session import Session
from signaling.rooms.snapshot import join_answer
from signaling.rooms.visitor import Doorman, Visitor
from signaling.wire import timestamp, wire


class Door:
    """Between a connection and a session."""

    def __init__(
        self,
        rooms: LiveRooms,
        halls: Halls,
        doorman: Doorman,
        ice_servers: IceServers,
        *,
        is_alive: Callable[[str], bool],
    ) -> None:
        """`is_alive` tells whether a connection is still there, by sid."""
        self._rooms = rooms
        self._halls = halls
        self._doorman = doorman
        self._ice_servers = ice_servers
        self._is_alive = is_alive
        self._draining = False

    def drain(self) -> None:
        """Let nobody in from now on; who is in stays."""
        self._draining = True

    async def join(self, connection: Connection[Visitor], message: Join) -> dict[str, Any]:
        """Enter or resume; from `enter` on nothing waits, so the answer is the room as the next events find it."""
        if self._draining:
            raise Problem(Kind.UNAVAILABLE, "server_draining")
        if self._halls.session(connection.sid) is not None:
            raise Problem(Kind.CONFLICT, "already_joined")
        credential = await self._doorman.credential(connection.identity)
        if credential is None:
            raise Problem(Kind.UNAUTHENTICATED, "unauthenticated")
        entered = await self._rooms.enter(
            credential, message.meeting_id, message.display_name, self._resume_token(message)
        )
        known = self._known(entered)
        if known is not None:
            known.renew(entered.resume_token)
        if not self._is_alive(connection.sid):
            await self._rooms.handle(entered.room_id, ConnectionLost(entered.peer_id, entered.connection))
            raise Problem(Kind.CONFLICT, "not_joined")
        snapshot, view = self._look(entered)
        hall = self._halls.open(snapshot.occasion)
        session = known or self._new_session(hall, entered, view, snapshot)
        session.role = view.role
        session.admitted = view.state is PeerState.ADMITTED
        self._halls.seat(session, connection.sid, entered.connection)
        # Who is hidden stays so, whatever another device of his, or one whose line was cut, says as it comes in.
        if message.record_picture is False:
            self._halls.wish_soon(hall, session, hidden=True)
        return self.answer(hall, session, snapshot, resumed=entered.resumed)

    async def leave(self, connection: Connection[Visitor], _message: Nothing) -> dict[str, Any]:
        """Go on purpose; the connection stays and may join again."""
        session = self._halls.session(connection.sid)
        if session is None:
            raise Problem(Kind.CONFLICT, "not_joined")
        await self._rooms.handle(session.room_id, Leave(session.peer_id))
        return {}

    async def lost(self, connection: Connection[Visitor]) -> None:
        """The connection is gone, which is not leaving: media go on, and the grace period begins."""
        session = self._halls.session(connection.sid)
        if session is None:
            return
        number = session.connection
        self._halls.unseat(session)
        await self._rooms.handle(session.room_id, ConnectionLost(session.peer_id, number))

    def admitted(self, hall: Hall, session: Session) -> None:
        """Tell one who waited that he is in."""
        snapshot = self._rooms.snapshot(hall.room_id)
        if snapshot is not None:
            hall.tell(session, "admitted", self.answer(hall, session, snapshot, resumed=False))

    def answer(
        self, hall: Hall, session: Session, snapshot: RoomSnapshot, *, resumed: bool
    ) -> dict[str, Any]:
        """The room as this participant may see it."""
        return join_answer(
            session,
            hall,
            snapshot,
            ice_servers=self._ice_servers.of(session.peer_id),
            recording=self._halls.recording(hall.room_id),
            resumed=resumed,
        )

    def _resume_token(self, message: Join) -> str | None:
        """The token that rooms knows: the client's, or the one that followed it if its answer was lost."""
        token, hall = message.resume_token, self._halls.get(message.meeting_id)
        if token is None or hall is None:
            return token
        session = hall.session(peer_id_of(token))
        return session.resume_token if session is not None and session.returns_with(token) else token

    def _look(self, entered: Entered) -> tuple[RoomSnapshot, PeerView]:
        """The room now: between entering and this moment one may have been removed, or the meeting ended."""
        snapshot = self._rooms.snapshot(entered.room_id)
        if snapshot is None:
            raise Problem(Kind.CONFLICT, "meeting_ended")
        for view in (*snapshot.peers, *snapshot.waiting):
            if view.peer_id == entered.peer_id:
                return snapshot, view
        raise Problem(Kind.FORBIDDEN, "removed")

    def _known(self, entered: Entered) -> Session | None:
        """The session of one who came back."""
        hall = self._halls.get(entered.room_id)
        return hall.session(entered.peer_id) if hall is not None else None

    @staticmethod
    def _new_session(hall: Hall, entered: Entered, view: PeerView, snapshot: RoomSnapshot) -> Session:
        session = hall.sessions[entered.peer_id] = Session(
            peer_id=entered.peer_id,
            room_id=entered.room_id,
            person_key=view.person_key,
            member_id=view.member_id,
            display_name=view.display_name,
            role=view.role,
            admitted=False,
            resume_token=entered.resume_token,
            connection=entered.connection,
            sid=None,
            meeting=_meeting(entered, snapshot),
        )
        return session


def _meeting(entered: Entered, snapshot: RoomSnapshot) -> dict[str, Any]:
    if entered.meeting is not None:
        meeting: dict[str, Any] = wire(entered.meeting)
        return meeting
    occasion = snapshot.occasion
    return {
        "id": occasion.id,
        "organizationId": occasion.organization_id,
        "kind": occasion.kind.value,
        "title": occasion.title,
        "startedAt": timestamp(occasion.started_at),
        "record": occasion.record,
        "lobby": occasion.lobby,
        "consultation": wire(entered.consultation),
    }
