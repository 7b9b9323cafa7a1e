"""The way to one connection: everything that goes to it goes in order, and at once where nothing is in the way."""

# mypy: disable-error-code="no-untyped-call"

import asyncio
import struct
from typing import Any

import structlog
from engineio import packet as engine_packet

from signaling.limits import TokenBucket
from signaling.statistics import Counters
from signaling.websocket import GuardedWebSocket

log = structlog.get_logger(__name__)


class Outgoing(engine_packet.Packet):
    """A Socket.IO packet for any number of connections, encoded once: for the queue, and as a WebSocket's frame."""

    def __init__(self, message: str) -> None:
        super().__init__(engine_packet.MESSAGE, message)
        self.text: str = super().encode()
        self.frame = text_frame(self.text)

    def encode(self, b64: bool = False) -> str:  # noqa: ARG002 - the library's signature
        """What goes into a frame; a string is the same in long polling."""
        return self.text


class Line:
    """One Engine.IO connection; what is written while the client does not read waits in the library's queue.

    A client whose queue is full is cut, as a broken network would: it resumes, and nothing waits for it meanwhile.
    """

    __slots__ = (
        "_counters", "_cut", "_held", "_most_unsent", "anonymous", "bucket", "refused", "socket", "turn", "websocket",
    )  # fmt: skip

    def __init__(self, socket: Any, bucket: TokenBucket, most_unsent: int, counters: Counters) -> None:
        """`socket` is Engine.IO's, `bucket` the client's allowance of events."""
        self.socket = socket
        self.bucket = bucket
        self.turn = asyncio.Lock()
        self.refused = 0  # events in a row
        self.websocket: GuardedWebSocket | None = None  # while it polls
        self.anonymous: asyncio.TimerHandle | None = None  # until then it must have opened a namespace
        self._most_unsent = most_unsent
        self._counters = counters
        self._held: list[Outgoing] = []
        self._cut = False

    @property
    def over(self) -> bool:
        """Whether nothing can be sent any more."""
        return bool(self.socket.closed or self.socket.closing)

    def send(self, message: Outgoing) -> None:
        """After all that is held, and with it."""
        self._held.append(message)
        self.release()

    def hold(self, message: Outgoing) -> None:
        """To go with whatever is sent next, or with `release`."""
        self._held.append(message)

    def release(self) -> None:
        """Send what is held, in one write where nothing is in the way."""
        held, self._held = self._held, []
        if not held or self.over:
            return
        if self._is_idle() and self.websocket is not None:
            frames = held[0].frame if len(held) == 1 else b"".join([message.frame for message in held])
            if self.websocket.write_now(frames):
                return
        if self.socket.queue.qsize() + len(held) > self._most_unsent:
            self.cut("slow_client")
            return
        for message in held:
            self.socket.queue.put_nowait(message)

    def cut(self, reason: str) -> None:
        """Drop the connection, with whatever waits for it."""
        if self.over or self._cut:
            return
        self._cut = True
        self._counters.dropped[reason] += 1
        log.warning("connection_cut", reason=reason)
        while not self.socket.queue.empty():
            self.socket.queue.get_nowait()
        self.socket.server.start_background_task(self._close)

    async def _close(self) -> None:
        await self.socket.close(wait=False, abort=True)
        self.socket.queue.put_nowait(None)  # ends the writer, which closes the WebSocket

    def _is_idle(self) -> bool:
        """Whether all that was ever queued has been taken, and the WebSocket is the way out."""
        socket = self.socket
        return socket.upgraded and not socket.upgrading and socket.queue._unfinished_tasks == 0  # noqa: SLF001


def text_frame(text: str) -> bytes:
    """`text` as one frame of a server's WebSocket, whole and unmasked (RFC 6455 section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:  # noqa: PLR2004 - the RFC's, as below
        head = struct.pack("!BB", 0x81, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x81, 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 127, size)
    return head + payload
