"""`/connection-test`: open to everybody, since who cannot sign in may need it most; bounded in number and time."""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from errors import Kind, Problem
from localization import ErrorTexts
from signaling.connection import Connection
from signaling.connection_test.echo import MAX_CONSUMERS, MAX_PRODUCERS, MAX_TRANSPORTS, Echoes
from signaling.connection_test.messages import OpenTransport, SendTrack
from signaling.cookies import SESSION_COOKIE
from signaling.ice_servers import IceServers
from signaling.messages import Nothing
from signaling.namespace import Entry, Table, TableNamespace
from signaling.rooms.messages import ConnectTransport, Consume, ConsumerReference, TransportReference
from signaling.rooms.visitor import Doorman
from signaling.settings import SignalingSettings
from signaling.statistics import Counters

BEGIN_COST = 50.0
Answer = dict[str, Any]
Post = Callable[[Iterable[str], str, Any], None]


@dataclass(frozen=True)
class Tester:
    """`source` is an IPv4 address or a /64, of which an IPv6 line has one."""

    source: str
    known: bool  # signed in, or with a room token


From = Connection[Tester]


class TestBench:
    """The handlers."""

    __test__ = False  # the name is the domain's, not pytest's

    def __init__(
        self, echoes: Echoes, settings: SignalingSettings, ice_servers: IceServers, post: Post
    ) -> None:
        self._echoes = echoes
        self._settings = settings
        self._ice_servers = ice_servers
        self._post = post

    def table(self) -> Table[Tester]:
        """Event name -> (model, handler)."""
        return {
            "begin": Entry(Nothing, self.begin, BEGIN_COST),
            "createTransport": Entry(OpenTransport, self.create_transport),
            "connectTransport": Entry(ConnectTransport, self.connect_transport),
            "closeTransport": Entry(TransportReference, self.close_transport),
            "produce": Entry(SendTrack, self.produce),
            "consume": Entry(Consume, self.consume),
            "resumeConsumer": Entry(ConsumerReference, self.resume_consumer),
            "end": Entry(Nothing, self.end),
        }

    async def begin(self, connection: From, _message: Nothing) -> Answer:
        """Open the echo. Relay credentials are for people we know: a relay carries more than tests."""
        sid, tester = connection.sid, connection.identity
        echo = self._echoes.open(sid, tester.source, lambda: self._post([sid], "testOver", {}))
        servers = self._ice_servers.of("connection-test")
        return {
            "routerRtpCapabilities": echo.router.rtp_capabilities,
            "iceServers": servers if tester.known else [],
            "relay": "none" if not servers else "available" if tester.known else "signedInOnly",
            "mediaPort": echo.router.port,
            "protocols": echo.router.protocols,
            "seconds": self._settings.test_seconds,
        }

    async def create_transport(self, connection: From, message: OpenTransport) -> Answer:
        """A way there or back."""
        echo = self._echoes.find(connection.sid)
        echo.require_room("too_many_transports", len(echo.router.transports), MAX_TRANSPORTS)
        transport = echo.router.create_transport(message.direction, protocol=message.protocol)
        transport.set_admitted(True)
        return transport.parameters()

    async def connect_transport(self, connection: From, message: ConnectTransport) -> Answer:
        """Begin DTLS."""
        transport = self._echoes.find(connection.sid).transport(message.transport_id)
        await transport.connect(message.dtls_parameters)
        return {}

    async def close_transport(self, connection: From, message: TransportReference) -> Answer:
        """Leave a way for the next one."""
        self._echoes.find(connection.sid).transport(message.transport_id).close()
        return {}

    async def produce(self, connection: From, message: SendTrack) -> Answer:
        """Send."""
        echo = self._echoes.find(connection.sid)
        echo.require_room("too_many_producers", len(echo.router.producers), MAX_PRODUCERS)
        producer = echo.transport(message.transport_id).produce(message.kind, message.rtp_parameters)
        return {"id": producer.id}

    async def consume(self, connection: From, message: Consume) -> Answer:
        """Have it back; paused."""
        echo = self._echoes.find(connection.sid)
        consumers = sum(len(transport.consumers) for transport in echo.router.transports.values())
        echo.require_room("too_many_consumers", consumers, MAX_CONSUMERS)
        if echo.router.producer(message.producer_id) is None:
            raise Problem(Kind.NOT_FOUND, "producer_not_found")
        consumer = echo.transport(message.transport_id).consume(message.producer_id, message.rtp_capabilities)
        return {
            "id": consumer.id,
            "producerId": consumer.producer_id,
            "kind": consumer.kind,
            "rtpParameters": consumer.rtp_parameters,
        }

    async def resume_consumer(self, connection: From, message: ConsumerReference) -> Answer:
        """Let it flow."""
        self._echoes.find(connection.sid).consumer(message.consumer_id).resume()
        return {}

    async def end(self, connection: From, _message: Nothing) -> Answer:
        """Done before time."""
        self._echoes.close(connection.sid)
        return {}


class ConnectionTestNamespace(TableNamespace[Tester]):
    """Lets everybody in; what is bounded is the tests."""

    name = "/connection-test"

    def __init__(
        self,
        table: Table[Tester],
        echoes: Echoes,
        doorman: Doorman,
        counters: Counters,
        texts: ErrorTexts,
    ) -> None:
        super().__init__(table, counters, texts)
        self._echoes = echoes
        self._doorman = doorman

    async def _identify(self, request: web.Request, token: str | None) -> Tester | None:
        known = await self._doorman.recognize(token, request.cookies.get(SESSION_COOKIE))
        return Tester(source_of(request.remote), known is not None)

    async def _gone(self, connection: From) -> None:
        self._echoes.close(connection.sid)


def source_of(remote: str | None) -> str:
    """What one line's addresses have in common; text that is no address (a Unix socket) counts as itself."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return remote or ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
