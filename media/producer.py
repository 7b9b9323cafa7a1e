"""A producer: one track that a client sends."""

import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from media.capabilities import AUDIO_LEVEL
from media.consumer import Consumer
from media.context import RouterContext
from media.errors import MediaLimitReached, WrongMediaState
from media.events import ConsumerPaused, ConsumerResumed, ProducerLayersWanted
from media.guard import plane_errors
from media.ortc import Numbers, ProducerStream, StreamType, consumer_offer
from media.plane import Handle
from media.rtp import MediaKind, RtpCapabilities, RtpParameters
from media.statistics import inbound
from media.tap import Tap

# What a recording may want besides the media: how loud it is. The id is the router's.
_TAPPED_EXTENSIONS = {AUDIO_LEVEL: 10}

OFFERS_MOST = 8  # kinds of clients met lately; a meeting has two or three

SILENT_SECONDS = 5  # as the plane's own, for producers it has never heard of


class Producer:
    """Made by `Transport.produce`.

    Gone by `close()` or with its transport; first its consumers go (each listener gets `ConsumerClosed`), then its
    taps, then itself.
    """

    def __init__(
        self,
        context: RouterContext,
        handle: Handle,
        transport_id: str,
        stream: ProducerStream,
        *,
        paused: bool,
        on_gone: "Callable[[Producer], None]",
    ) -> None:
        self.id = uuid.uuid4().hex
        self.transport_id = transport_id
        self.kind: MediaKind = stream.kind
        self.type: StreamType = stream.type
        self.stream = stream
        self.handle = handle
        self.consumers: dict[str, Consumer] = {}
        self._taps: list[Tap] = []
        self._offers: deque[tuple[RtpCapabilities, Numbers, RtpParameters]] = deque(maxlen=OFFERS_MOST)
        self._context = context
        self._paused = paused
        self._on_gone = on_gone
        self._closed = False
        self.silent = False  # not paused, the line is there, and for seconds nothing has come
        self._quiet = False  # nothing comes, whether the line is there or not
        self._quiet_since: float | None = None
        self.held_back = False  # it lacks a simulcast layer that it sent before and that somebody wants
        self._most_layers = 0
        self._started = False
        self._waited = 0
        # How many spatial layers, from the lowest, anybody has a use for; None until it was ever fewer than all.
        self.layers_wanted: int | None = None
        context.pump.producers[handle] = self

    def offer(self, capabilities: RtpCapabilities, numbers: Numbers) -> RtpParameters:
        """See `ortc.consumer_offer`; one for all clients of the same kind, who are most of a room."""
        for known, of, offer in self._offers:
            if known is capabilities and of == numbers:
                return offer
        offer = consumer_offer(self.stream.consumable, capabilities, numbers)
        self._offers.append((capabilities, numbers, offer))
        return offer

    @property
    def paused(self) -> bool:
        """Whether packets are dropped on arrival."""
        return self._paused

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        return self._closed

    def pause(self) -> None:
        """Stop forwarding; every consumer's listener gets ConsumerPaused. Idempotent."""
        if self._set_paused(True):
            for consumer_id in list(self.consumers):
                self._context.emit(ConsumerPaused(consumer_id))

    def resume(self) -> None:
        """Forward again, asking for a key frame; ConsumerResumed. Idempotent."""
        if self._set_paused(False):
            for consumer_id in list(self.consumers):
                self._context.emit(ConsumerResumed(consumer_id))

    def request_key_frame(self) -> None:
        """PLI (or FIR) to the client, throttled by the plane; nothing for audio."""
        self._require_open()
        if self.kind == "video":
            with plane_errors():
                self._context.plane.request_key_frame(self.handle)

    def tap(self, capacity_packets: int) -> Tap:
        """A bounded copy of the packets. MediaLimitReached too_many_taps."""
        self._require_open()
        limit = self._context.limits.taps_per_producer
        if len(self._taps) >= limit:
            raise MediaLimitReached("too_many_taps", limit=limit)
        extensions = {uri: i for uri, i in _TAPPED_EXTENSIONS.items() if uri in self.stream.header_extensions}
        with plane_errors():
            handle = self._context.plane.add_tap(self.handle, capacity_packets, header_extensions=extensions)
        tap = Tap(self._context.plane, handle, self.id, self.stream, extensions)
        self._taps.append(tap)
        tap.on_close = lambda: self._taps.remove(tap)
        return tap

    def on_layers_wanted(self, highest: int) -> None:
        """From the plane: the highest layer that anybody wants, -1 for none."""
        if self.layers_wanted == 0 and self._quiet:
            # It may rest while nobody looks, and takes a moment to begin again.
            self._started = self._quiet = self.silent = False
            self._waited = 0
        self.layers_wanted = highest + 1
        self._context.emit(ProducerLayersWanted(self.id, highest + 1))

    def on_sending(self, *, sending: bool) -> None:
        """From the plane: packets come (again), or none have come for five seconds."""
        self._started = True
        self._quiet, self._quiet_since = not sending and not self._paused, None
        if sending:
            self.silent = False

    def tick(self, now: float, checked: float) -> None:
        """Once a second while the transport is connected: does it send what it should?

        `checked` is when its client last showed that there is a path: with a line everything falls silent.
        """
        if self._paused:
            return
        if not self._started:
            self._waited += 1
            self.silent = self._waited > SILENT_SECONDS
        elif self._quiet and not self.silent:
            if self._quiet_since is None:
                # At the latest, and a pause in speech is sent seldom.
                self._quiet_since = now - SILENT_SECONDS + 1
            self.silent = checked > self._quiet_since
        if len(self.stream.encodings) > 1:
            self._look_at_layers()

    def _look_at_layers(self) -> None:
        with plane_errors():
            bitrates = self._context.plane.producer_statistics(self.handle).bitrates_bps
        sent = max((index + 1 for index, bitrate in enumerate(bitrates) if bitrate), default=0)
        self._most_layers = max(self._most_layers, sent)
        wanted = (
            self._most_layers if self.layers_wanted is None else min(self.layers_wanted, self._most_layers)
        )
        self.held_back = 0 < sent < wanted

    def close(self) -> None:
        """Close its consumers (ConsumerClosed) and taps, then itself. Idempotent."""
        if self._closed:
            return
        self.forget()
        with plane_errors():
            self._context.plane.remove_producer(self.handle)

    def forget(self) -> None:
        """It is about to go from the plane, alone or with its transport; leave every list."""
        if self._closed:
            return
        self._closed = True
        self._context.pump.producers.pop(self.handle, None)
        for consumer in list(self.consumers.values()):
            consumer.producer_closed()
        for tap in self._taps:
            tap.detach()
        self._taps.clear()
        self._on_gone(self)

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' `inbound-rtp`, all encodings together: see media.statistics."""
        self._require_open()
        with plane_errors():
            counted = self._context.plane.producer_statistics(self.handle)
        own = {
            "id": self.id,
            "transportId": self.transport_id,
            "mid": self.stream.mid,
            "paused": self._paused,
            "layersWanted": self.layers_wanted,
        }
        return own | inbound(counted, self.stream)

    def _set_paused(self, paused: bool) -> bool:
        self._require_open()
        if paused == self._paused:
            return False
        with plane_errors():
            self._context.plane.set_producer_paused(self.handle, paused)
            if not paused and self.kind == "video":
                self._context.plane.request_key_frame(self.handle)
        self._paused = paused
        self._waited = 0
        self.silent = self._quiet = self.held_back = False
        return True

    def _require_open(self) -> None:
        if self._closed:
            raise WrongMediaState("media_closed", what="producer")
