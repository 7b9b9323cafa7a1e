"""A router: the media of one room."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from media.addresses import Protocol
from media.context import RouterContext
from media.errors import InvalidMedia, MediaLimitReached, UnknownMedia, WrongMediaState
from media.guard import plane_errors
from media.ortc import can_consume
from media.plane import Handle
from media.producer import Producer
from media.speakers import Level, SpeakerDetector
from media.tap import Tap
from media.transport import Direction, Transport


class Router:
    """Made by `MediaEngine.create_router`. Closing it closes its transports, silently towards its own listener."""

    def __init__(self, context: RouterContext, on_gone: "Callable[[Router], None]") -> None:
        self.id = context.router_id
        self.transports: dict[str, Transport] = {}
        self.producers: dict[str, Producer] = {}
        self._context = context
        self._on_gone = on_gone
        self._owners: dict[str, str] = {}  # transport id -> owner
        self._owned: Counter[str] = Counter()  # owner -> how many; only those who have any
        self._speakers = SpeakerDetector()
        self._closed = False

    @property
    def rtp_capabilities(self) -> dict[str, Any]:
        """The routerRtpCapabilities for `Device.load`; a fresh copy."""
        capabilities = self._context.capabilities.to_json()
        for codec, model in zip(capabilities["codecs"], self._context.capabilities.codecs, strict=True):
            codec["kind"] = model.kind
        return capabilities

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        return self._closed

    @property
    def port(self) -> int:
        """The media port of its clients."""
        return self._context.plane.port

    @property
    def protocols(self) -> list[str]:
        """By which of "udp" and "tcp" clients may come, UDP first."""
        return list(dict.fromkeys(str(candidate["protocol"]) for candidate in self._context.candidates()))

    def create_transport(
        self, direction: Direction, *, owner: str = "", protocol: Protocol | None = None
    ) -> Transport:
        """A transport for one client. `owner` is any key: the transports of one key are bounded (not for "").

        `protocol` leaves the client only candidates of that kind.

        InvalidMedia invalid_direction, MediaLimitReached too_many_transports, WrongMediaState media_closed.
        """
        if self._closed:
            raise WrongMediaState("media_closed", what="router")
        if direction not in {"send", "recv"}:
            raise InvalidMedia("invalid_direction", field="direction", reason="must be send or recv")
        limits = self._context.limits
        if len(self.transports) >= limits.transports_per_router:
            raise MediaLimitReached("too_many_transports", limit=limits.transports_per_router)
        if owner and self._owned[owner] >= limits.transports_per_owner:
            raise MediaLimitReached("too_many_transports", limit=limits.transports_per_owner)
        transport = Transport(self._context, self, direction, self._transport_gone, protocol)
        self.transports[transport.id] = transport
        if owner:
            self._owners[transport.id] = owner
            self._owned[owner] += 1
        return transport

    def transport(self, transport_id: str) -> Transport | None:
        """The open transport of that id."""
        return self.transports.get(transport_id)

    def producer(self, producer_id: str) -> Producer | None:
        """The open producer of that id."""
        return self.producers.get(producer_id)

    def find_producer(self, producer_id: str) -> Producer:
        """The open producer, or UnknownMedia producer_not_found."""
        producer = self.producers.get(producer_id)
        if producer is None:
            raise UnknownMedia("producer_not_found")
        return producer

    def can_consume(self, producer_id: str, rtp_capabilities: Any) -> bool:
        """Whether `consume` would find a codec; False for wrong capabilities and unknown producers too."""
        producer = self.producers.get(producer_id)
        if producer is None:
            return False
        try:
            return can_consume(producer.stream.consumable, self._context.known.of(rtp_capabilities).parsed)
        except InvalidMedia:
            return False

    def tap(self, producer_id: str, capacity_packets: int = 4096) -> Tap:
        """A bounded copy of the producer's packets for this process. UnknownMedia, MediaLimitReached."""
        return self.find_producer(producer_id).tap(capacity_packets)

    def close(self) -> None:
        """Close all transports, silently. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._context.listener = _Nobody()
        for transport in list(self.transports.values()):
            transport.close()
        if self._context.floor is not None:
            with plane_errors():
                self._context.plane.remove_floor(self._context.floor)
        self._on_gone(self)

    def tick(self, now: float) -> None:
        """Once a second."""
        for transport in list(self.transports.values()):
            transport.tick(now)

    def hear(self, levels: Mapping[Handle, int], now: float) -> None:
        """The plane's audio levels, about five times a second; not everybody in `levels` is ours."""
        ours = [
            Level(producer.id, levels[producer.handle])
            for producer in self.producers.values()
            if producer.kind == "audio" and producer.handle in levels
        ]
        for event in self._speakers.update(ours, now):
            self._context.emit(event)

    def producer_added(self, producer: Producer) -> None:
        """From a transport: it can be consumed now."""
        self.producers[producer.id] = producer

    def producer_gone(self, producer: Producer) -> None:
        """From a transport: it cannot any more."""
        self.producers.pop(producer.id, None)

    def _transport_gone(self, transport: Transport) -> None:
        self.transports.pop(transport.id, None)
        owner = self._owners.pop(transport.id, None)
        if owner is not None:
            self._owned[owner] -= 1
            if not self._owned[owner]:
                del self._owned[owner]


class _Nobody:
    def on_media_event(self, event: object) -> None:
        """A closed router tells nobody."""
