"""Engine.IO's WebSocket on aiohttp, made total for what comes in and impatient for what goes out."""

# mypy: disable-error-code="no-untyped-call"

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from engineio.async_drivers.aiohttp import WebSocket

from signaling.statistics import Counters

log = structlog.get_logger(__name__)

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
        self, handler: Callable[[Any], Awaitable[None]], server: Any, counters: Counters, patience: float
    ) -> None:
        super().__init__(handler, server)
        self._counters = counters
        self._patience = patience

    async def wait(self) -> str | bytes:
        """The next readable frame; OSError when the connection is over."""
        while True:
            frame: str | bytes = await super().wait()
            if is_engine_packet(frame):
                return frame
            self._counters.dropped["malformed_packet"] += 1

    async def send(self, message: str | bytes) -> None:
        """Send, or cut the connection: a peer that does not read would keep the writer and its queue for ever."""
        try:
            async with asyncio.timeout(self._patience):
                await super().send(message)
        except TimeoutError:
            self._counters.dropped["slow_client"] += 1
            log.warning("connection_cut", reason="slow_client")
            self._abort()
            raise

    def _abort(self) -> None:
        transport = self.environ["aiohttp.request"].transport
        if transport is not None:
            transport.abort()
