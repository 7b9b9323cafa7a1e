"""A router: the media of one room."""

from typing import Any, Literal

from media.producer import Producer
from media.tap import Tap
from media.transport import Transport


class Router:
    """Made by `MediaEngine.create_router`."""

    id: str

    @property
    def rtp_capabilities(self) -> dict[str, Any]:
        """The routerRtpCapabilities for `Device.load`; a fresh copy."""
        raise NotImplementedError

    def create_transport(self, direction: Literal["send", "recv"], *, owner: str = "") -> Transport:
        """A transport for one client. `owner` is any key: the transports of one key are bounded (not for "")."""
        raise NotImplementedError

    def transport(self, transport_id: str) -> Transport | None:
        """The open transport of that id."""
        raise NotImplementedError

    def producer(self, producer_id: str) -> Producer | None:
        """The open producer of that id."""
        raise NotImplementedError

    def can_consume(self, producer_id: str, rtp_capabilities: Any) -> bool:
        """Whether `consume` would find a codec; False for wrong capabilities and unknown producers too."""
        raise NotImplementedError

    def tap(self, producer_id: str, capacity_packets: int = 4096) -> Tap:
        """A bounded copy of the producer's packets for this process. UnknownMedia, MediaLimitReached."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all transports, silently."""
        raise NotImplementedError
