"""A consumer: one producer going to one client."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from media.context import RouterContext
from media.errors import InvalidMedia, WrongMediaState
from media.events import CloseReason, ConsumerClosed, ConsumerLayersChanged
from media.guard import plane_errors
from media.ortc import StreamType, consumer_parameters
from media.plane import ConsumerStatistics, Handle
from media.rtp import MediaKind, RtpParameters
from media.statistics import outbound, remote_inbound

if TYPE_CHECKING:
    from media.producer import Producer

_PRIORITIES = range(1, 256)
# Four simulcast layers, VP9's three by three: the plane clamps, this only keeps out nonsense.
_LAYERS = range(16)


class Consumer:
    """Made by `Transport.consume`; starts paused unless told otherwise.

    Gone by `close()`, silently, or with its producer (`ConsumerClosed`), or with its own transport (silently).
    In a meeting there are as many as people squared.
    """

    __slots__ = (
        "_closed", "_context", "_handle", "_offer", "_on_gone", "_paused", "_producer", "id", "kind", "mid", "priority",
        "producer_id", "ssrc", "starved", "transport_id", "type",
    )  # fmt: skip

    def __init__(
        self,
        context: RouterContext,
        handle: Handle,
        producer: "Producer",
        transport_id: str,
        offer: RtpParameters,
        *,
        mid: str,
        ssrc: int,
        paused: bool,
        on_gone: "Callable[[Consumer], None]",
    ) -> None:
        self.id = uuid.uuid4().hex
        self.transport_id = transport_id
        self.producer_id = producer.id
        self.kind: MediaKind = producer.kind
        self.type: StreamType = producer.type
        self.mid = mid
        self.ssrc = ssrc
        self._offer = offer
        self._context = context
        self._handle = handle
        self._producer = producer
        self._paused = paused
        self._on_gone = on_gone
        self._closed = False
        self.starved = False  # bandwidth allows not even its least layer
        self.priority = 1  # as the plane has it
        context.pump.consumers[handle] = self

    @property
    def parameters(self) -> RtpParameters:
        """As it was negotiated; made anew, for what all clients of a kind are offered is kept once."""
        return consumer_parameters(self._offer, mid=self.mid, ssrc=self.ssrc)

    @property
    def rtp_parameters(self) -> dict[str, Any]:
        """What the client is told; a fresh copy."""
        return self.parameters.to_json()

    @property
    def paused(self) -> bool:
        """Whether the client (or signaling) paused it; its producer may be paused besides."""
        return self._paused

    @property
    def producer_paused(self) -> bool:
        """Whether its producer is paused."""
        return self._producer.paused

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        return self._closed

    def pause(self) -> None:
        """Send nothing more. Idempotent, no event."""
        self._set_paused(True)

    def resume(self) -> None:
        """Send again; a video consumer asks for a key frame and starts with it. Idempotent, no event."""
        self._set_paused(False)

    def request_key_frame(self) -> None:
        """Ask the producer for a key frame, throttled; nothing for audio."""
        self._require_open()
        if self.kind == "video":
            with plane_errors():
                self._context.plane.request_key_frame(self._handle)

    def set_preferred_layers(self, spatial_layer: int, temporal_layer: int | None = None) -> None:
        """The highest layers wanted, clamped to what there is. InvalidMedia invalid_layers."""
        self._require_open()
        for field, layer in (("spatialLayer", spatial_layer), ("temporalLayer", temporal_layer)):
            wanted = field == "spatialLayer" or layer is not None
            if wanted and (not _is_integer(layer) or layer not in _LAYERS):
                raise InvalidMedia("invalid_layers", field=field, reason=f"must be 0..{_LAYERS[-1]}")
        with plane_errors("invalid_layers"):
            self._context.plane.set_preferred_layers(self._handle, spatial_layer, temporal_layer)

    def set_priority(self, priority: int) -> None:
        """1..255: who gets bandwidth first. InvalidMedia invalid_priority."""
        self._require_open()
        if not _is_integer(priority) or priority not in _PRIORITIES:
            raise InvalidMedia("invalid_priority", field="priority", reason="must be 1..255")
        with plane_errors("invalid_priority"):
            self._context.plane.set_priority(self._handle, priority)
        self.priority = priority

    def close(self) -> None:
        """Idempotent, no event."""
        if self._closed:
            return
        self.forget()
        with plane_errors():
            self._context.plane.remove_consumer(self._handle)

    def on_layers(self, spatial: int, temporal: int) -> None:
        """The plane forwards other layers now; -1 for none."""
        self.starved = spatial < 0
        layers = (None, None) if spatial < 0 else (spatial, max(temporal, 0))
        self._context.emit(ConsumerLayersChanged(self.id, *layers))

    def forget(self) -> None:
        """It is gone from the plane, or about to go; leave every list."""
        self._closed = True
        self._context.pump.consumers.pop(self._handle, None)
        self._producer.consumers.pop(self.id, None)
        self._on_gone(self)

    def producer_closed(self) -> None:
        """The producer goes, and the plane's consumer with it."""
        if not self._closed:
            self.forget()
            self._context.emit(ConsumerClosed(self.id, CloseReason.PRODUCER_CLOSED))

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' `outbound-rtp`; what the client reports of it is in `remote_statistics`."""
        counted = self._counted()
        own = {
            "id": self.id,
            "transportId": self.transport_id,
            "mid": self.mid,
            "producerId": self.producer_id,
            "active": not (self._paused or self.producer_paused),
            "paused": self._paused,
            "producerPaused": self.producer_paused,
            "priority": self.priority,
        }
        return own | outbound(counted, self.parameters)

    def remote_statistics(self) -> dict[str, Any] | None:
        """webrtc-stats' `remote-inbound-rtp`; None until the client has reported."""
        counted = self._counted()
        if not counted.reported:
            return None
        own = {"id": f"{self.id}:remote", "localId": self.id, "transportId": self.transport_id}
        return own | remote_inbound(counted, self.parameters)

    def _counted(self) -> ConsumerStatistics:
        self._require_open()
        with plane_errors():
            return self._context.plane.consumer_statistics(self._handle)

    def _set_paused(self, paused: bool) -> None:
        self._require_open()
        if paused != self._paused:
            with plane_errors():
                self._context.plane.set_consumer_paused(self._handle, paused)
            self._paused = paused

    def _require_open(self) -> None:
        if self._closed:
            raise WrongMediaState("media_closed", what="consumer")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
