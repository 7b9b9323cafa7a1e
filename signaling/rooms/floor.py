"""What people say and hosts decide: chat, hands, moderation, the end. Rooms judge all of it."""

from typing import Any

from rooms import LiveRooms
from rooms.live.commands import Command, EndMeeting, PostChat
from rooms.live.commands import MarkAgenda as MarkAgendaInRoom
from rooms.live.commands import Moderate as ModerateRoom
from rooms.live.commands import RaiseHand as RaiseHandInRoom
from signaling.connection import Connection
from signaling.messages import Nothing
from signaling.rooms.halls import Halls
from signaling.rooms.messages import Chat, MarkAgenda, Moderate, RaiseHand
from signaling.rooms.visitor import Visitor

Answer = dict[str, Any]
From = Connection[Visitor]


class Floor:
    """The handlers that become commands to the live room; what comes of them goes out as room events."""

    def __init__(self, rooms: LiveRooms, halls: Halls) -> None:
        self._rooms = rooms
        self._halls = halls

    async def chat(self, connection: From, message: Chat) -> Answer:
        """A line for everybody."""
        hall, session = self._halls.inside(connection.sid)
        return await self._do(hall.room_id, PostChat(session.peer_id, message.text))

    async def raise_hand(self, connection: From, message: RaiseHand) -> Answer:
        """One's own hand."""
        hall, session = self._halls.inside(connection.sid)
        return await self._do(hall.room_id, RaiseHandInRoom(session.peer_id, message.raised))

    async def mark_agenda(self, connection: From, message: MarkAgenda) -> Answer:
        """A host says which item begins; when this is answered, it is in the records."""
        hall, session = self._halls.inside(connection.sid)
        return await self._do(hall.room_id, MarkAgendaInRoom(session.peer_id, message.item))

    async def moderate(self, connection: From, message: Moderate) -> Answer:
        """A host acts."""
        hall, session = self._halls.inside(connection.sid)
        return await self._do(hall.room_id, ModerateRoom(session.peer_id, message.action, message.peer_id))

    async def end_meeting(self, connection: From, _message: Nothing) -> Answer:
        """A host ends it for everybody."""
        hall, session = self._halls.inside(connection.sid)
        return await self._do(hall.room_id, EndMeeting(session.peer_id))

    async def _do(self, room_id: str, command: Command) -> Answer:
        await self._rooms.handle(room_id, command)
        return {}
