"""python-socketio, hardened: the one file that touches its private names (tests/signaling/test_library_contract.py).

What the library leaves open and this closes (each was seen to happen with 5.18):

* a client's EVENT named `connect` or `disconnect` runs the server's own handlers, and every handler is found by the
  client's choice of name: here events never reach the library's dispatch, only `Namespace.on_event`;
* a packet that does not parse, or whose data is no list, raises in the read loop, unanswered: here it is answered
  where its acknowledgement id can be read, and counted;
* a binary event may announce 10^10 attachments and each is kept: here binary packets are refused;
* a client that does not read is sent to without bound: here a queue has an end, and its client is cut;
* requests of long polling run side by side, and a client's events with them: here each connection has one turn;
* a connection that is lost while its `connect` handler waits is connected afterwards, for ever: here it is closed;
* `emit` makes a task a recipient: `post` encodes once and writes in place, or appends to a queue where something waits
  already, so it is synchronous and in order.
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
from engineio import packet as engine_packet
from engineio.payload import Payload
from socketio import packet

from signaling.engine_log import EngineLog
from signaling.limits import TokenBucket
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
        self._turns: dict[str, asyncio.Lock] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._refused_in_a_row: dict[str, int] = {}
        self._being_cut: set[str] = set()
        self._websockets: dict[str, GuardedWebSocket] = {}
        self._anonymous: dict[str, asyncio.TimerHandle] = {}
        for name, namespace in namespaces.items():
            self._register(name, namespace)

    # What signaling calls

    def post(self, namespace: str, sids: Iterable[str], event: str, payload: Any) -> None:
        """Queue an event for connections; unknown ones are skipped, those whose queue is full are cut."""
        encoded = self._encode(_packet(packet.EVENT, namespace, [event, payload]))
        for sid in sids:
            self._enqueue(self.manager.eio_sid_from_sid(sid, namespace), encoded)

    def connected(self, namespace: str) -> int:
        """How many connections there are."""
        return sum(1 for _ in self.manager.get_participants(namespace, None))

    async def close_connection(self, namespace: str, sid: str) -> None:
        """Disconnect from the namespace for good: clients do not come back from this by themselves."""
        if self.manager.is_connected(sid, namespace):
            await self.disconnect(sid, namespace=namespace)

    async def stop(self) -> None:
        """Close every connection without waiting for clients that do not read, and end the monitor."""
        for socket in list(self.eio.sockets.values()):
            await socket.close(wait=False)
        if self.eio.service_task_handle is not None:  # it begins with the first connection
            await self.shutdown()

    # What python-socketio calls

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self._turns[eio_sid] = asyncio.Lock()
        self._buckets[eio_sid] = TokenBucket.full(
            self._settings.event_burst, self._settings.events_per_second, self._now()
        )
        self._anonymous[eio_sid] = asyncio.get_running_loop().call_later(
            self._settings.anonymous_seconds, self._cut_anonymous, eio_sid
        )

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        self._turns.pop(eio_sid, None)
        self._buckets.pop(eio_sid, None)
        self._refused_in_a_row.pop(eio_sid, None)
        self._being_cut.discard(eio_sid)
        self._websockets.pop(eio_sid, None)
        timer = self._anonymous.pop(eio_sid, None)
        if timer is not None:
            timer.cancel()

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        turn = self._turns.get(eio_sid)
        if turn is None:
            return
        async with turn:
            if not self._is_over(eio_sid):
                await self._receive(eio_sid, data)

    async def _receive(self, eio_sid: str, data: Any) -> None:
        if not isinstance(data, str):
            self._counters.dropped["binary_packet"] += 1
            return
        wait = self._take(eio_sid, data)
        if data[:1] == "2":
            await self._receive_event(eio_sid, data, wait)
        elif wait:
            self._counters.dropped["flood"] += 1
        elif data[:1] in {"0", "1"}:
            await self._receive_control(eio_sid, data)
        else:  # acknowledgements of ours, which ask for none, and binary events
            self._counters.dropped["malformed_packet"] += 1
            await self._refuse_unread(eio_sid, data)

    async def _receive_control(self, eio_sid: str, data: str) -> None:
        try:
            parsed = packet.Packet(encoded_packet=data)
        except (ValueError, RecursionError):
            self._counters.dropped["malformed_packet"] += 1
            return
        if parsed.packet_type == packet.CONNECT:
            await self._handle_connect(eio_sid, parsed.namespace, parsed.data)
            if self._is_over(eio_sid):
                await self._handle_disconnect(eio_sid, parsed.namespace, self.reason.TRANSPORT_CLOSE)
        else:
            await self._handle_disconnect(eio_sid, parsed.namespace, self.reason.CLIENT_DISCONNECT)

    async def _receive_event(self, eio_sid: str, data: str, wait: float) -> None:
        try:
            parsed = packet.Packet(encoded_packet=data)
        except (ValueError, RecursionError):
            self._counters.dropped["malformed_packet"] += 1
            await self._refuse_unread(eio_sid, data)
            return
        name = parsed.namespace or "/"
        namespace = self._namespaces.get(name)
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if namespace is None or not self.manager.is_connected(sid, name):
            self._counters.dropped["not_connected"] += 1
            return
        wait = wait or self._buckets[eio_sid].take(self._now(), namespace.cost(parsed.data) - 1)
        if wait:
            answer = namespace.refuse(sid, "rate_limited", retryAfter=round(wait, 2))
        elif len(data) > self._settings.max_message_bytes:
            answer = namespace.refuse(sid, "invalid_request", maxBytes=self._settings.max_message_bytes)
        else:
            answer = await namespace.on_event(sid, parsed.data)
        try:
            self._acknowledge(eio_sid, name, parsed.id, answer)
        except (TypeError, ValueError):  # an answer of ours that is no JSON
            log.exception("answer_not_json", namespace=name)
            self._acknowledge(eio_sid, name, parsed.id, namespace.refuse(sid, "internal_error"))

    async def _refuse_unread(self, eio_sid: str, data: str) -> None:
        """Answer what could not be parsed, where the head at least can be read."""
        head = EVENT_HEAD.match(data) or EVENT_HEAD.match(re.sub(r"^5\d{0,10}-", "2", data))
        if head is None:
            return
        name = head[1] or "/"
        namespace = self._namespaces.get(name)
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if namespace is not None and self.manager.is_connected(sid, name):
            answer = namespace.refuse(sid, "invalid_request", reason="not_json")
            self._acknowledge(eio_sid, name, int(head[2]), answer)

    # Inside

    def _register(self, name: str, namespace: Namespace) -> None:
        async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
            await namespace.on_connect(sid, environ["aiohttp.request"], auth)

        async def disconnect(sid: str, _reason: Any = None) -> None:
            await namespace.on_disconnect(sid)

        self.on("connect", connect, namespace=name)
        self.on("disconnect", disconnect, namespace=name)

    def _take(self, eio_sid: str, data: str) -> float:
        """Pay for a packet; the seconds to wait if it cannot be paid. Who goes on regardless is cut."""
        bucket = self._buckets.get(eio_sid)
        if bucket is None:
            return 0.0
        cost = (CONNECT_COST if data[:1] == "0" else 1.0) + len(data) / 1024 * COST_PER_KIB
        wait = bucket.take(self._now(), cost)
        if not wait:
            self._refused_in_a_row.pop(eio_sid, None)
            return 0.0
        refused = self._refused_in_a_row[eio_sid] = self._refused_in_a_row.get(eio_sid, 0) + 1
        if refused > self._settings.max_refused_in_a_row:
            self._cut(eio_sid, "flood")
        return wait

    def _acknowledge(self, eio_sid: str, namespace: str, ack_id: int | None, answer: Any) -> None:
        if ack_id is None:
            return
        answer_packet = _packet(packet.ACK, namespace, [answer], ack_id)
        self._enqueue(eio_sid, self._encode(answer_packet))

    def _make_websocket(self, handler: Any, server: Any) -> GuardedWebSocket:
        websocket = GuardedWebSocket(handler, server, self._counters, patience=self._settings.ping_timeout)
        self._websockets[handler.__self__.sid] = websocket  # the handler is a method of Engine.IO's socket
        return websocket

    @staticmethod
    def _encode(message: packet.Packet) -> "_Encoded":
        return _Encoded(message.encode())

    def _enqueue(self, eio_sid: str | None, encoded: "_Encoded") -> None:
        socket = self.eio.sockets.get(eio_sid)
        if eio_sid is None or socket is None or socket.closed or socket.closing:
            return
        websocket = self._websockets.get(eio_sid) if _is_idle(socket) else None
        if websocket is not None and websocket.write_now(encoded.text):
            return
        if socket.queue.qsize() >= self._settings.max_unsent_messages:
            self._cut(eio_sid, "slow_client")
            return
        socket.queue.put_nowait(encoded)

    def _is_over(self, eio_sid: str) -> bool:
        socket = self.eio.sockets.get(eio_sid)
        return socket is None or bool(socket.closed or socket.closing)

    def _cut_anonymous(self, eio_sid: str) -> None:
        if not any(self.manager.sid_from_eio_sid(eio_sid, name) for name in self._namespaces):
            self._cut(eio_sid, "anonymous")

    def _cut(self, eio_sid: str, reason: str) -> None:
        """Drop the connection as a broken network would: the client resumes, and nothing waits for it meanwhile."""
        if self._is_over(eio_sid) or eio_sid in self._being_cut:
            return
        socket = self.eio.sockets[eio_sid]
        self._being_cut.add(eio_sid)
        self._counters.dropped[reason] += 1
        log.warning("connection_cut", reason=reason)
        while not socket.queue.empty():
            socket.queue.get_nowait()
        self.start_background_task(self._close_engine_socket, socket)

    @staticmethod
    async def _close_engine_socket(socket: Any) -> None:
        await socket.close(wait=False, abort=True)
        socket.queue.put_nowait(None)  # ends the writer, which closes the WebSocket


class _Encoded(engine_packet.Packet):
    """A message for any number of connections, encoded once."""

    def __init__(self, message: str) -> None:
        super().__init__(engine_packet.MESSAGE, message)
        self.text: str = super().encode()

    def encode(self, b64: bool = False) -> str:  # noqa: ARG002 - the library's signature
        """What goes into a frame; a string is the same in long polling."""
        return self.text


def _is_idle(socket: Any) -> bool:
    """Whether all that was ever queued for the connection has been taken, and its WebSocket is the way out."""
    return socket.upgraded and not socket.upgrading and socket.queue._unfinished_tasks == 0  # noqa: SLF001


def _packet(kind: int, namespace: str, data: list[Any], ack_id: int | None = None) -> packet.Packet:
    """A packet of ours, which never holds bytes: the library would look for them in every corner of it.

    While 320 people came into one room, that search took 1.7 s of 22.
    """
    return packet.Packet(kind, data=data, namespace=namespace, id=ack_id, binary=False)
