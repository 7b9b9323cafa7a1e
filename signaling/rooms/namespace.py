"""`/rooms`: the table of everything a client may send there."""

from typing import Final

from aiohttp import web

from localization import ErrorTexts
from signaling.connection import Connection
from signaling.cookies import SESSION_COOKIE
from signaling.messages import Nothing
from signaling.namespace import Entry, Table, TableNamespace
from signaling.rooms.door import Door
from signaling.rooms.floor import Floor
from signaling.rooms.measures import Measures
from signaling.rooms.messages import (
    Chat,
    ConnectTransport,
    Consume,
    ConsumerReference,
    CreateTransport,
    GetStats,
    Join,
    MarkAgenda,
    Moderate,
    Produce,
    ProducerReference,
    RaiseHand,
    RecordPicture,
    SetPreferredLayers,
    SetPriority,
    TransportReference,
)
from signaling.rooms.stage import Stage
from signaling.rooms.visitor import Doorman, Visitor
from signaling.statistics import Counters

# A join answers with the whole room and reads the records; the others are told to everybody: with 600 in a room one
# person's chatter is 600 messages each time.
JOIN_COST: Final = 10.0
TOLD_COST: Final = 5.0
# As many bytes as twenty other answers; a client that looks every five seconds or so is far below its allowance.
STATS_COST: Final = 20.0


def rooms_table(door: Door, stage: Stage, floor: Floor, measures: Measures) -> Table[Visitor]:
    """Event name -> (model, handler)."""
    return {
        "join": Entry(Join, door.join, JOIN_COST),
        "leave": Entry(Nothing, door.leave),
        "createTransport": Entry(CreateTransport, stage.create_transport),
        "connectTransport": Entry(ConnectTransport, stage.connect_transport),
        "restartIce": Entry(TransportReference, stage.restart_ice),
        "closeTransport": Entry(TransportReference, stage.close_transport),
        "produce": Entry(Produce, stage.produce),
        "pauseProducer": Entry(ProducerReference, stage.pause_producer, TOLD_COST),
        "resumeProducer": Entry(ProducerReference, stage.resume_producer, TOLD_COST),
        "closeProducer": Entry(ProducerReference, stage.close_producer),
        "consume": Entry(Consume, stage.consume),
        "resumeConsumer": Entry(ConsumerReference, stage.resume_consumer),
        "pauseConsumer": Entry(ConsumerReference, stage.pause_consumer),
        "closeConsumer": Entry(ConsumerReference, stage.close_consumer),
        "requestKeyFrame": Entry(ConsumerReference, stage.request_key_frame),
        "setPreferredLayers": Entry(SetPreferredLayers, stage.set_preferred_layers),
        "setPriority": Entry(SetPriority, stage.set_priority),
        "getStats": Entry(GetStats, measures.get_stats, STATS_COST),
        "chat": Entry(Chat, floor.chat, TOLD_COST),
        "raiseHand": Entry(RaiseHand, floor.raise_hand, TOLD_COST),
        "recordPicture": Entry(RecordPicture, stage.record_picture),
        "markAgenda": Entry(MarkAgenda, floor.mark_agenda, TOLD_COST),
        "moderate": Entry(Moderate, floor.moderate),
        "endMeeting": Entry(Nothing, floor.end_meeting),
    }


class RoomsNamespace(TableNamespace[Visitor]):
    """Lets visitors in, and tells the door when a connection is lost."""

    name = "/rooms"

    def __init__(
        self, table: Table[Visitor], door: Door, doorman: Doorman, counters: Counters, texts: ErrorTexts
    ) -> None:
        super().__init__(table, counters, texts)
        self._door = door
        self._doorman = doorman

    def drain(self) -> None:
        """Refuse new connections, and joins on those that are there."""
        super().drain()
        self._door.drain()

    async def _identify(self, request: web.Request, token: str | None) -> Visitor | None:
        return await self._doorman.recognize(token, request.cookies.get(SESSION_COOKIE))

    async def _gone(self, connection: Connection[Visitor]) -> None:
        await self._door.lost(connection)
