"""What the SFU reports: frozen values, delivered on the asyncio thread to the router's listener."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from media.quality import Trouble


class TransportState(StrEnum):
    """Where a transport is. `new` -> `connecting` -> `connected` <-> `disconnected` -> `failed`; `closed` from any.

    `disconnected`: no check for 12 s, media is still sent to the old address. `failed`: none for 30 s (RFC 7675), or
    the DTLS handshake failed; checks, after an ICE restart or not, bring a transport back from disconnected and failed
    to connected, unless DTLS was the reason. `closed`: the client said goodbye by DTLS close_notify; the owner should
    call `close()`.
    """

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """On whose account a consumer was closed."""

    PRODUCER_CLOSED = "producer_closed"
    TRANSPORT_CLOSED = "transport_closed"


@dataclass(frozen=True, slots=True)
class TransportStateChanged:
    """The transport is now in `state`."""

    transport_id: str
    state: TransportState


@dataclass(frozen=True, slots=True)
class ConsumerClosed:
    """The consumer is gone on account of something else (its producer closed); not sent for `Consumer.close()`.

    Delivered from inside the `close()` of the producer or of its transport.
    """

    consumer_id: str
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class ConsumerPaused:
    """The consumer's producer was paused; delivered from inside `Producer.pause()`."""

    consumer_id: str


@dataclass(frozen=True, slots=True)
class ConsumerResumed:
    """The consumer's producer was resumed; delivered from inside `Producer.resume()`."""

    consumer_id: str


@dataclass(frozen=True, slots=True)
class ConsumerLayersChanged:
    """The layers now forwarded; both None when nothing is."""

    consumer_id: str
    spatial_layer: int | None
    temporal_layer: int | None


@dataclass(frozen=True, slots=True)
class ProducerLayersWanted:
    """So many of a producer's spatial layers, counted from the lowest, are worth sending; 0 when nobody looks.

    Told when it rises, and when it has been lower for some seconds.
    """

    producer_id: str
    spatial_layers: int


@dataclass(frozen=True, slots=True)
class ActiveSpeakerChanged:
    """Who speaks now; None when nobody has for a while."""

    producer_id: str | None


@dataclass(frozen=True, slots=True)
class AudioLevels:
    """(producer id, dBov -127..0) of those heard in the last second, loudest first; at most one event a second."""

    levels: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class TransportQuality:
    """How the client's network does on this transport, 5 excellent .. 1 bad, 0 nothing passes; and why.

    Sent when either changes.
    """

    transport_id: str
    score: int
    troubles: frozenset[Trouble]
    rtt_ms: float | None
    loss: float  # 0..1, of the last interval


MediaEvent = (
    TransportStateChanged
    | ConsumerClosed
    | ConsumerPaused
    | ConsumerResumed
    | ConsumerLayersChanged
    | ProducerLayersWanted
    | ActiveSpeakerChanged
    | AudioLevels
    | TransportQuality
)


class MediaListener(Protocol):
    """Whom a router tells. It must not raise and must not block."""

    def on_media_event(self, event: MediaEvent) -> None:
        """One event, in the order things happened."""
