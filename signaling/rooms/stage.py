"""Media: what a participant sends and receives. All of it is his own, found in his session and nowhere else."""

from typing import Any

from errors import Kind, Problem
from signaling.connection import Connection
from signaling.ice_servers import IceServers
from signaling.rooms.hall import Hall
from signaling.rooms.halls import Halls
from signaling.rooms.messages import (
    ConnectTransport,
    Consume,
    ConsumerReference,
    CreateTransport,
    Produce,
    ProducerReference,
    RecordPicture,
    SetPreferredLayers,
    SetPriority,
    TransportReference,
)
from signaling.rooms.session import Session
from signaling.rooms.visitor import Visitor
from signaling.settings import SignalingSettings

Answer = dict[str, Any]
From = Connection[Visitor]


class Stage:
    """The handlers of media events."""

    def __init__(self, halls: Halls, settings: SignalingSettings, ice_servers: IceServers) -> None:
        self._halls = halls
        self._settings = settings
        self._ice_servers = ice_servers

    # Transports

    async def create_transport(self, connection: From, message: CreateTransport) -> Answer:
        """Offer a way for media; admitted from the start, since only the admitted come here."""
        hall, session = self._inside(connection)
        if len(session.transports) >= self._settings.max_transports:
            raise Problem(Kind.CONFLICT, "too_many_transports", {"limit": self._settings.max_transports})
        transport = hall.router.create_transport(message.direction, owner=session.peer_id)
        transport.set_admitted(True)
        hall.add_transport(session, transport)
        return {**transport.parameters(), "iceServers": self._ice_servers.of(session.peer_id)}

    async def connect_transport(self, connection: From, message: ConnectTransport) -> Answer:
        """Begin DTLS with the client's fingerprints."""
        _, session = self._inside(connection)
        await session.transport(message.transport_id).connect(message.dtls_parameters)
        return {}

    async def restart_ice(self, connection: From, message: TransportReference) -> Answer:
        """New ICE credentials for the same transport: Wi-Fi has become mobile data, or TURN's have expired."""
        _, session = self._inside(connection)
        transport = session.transport(message.transport_id)
        return {
            "iceParameters": transport.restart_ice(),
            "iceServers": self._ice_servers.of(session.peer_id),
            "dtlsState": transport.dtls_state.value,
        }

    async def close_transport(self, connection: From, message: TransportReference) -> Answer:
        """Give a transport up, with all that is on it."""
        hall, session = self._inside(connection)
        hall.close_transport(session, session.transport(message.transport_id).id)
        return {}

    # Producers

    async def produce(self, connection: From, message: Produce) -> Answer:
        """Send a track."""
        hall, session = self._inside(connection)
        transport = session.transport(message.transport_id)
        if len(session.publications) >= self._settings.max_producers:
            raise Problem(Kind.CONFLICT, "too_many_producers", {"limit": self._settings.max_producers})
        producer = hall.publish(
            session, transport, message.source, rtp=message.rtp_parameters, paused=message.paused
        )
        return {"id": producer.id}

    async def pause_producer(self, connection: From, message: ProducerReference) -> Answer:
        """Be silent."""
        hall, session = self._inside(connection)
        hall.pause(session.publication(message.producer_id))
        return {}

    async def resume_producer(self, connection: From, message: ProducerReference) -> Answer:
        """Be heard again, also after a host's mute."""
        hall, session = self._inside(connection)
        hall.resume(session.publication(message.producer_id))
        return {}

    async def close_producer(self, connection: From, message: ProducerReference) -> Answer:
        """Stop sending a track."""
        hall, session = self._inside(connection)
        hall.unpublish(session, session.publication(message.producer_id))
        return {}

    async def record_picture(self, connection: From, message: RecordPicture) -> Answer:
        """Be in the picture of the recording, or not: on all of one's devices, for the whole meeting."""
        hall, session = self._inside(connection)
        await self._halls.wish(hall, session, hidden=not message.wanted)
        return {}

    # Consumers

    async def consume(self, connection: From, message: Consume) -> Answer:
        """Receive somebody's track; paused, so that nothing is lost before the client can show it."""
        hall, session = self._inside(connection)
        transport = session.transport(message.transport_id)
        if message.producer_id not in hall.publications:
            raise Problem(Kind.NOT_FOUND, "producer_not_found")
        if len(session.consumers) >= self._settings.max_consumers:
            raise Problem(Kind.CONFLICT, "too_many_consumers", {"limit": self._settings.max_consumers})
        consumer = transport.consume(message.producer_id, message.rtp_capabilities)
        hall.add_consumer(session, consumer)
        return {
            "id": consumer.id,
            "producerId": consumer.producer_id,
            "kind": consumer.kind,
            "rtpParameters": consumer.rtp_parameters,
            "type": consumer.type,
            "producerPaused": consumer.producer_paused,
        }

    async def pause_consumer(self, connection: From, message: ConsumerReference) -> Answer:
        """Receive nothing for a while, as for a picture that is scrolled away."""
        _, session = self._inside(connection)
        session.consumer(message.consumer_id).pause()
        return {}

    async def resume_consumer(self, connection: From, message: ConsumerReference) -> Answer:
        """Receive; pictures begin with a key frame."""
        _, session = self._inside(connection)
        session.consumer(message.consumer_id).resume()
        return {}

    async def close_consumer(self, connection: From, message: ConsumerReference) -> Answer:
        """Receive no more."""
        hall, session = self._inside(connection)
        session.consumer(message.consumer_id).close()
        hall.drop_consumer(session, message.consumer_id)
        return {}

    async def request_key_frame(self, connection: From, message: ConsumerReference) -> Answer:
        """Ask the sender for a whole picture; media throttles."""
        _, session = self._inside(connection)
        session.consumer(message.consumer_id).request_key_frame()
        return {}

    async def set_preferred_layers(self, connection: From, message: SetPreferredLayers) -> Answer:
        """Say how good a picture one has use for."""
        _, session = self._inside(connection)
        consumer = session.consumer(message.consumer_id)
        consumer.set_preferred_layers(message.spatial_layer, message.temporal_layer)
        return {}

    async def set_priority(self, connection: From, message: SetPriority) -> Answer:
        """Say which picture matters most, or leave it to the server again."""
        hall, session = self._inside(connection)
        hall.rank(session, session.consumer(message.consumer_id), message.priority)
        return {}

    def _inside(self, connection: From) -> tuple[Hall, Session]:
        return self._halls.inside(connection.sid)
