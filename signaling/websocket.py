"""Engine.IO's WebSocket on aiohttp, made total for what comes in and impatient for what goes out."""

# mypy: disable-error-code="no-untyped-call"

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from engineio.async_drivers.aiohttp import WebSocket

from signaling.statistics import Counters

log = structlog.get_logger(__name__)

# So much may wait in this process for a client that reads slowly; what comes then waits where it can be given up.
MAX_BUFFERED_BYTES = 64 * 1024
# "2probe", "3", "5": Engine.IO's own packets are this short.
MAX_CONTROL_CHARACTERS = 16


def is_engine_packet(frame: str | bytes) -> bool:
    """Whether Engine.IO can read this frame; it raises on others, in a place where nobody catches it.

    A message must hold a Socket.IO packet, which begins with a digit: Engine.IO parses others as JSON of any depth.
    """
    if isinstance(frame, bytes):
        return True
    head, rest = frame[:1], frame[1:2]
    if head == "4":
        return rest.isascii() and rest.isdigit()
    return head.isascii() and head.isdigit() and len(frame) <= MAX_CONTROL_CHARACTERS


class GuardedWebSocket(WebSocket):
    """Skips frames that are not Engine.IO's, and gives up a client that has taken nothing for `patience` seconds."""

    def __init__(
        self,
        handler: Callable[[Any], Awaitable[None]],
        server: Any,
        counters: Counters,
        *,
        patience: float,
        upgrade_patience: float,
    ) -> None:
        """`handler` is a method of Engine.IO's socket; whom it upgrades has `upgrade_patience` seconds a step."""
        super().__init__(handler, server)
        self._socket: Any = handler.__self__  # type: ignore[attr-defined]
        self._counters = counters
        self._patience = patience
        self._upgrade_patience = upgrade_patience
        self._probe: str | bytes | None = None
        self._sending = False

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """As the base, but without compression, whose windows take 300 KiB for each browser, and all offer it.

        Worth compressing would be the answers to joins of large rooms alone.

        From a handler's beginning to its end of an upgrade Engine.IO answers requests of long polling with nothing, at
        once, and after some ends for ever. So it begins when the first frame is there, for a proxy may let none
        through, and whatever ends it, polling goes on.
        """
        self._sock = web.WebSocketResponse(max_msg_size=self.server.max_http_buffer_size, compress=False)
        await self._sock.prepare(environ["aiohttp.request"])
        self.environ = environ
        if self._socket.connected and not await self._is_probed():
            return self._sock
        try:
            await self.handler(self)
        finally:
            self._socket.upgrading = False
        return self._sock

    async def wait(self) -> str | bytes:
        """The next readable frame; OSError when the connection is over, or none comes while it is being upgraded."""
        probe, self._probe = self._probe, None
        if probe is not None:
            return probe
        return await self._read(self._upgrade_patience if self._socket.upgrading else None)

    def write_now(self, frames: bytes) -> bool:
        """Write whole frames in place where nothing is in the way; False leaves them to the writer, which can wait.

        Waking a writer for each of a room's participants costs several times what the writing does, and aiohttp's own
        way to the transport as much again: without compression it only puts the head before the payload.
        """
        transport = self._clear_way()
        if self._sending or transport is None or self._sock is None or self._sock.closed:
            return False
        transport.write(frames)
        return True

    async def send(self, message: str | bytes) -> None:
        """Send, or cut the connection: a peer that does not read would keep the writer and its queue for ever."""
        self._sending = True
        try:
            async with asyncio.timeout(self._patience):
                await super().send(message)
        except TimeoutError:
            self._counters.dropped["slow_client"] += 1
            log.warning("connection_cut", reason="slow_client")
            self._abort()
            raise
        finally:
            self._sending = False

    async def _is_probed(self) -> bool:
        """Whether the other end of an upgrade says anything; that is kept for the handler."""
        try:
            self._probe = await self._read(self._upgrade_patience)
        except OSError:
            return False
        return True

    async def _read(self, patience: float | None) -> str | bytes:
        async with asyncio.timeout(patience):  # its TimeoutError is an OSError
            while True:
                frame: str | bytes = await super().wait()
                if is_engine_packet(frame):
                    return frame
                self._counters.dropped["malformed_packet"] += 1

    def _clear_way(self) -> asyncio.WriteTransport | None:
        """The transport, if it is open and the client has taken almost all that was written."""
        transport = self.environ["aiohttp.request"].transport
        if transport is None or transport.is_closing():
            return None
        return transport if transport.get_write_buffer_size() <= MAX_BUFFERED_BYTES else None

    def _abort(self) -> None:
        transport = self.environ["aiohttp.request"].transport
        if transport is not None:
            transport.abort()
