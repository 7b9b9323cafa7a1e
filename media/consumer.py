"""A consumer: one producer going to one client."""

from typing import Any, Literal


class Consumer:
    """Made by `Transport.consume`; starts paused unless told otherwise."""

    id: str
    producer_id: str
    transport_id: str
    kind: Literal["audio", "video"]
    type: Literal["simple", "simulcast", "svc"]
    rtp_parameters: dict[str, Any]

    @property
    def paused(self) -> bool:
        """Whether the client (or signaling) paused it; its producer may be paused besides."""
        raise NotImplementedError

    @property
    def producer_paused(self) -> bool:
        """Whether its producer is paused."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        raise NotImplementedError

    def pause(self) -> None:
        """Send nothing more. Idempotent, no event."""
        raise NotImplementedError

    def resume(self) -> None:
        """Send again; a video consumer asks for a key frame and starts with it. Idempotent, no event."""
        raise NotImplementedError

    def request_key_frame(self) -> None:
        """Ask the producer for a key frame, throttled."""
        raise NotImplementedError

    def set_preferred_layers(self, spatial_layer: int, temporal_layer: int | None = None) -> None:
        """The highest layers wanted, clamped to what there is. InvalidMedia invalid_layers."""
        raise NotImplementedError

    def set_priority(self, priority: int) -> None:
        """1..255: who gets bandwidth first. InvalidMedia invalid_priority."""
        raise NotImplementedError

    def close(self) -> None:
        """Idempotent, no event."""
        raise NotImplementedError

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' outbound-rtp names."""
        raise NotImplementedError
