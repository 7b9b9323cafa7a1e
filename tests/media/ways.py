"""The network between a peer and the engine: a local UDP socket whose outside can be changed while media flows."""

import asyncio
import struct
from typing import Any, cast

from media import MediaEngine

HOME = "127.0.0.1"


class Inside(asyncio.DatagramProtocol):
    """Where the peer sends to, believing it to be the server."""

    def __init__(self, way: "Way") -> None:
        self.way = way
        self.transport: asyncio.DatagramTransport | None = None
        self.peers: list[tuple[str, int]] = []  # the peer has a socket on each of the machine's addresses

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.peers:
            self.peers.append(addr)
        if addr == self.peers[0]:
            self.way.out(data)

    def deliver(self, data: bytes) -> None:
        if self.transport is not None and self.peers:
            self.transport.sendto(data, self.peers[0])


class UdpOutside(asyncio.DatagramProtocol):
    """One mapping of a NAT."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.received = 0
        self.listening = True
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        self.received += 1
        if self.listening:
            self.inside.deliver(data)

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.sendto(data)

    def close(self) -> None:
        assert self.transport is not None
        self.transport.close()


class TcpOutside:
    """A TCP connection that carries each datagram as a frame (RFC 4571)."""

    def __init__(self, inside: Inside, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received = 0
        self.listening = True
        self._inside = inside
        self._writer = writer
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                data = await reader.readexactly(length)
                self.received += 1
                if self.listening:
                    self._inside.deliver(data)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def send(self, data: bytes) -> None:
        if not self.received and data[0] > 3:
            return  # no agent sends media on a connection whose check has not been answered
        self._writer.write(struct.pack("!H", len(data)) + data)

    def close(self) -> None:
        self._task.cancel()
        self._writer.close()


class Way:
    """A peer's only way to the engine. The outsides that were left stay open, deaf, and count what still comes."""

    def __init__(self, engine: MediaEngine) -> None:
        self.port = 0
        self.outsides: list[UdpOutside | TcpOutside] = []
        self._engine = engine
        self._inside = Inside(self)

    async def open(self) -> "Way":
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self._inside, local_addr=(HOME, 0))
        self.port = transport.get_extra_info("sockname")[1]
        return self

    async def by_udp(self, host: str = HOME) -> None:
        """From now on by a new UDP socket."""
        loop = asyncio.get_running_loop()
        _, outside = await loop.create_datagram_endpoint(
            lambda: UdpOutside(self._inside), remote_addr=(host, self._engine.port)
        )
        self._change(outside)

    async def by_tcp(self, host: str = HOME) -> None:
        """From now on by a new TCP connection."""
        self._change(TcpOutside(self._inside, *await asyncio.open_connection(host, self._engine.port)))

    def out(self, data: bytes) -> None:
        if self.outsides:
            self.outsides[-1].send(data)

    def candidates(self, candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The engine's candidates, as a peer behind this way is told them: one."""
        return [{**candidates[0], "ip": HOME, "address": HOME, "port": self.port}]

    def close(self) -> None:
        for outside in self.outsides:
            outside.close()
        if self._inside.transport is not None:
            self._inside.transport.close()

    def _change(self, outside: UdpOutside | TcpOutside) -> None:
        if self.outsides:
            self.outsides[-1].listening = False
        self.outsides.append(outside)
