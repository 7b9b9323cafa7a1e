"""python-socketio, hardened: the one file that touches its private names (tests/signaling/test_library_contract.py).

What the library leaves open and this closes (each was seen to happen with 5.18):

* a client's EVENT named `connect` or `disconnect` runs the server's own handlers, and every handler is found by the
  client's choice of name: here events never reach the library's dispatch, only `Namespace.on_event`;
* a packet that does not parse, or whose data is no list, raises in the read loop, unanswered: here it is answered
  where its acknowledgement id can be read, and counted;
* a binary event may announce 10^10 attachments and each is kept: here binary packets are refused;
* a client that does not read is sent to without bound: here a queue has an end, and its client is cut;
* requests of long polling run side by side, and a client's events with them: here each connection has one turn;
* an upgrade to a WebSocket that dies or stays silent ends long polling with it: here polling goes on;
* a connection that is lost while its `connect` handler waits is connected afterwards, for ever: here it is closed;
* `emit` makes a task a recipient: `post` encodes once, and what goes to many goes to each with whatever else there is
  to tell (signaling/announcer.py, signaling/line.py), in order and without a task.
"""

# mypy: disable-error-code="no-untyped-call, override"
# The library's own annotations are partial and in part wrong (coroutines overriding plain functions).

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import socketio
import structlog
from aiohttp import web
from engineio.payload import Payload
from socketio import packet

from signaling import json_codec
from signaling.announcer import Announcer
from signaling.engine_log import EngineLog
from signaling.limits import TokenBucket
from signaling.line import Line, Outgoing
from signaling.origins import OriginCheck
from signaling.settings import SignalingSettings
from signaling.statistics import Counters
from signaling.websocket import GuardedWebSocket

log = structlog.get_logger(__name__)

# Engine.IO cuts a connection over a longer message; between this and `max_message_bytes` it is answered with a refusal.
MAX_FRAME_BYTES = 1024 * 1024
# Opening a namespace asks the database who it is; a parser's work on large messages is paid for by size.
CONNECT_COST = 20.0
COST_PER_KIB = 1 / 16
# In one long-polling request: a browser flushes whatever it has queued; the library's 16 would lose all of it.
MAX_POLLED_PACKETS = 500
# The part of an EVENT before its JSON: namespace and acknowledgement id.
EVENT_HEAD = re.compile(r"2(?:(/[^,?]{0,64})[^,]*,)?(\d{1,15})")


class Namespace(Protocol):
    """What a namespace of ours offers to the server."""

    async def on_connect(self, sid: str, request: web.Request, auth: Any) -> None:
        """Let the connection in, or raise socketio's ConnectionRefusedError; nothing else."""

    async def on_event(self, sid: str, data: Any) -> Any:
        """Answer an event's acknowledgement; `data` is whatever JSON came. Does not raise."""

    async def on_disconnect(self, sid: str) -> None:
        """The connection is gone. Does not raise."""

    def cost(self, data: Any) -> float:
        """What an event costs of its connection's allowance; 1 is an ordinary one. `data` as of `on_event`."""

    def refuse(self, sid: str, code: str, **details: Any) -> Any:
        """Word a refusal that the server itself makes; `sid` may be unknown."""


class SocketServer(socketio.AsyncServer):
    """The Socket.IO server of all namespaces; messages go out through `post` alone."""

    def __init__(
        self,
        settings: SignalingSettings,
        counters: Counters,
        namespaces: Mapping[str, Namespace],
        now: Callable[[], float],
    ) -> None:
        engine_log = EngineLog(counters)
        super().__init__(
            async_mode="aiohttp",
            async_handlers=False,  # one client's events must not overtake each other
            namespaces=list(namespaces),
            json=json_codec,
            logger=engine_log,
            engineio_logger=engine_log,
            cors_allowed_origins=OriginCheck(settings.public_origins),
            ping_interval=settings.ping_interval,
            ping_timeout=settings.ping_timeout,
            max_http_buffer_size=MAX_FRAME_BYTES,
        )
        drivers = self.eio._async  # noqa: SLF001 - where Engine.IO looks for its WebSocket
        self.eio._async = {**drivers, "websocket": self._make_websocket}  # noqa: SLF001
        Payload.max_decode_packets = MAX_POLLED_PACKETS  # the library's own, documented knob
        self._settings = settings
        self._counters = counters
        self._namespaces = namespaces
        self._now = now
        self._announcer = Announcer()
        self._lines: dict[str, Line] = {}  # by Engine.IO's name for a connection
        self._by_sid: dict[str, Line] = {}  # by Socket.IO's, which differs for each namespace
        for name, namespace in namespaces.items():
            self._register(name, namespace)

    # What signaling calls

    def post(self, namespace: str, sids: Iterable[str], event: str, payload: Any) -> None:
        """Send an event to connections; unknown ones are skipped, those whose queue is full are cut."""
        lines = [line for sid in sids if (line := self._by_sid.get(sid)) is not None]
        if not lines:
            return
        message = _outgoing(packet.EVENT, namespace, [event, payload])
        if len(lines) == 1:
            lines[0].send(message)
        else:
            self._announcer.tell(lines, message)

    def connected(self, namespace: str) -> int:
        """How many connections there are."""
        return sum(1 for _ in self.manager.get_participants(namespace, None))

    async def close_connection(self, namespace: str, sid: str) -> None:
        """Disconnect from the namespace for good: clients do not come back from this by themselves."""
        if self.manager.is_connected(sid, namespace):
            self._by_sid[sid].release()
            await self.disconnect(sid, namespace=namespace)

    async def stop(self) -> None:
        """Close every connection without waiting for clients that do not read, and end the monitor."""
        self._announcer.release()
        for socket in list(self.eio.sockets.values()):
            await socket.close(wait=False)
        if self.eio.service_task_handle is not None:  # it begins with the first connection
            await self.shutdown()

    # What python-socketio calls

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        settings = self._settings
        bucket = TokenBucket.full(settings.event_burst, settings.events_per_second, self._now())
        line = Line(self.eio.sockets[eio_sid], bucket, settings.max_unsent_messages, self._counters)
        line.anonymous = asyncio.get_running_loop().call_later(
            settings.anonymous_seconds, self._cut_anonymous, eio_sid
        )
        self._lines[eio_sid] = line

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        line = self._lines.pop(eio_sid, None)
        if line is not None and line.anonymous is not None:
            line.anonymous.cancel()

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        line = self._lines.get(eio_sid)
        if line is None:
            return
        async with line.turn:
            if not line.over:
                await self._receive(eio_sid, line, data)

    async def _receive(self, eio_sid: str, line: Line, data: Any) -> None:
        if not isinstance(data, str):
            self._counters.dropped["binary_packet"] += 1
            return
        wait = self._take(line, data)
        if data[:1] == "2":
            await self._receive_event(eio_sid, line, data, wait)
        elif wait:
            self._counters.dropped["flood"] += 1
        elif data[:1] in {"0", "1"}:
            await self._receive_control(eio_sid, line, data)
        else:  # acknowledgements of ours, which ask for none, and binary events
            self._counters.dropped["malformed_packet"] += 1
            await self._refuse_unread(eio_sid, line, data)

    async def _receive_control(self, eio_sid: str, line: Line, data: str) -> None:
        try:
            parsed = packet.Packet(encoded_packet=data)
        except (ValueError, RecursionError):
            self._counters.dropped["malformed_packet"] += 1
            return
        if parsed.packet_type == packet.CONNECT:
            await self._handle_connect(eio_sid, parsed.namespace, parsed.data)
            if line.over:
                await self._handle_disconnect(eio_sid, parsed.namespace, self.reason.TRANSPORT_CLOSE)
        else:
            await self._handle_disconnect(eio_sid, parsed.namespace, self.reason.CLIENT_DISCONNECT)

    async def _receive_event(self, eio_sid: str, line: Line, data: str, wait: float) -> None:
        try:
            parsed = packet.Packet(encoded_packet=data)
        except (ValueError, RecursionError):
            self._counters.dropped["malformed_packet"] += 1
            await self._refuse_unread(eio_sid, line, data)
            return
        name = parsed.namespace or "/"
        namespace = self._namespaces.get(name)
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if namespace is None or not self.manager.is_connected(sid, name):
            self._counters.dropped["not_connected"] += 1
            return
        wait = wait or line.bucket.take(self._now(), namespace.cost(parsed.data) - 1)
        if wait:
            answer = namespace.refuse(sid, "rate_limited", retryAfter=round(wait, 2))
        elif len(data) > self._settings.max_message_bytes:
            answer = namespace.refuse(sid, "invalid_request", maxBytes=self._settings.max_message_bytes)
        else:
            answer = await namespace.on_event(sid, parsed.data)
        try:
            self._acknowledge(line, name, parsed.id, answer)
        except (TypeError, ValueError):  # an answer of ours that is no JSON
            log.exception("answer_not_json", namespace=name)
            self._acknowledge(line, name, parsed.id, namespace.refuse(sid, "internal_error"))

    async def _refuse_unread(self, eio_sid: str, line: Line, data: str) -> None:
        """Answer what could not be parsed, where the head at least can be read."""
        head = EVENT_HEAD.match(data) or EVENT_HEAD.match(re.sub(r"^5\d{0,10}-", "2", data))
        if head is None:
            return
        name = head[1] or "/"
        namespace = self._namespaces.get(name)
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if namespace is not None and self.manager.is_connected(sid, name):
            answer = namespace.refuse(sid, "invalid_request", reason="not_json")
            self._acknowledge(line, name, int(head[2]), answer)

    # Inside

    def _register(self, name: str, namespace: Namespace) -> None:
        async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
            line = self._lines.get(self.manager.eio_sid_from_sid(sid, name))
            if line is not None:
                self._by_sid[sid] = line
            try:
                await namespace.on_connect(sid, environ["aiohttp.request"], auth)
            except BaseException:
                self._by_sid.pop(sid, None)
                raise

        async def disconnect(sid: str, _reason: Any = None) -> None:
            self._by_sid.pop(sid, None)
            await namespace.on_disconnect(sid)

        self.on("connect", connect, namespace=name)
        self.on("disconnect", disconnect, namespace=name)

    def _take(self, line: Line, data: str) -> float:
        """Pay for a packet; the seconds to wait if it cannot be paid. Who goes on regardless is cut."""
        cost = (CONNECT_COST if data[:1] == "0" else 1.0) + len(data) / 1024 * COST_PER_KIB
        wait = line.bucket.take(self._now(), cost)
        line.refused = line.refused + 1 if wait else 0
        if line.refused > self._settings.max_refused_in_a_row:
            line.cut("flood")
        return wait

    @staticmethod
    def _acknowledge(line: Line, namespace: str, ack_id: int | None, answer: Any) -> None:
        if ack_id is not None:
            line.send(_outgoing(packet.ACK, namespace, [answer], ack_id))

    def _make_websocket(self, handler: Any, server: Any) -> GuardedWebSocket:
        settings = self._settings
        websocket = GuardedWebSocket(
            handler,
            server,
            self._counters,
            patience=settings.ping_timeout,
            upgrade_patience=settings.upgrade_seconds,
        )
        line = self._lines.get(handler.__self__.sid)  # the handler is a method of Engine.IO's socket
        if line is not None:
            line.websocket = websocket
        return websocket

    def _cut_anonymous(self, eio_sid: str) -> None:
        line = self._lines.get(eio_sid)
        if line is not None and not any(
            self.manager.sid_from_eio_sid(eio_sid, name) for name in self._namespaces
        ):
            line.cut("anonymous")


def _outgoing(kind: int, namespace: str, data: list[Any], ack_id: int | None = None) -> Outgoing:
    """A packet of ours, which never holds bytes: the library would look for them in every corner of it.

    While 320 people came into one room, that search took 1.7 s of 22.
    """
    return Outgoing(packet.Packet(kind, data=data, namespace=namespace, id=ack_id, binary=False).encode())
