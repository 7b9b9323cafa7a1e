"""A producer: one track that a client sends."""

from typing import Any, Literal


class Producer:
    """Made by `Transport.produce`."""

    id: str
    transport_id: str
    kind: Literal["audio", "video"]
    type: Literal["simple", "simulcast", "svc"]

    @property
    def paused(self) -> bool:
        """Whether packets are dropped on arrival."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether it is gone."""
        raise NotImplementedError

    def pause(self) -> None:
        """Stop forwarding; every consumer's listener gets ConsumerPaused. Idempotent."""
        raise NotImplementedError

    def resume(self) -> None:
        """Forward again, asking for a key frame; ConsumerResumed. Idempotent."""
        raise NotImplementedError

    def request_key_frame(self) -> None:
        """PLI (or FIR) to the client, throttled by the plane; nothing for audio."""
        raise NotImplementedError

    def close(self) -> None:
        """Close its consumers (ConsumerClosed) and taps, then itself. Idempotent."""
        raise NotImplementedError

    def statistics(self) -> dict[str, Any]:
        """webrtc-stats' inbound-rtp names, one entry an encoding under "encodings"."""
        raise NotImplementedError
