"""The pump: what a plane hands to asyncio (STUN, DTLS, events) goes to the connection it belongs to.

It never stops: whatever one datagram does wrong is logged, counted and forgotten. It never holds the loop for long:
after a few milliseconds it lets others run and goes on with the rest. The plane's own queue is the bound; what arrives
while that is full is dropped there and counted, and ICE and DTLS retransmit.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Protocol

import structlog

from media.plane import Address, Datagram, Event, EventKind, Handle, Plane
from media.stun import BindingRequest, StunError, parse_binding_request, peek_local_ufrag

_log = structlog.get_logger(__name__)

# A DTLS handshake takes about 0.7 ms here; with 300 people joining at once Socket.IO still gets its turns.
TURN_SECONDS = 0.005

# STUN begins with 0..3, DTLS with 20..63 (RFC 7983).
STUN_FIRST_BYTES = range(4)
DTLS_FIRST_BYTES = range(20, 64)

# Answers that refuse a check: enough to tell honest clients what is wrong, too few to be of use to anybody else.
REFUSALS_PER_SECOND = 50


class Source(Protocol):
    """Who takes the datagrams of one transport."""

    handle: Handle

    def on_check(self, request: BindingRequest, source: Address, now: float, *, held: bool) -> None:
        """A STUN binding request whose user name is this transport's; `held`: so is its source, as the plane knows."""

    def on_dtls(self, datagram: bytes, source: Address) -> None:
        """A DTLS datagram from an address of this transport."""


class LayersListener(Protocol):
    """Who is told what a consumer forwards."""

    def on_layers(self, spatial: int, temporal: int) -> None:
        """-1 for none."""


class SendingListener(Protocol):
    """Who is told which of a producer's layers anybody wants, and whether it sends at all."""

    def on_layers_wanted(self, highest: int) -> None:
        """-1 for none."""

    def on_sending(self, *, sending: bool) -> None:
        """Packets come, or none for some seconds."""


class Pump:
    """One plane and its connections by user name fragment and by handle."""

    def __init__(self, plane: Plane, counters: Counter[str]) -> None:
        self.plane = plane
        self.counters = counters
        self.by_ufrag: dict[str, Source] = {}
        self.by_handle: dict[Handle, Source] = {}
        self.consumers: dict[Handle, LayersListener] = {}
        self.producers: dict[Handle, SendingListener] = {}
        self._backlog: deque[Datagram] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._continuing = False
        self._refusals = float(REFUSALS_PER_SECOND)
        self._refilled = 0.0

    def start(self) -> None:
        """Start the plane's thread and listen to it on the running loop."""
        self._loop = asyncio.get_running_loop()
        self.plane.start()
        self._loop.add_reader(self.plane.event_fd, self._turn)

    def stop(self) -> None:
        """Stop listening, then the thread. Idempotent."""
        if self._loop is None:
            return
        self._loop.remove_reader(self.plane.event_fd)
        self._loop = None
        self._backlog.clear()
        self.plane.stop()

    def send(self, address: Address, datagrams: Sequence[bytes]) -> None:
        """STUN and DTLS out; what the kernel refuses is as good as lost on the way."""
        for datagram in datagrams:
            if not self.plane.send_datagram(address, datagram):
                self.counters["control_send_refused"] += 1

    def may_refuse(self, now: float) -> bool:
        """Whether one more refusal may be sent this second (a token bucket over all clients)."""
        elapsed = max(0.0, now - self._refilled)
        self._refusals = min(float(REFUSALS_PER_SECOND), self._refusals + elapsed * REFUSALS_PER_SECOND)
        self._refilled = now
        if self._refusals < 1:
            return False
        self._refusals -= 1
        return True

    def _turn(self) -> None:
        if self._loop is None:
            return
        if not self._backlog:
            self._events()
            self._backlog.extend(self.plane.drain_control())
        deadline = time.monotonic() + TURN_SECONDS
        had_some = bool(self._backlog)
        while self._backlog and time.monotonic() < deadline:
            self._datagram(self._backlog.popleft())
        # Draining cleared the event fd, so the next turn is ours to call until a drain gives nothing.
        if had_some and not self._continuing:
            self._continuing = True
            self._loop.call_soon(self._continue)

    def _continue(self) -> None:
        self._continuing = False
        self._turn()

    def _datagram(self, datagram: Datagram) -> None:
        try:
            self._dispatch(datagram)
        except Exception:  # noqa: BLE001 - the pump goes on, whatever one datagram did
            self.counters["control_errors"] += 1
            _log.exception("control_datagram_failed", bytes=len(datagram.data))

    def _dispatch(self, datagram: Datagram) -> None:
        first = datagram.data[0] if datagram.data else -1
        if first in STUN_FIRST_BYTES:
            self._stun(datagram)
        elif first in DTLS_FIRST_BYTES and datagram.transport is not None:
            source = self.by_handle.get(datagram.transport)
            if source is None:
                self.counters["dtls_stale"] += 1
            else:
                source.on_dtls(datagram.data, datagram.address)
        else:
            self.counters["control_unknown"] += 1

    def _stun(self, datagram: Datagram) -> None:
        ufrag = peek_local_ufrag(datagram.data)
        source = None if ufrag is None else self.by_ufrag.get(ufrag)
        if source is None:
            self.counters["stun_without_username" if ufrag is None else "stun_unknown_ufrag"] += 1
            return
        try:
            request = parse_binding_request(datagram.data)
        except StunError as error:
            self.counters[error.reason] += 1
            return
        held = datagram.transport == source.handle
        source.on_check(request, datagram.address, time.monotonic(), held=held)

    def _events(self) -> None:
        for event in self.plane.drain_events():
            try:
                self._event(event)
            except Exception:  # noqa: BLE001 - the pump goes on, whatever one datagram did
                self.counters["control_errors"] += 1
                _log.exception("plane_event_failed", kind=event.kind)

    def _event(self, event: Event) -> None:
        self.counters[f"plane_{event.kind.name.lower()}"] += 1
        if event.kind is EventKind.CONSUMER_LAYERS_CHANGED:
            consumer = self.consumers.get(event.handle)
            if consumer is not None:
                consumer.on_layers(event.spatial, event.temporal)
        elif (producer := self.producers.get(event.handle)) is not None:
            if event.kind is EventKind.PRODUCER_LAYERS_WANTED:
                producer.on_layers_wanted(event.spatial)
            else:
                producer.on_sending(sending=event.kind is not EventKind.PRODUCER_SILENT)
