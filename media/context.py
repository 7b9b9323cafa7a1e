"""What the objects of one router share."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from media.events import MediaEvent, MediaListener
from media.identity import DtlsIdentity
from media.known_capabilities import KnownCapabilities
from media.plane import Handle, Plane
from media.pump import Pump
from media.rtp import RtpCapabilities
from media.settings import MediaLimits
from media.tally import QualityTallies

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RouterContext:
    """The plane a router is pinned to, its rules, and its listener."""

    router_id: str
    pump: Pump
    identity: DtlsIdentity
    capabilities: RtpCapabilities
    known: KnownCapabilities
    limits: MediaLimits
    candidates: Callable[[], list[dict[str, object]]]
    listener: MediaListener
    tallies: QualityTallies
    floor: Handle | None  # where the room's microphones compete; None forwards them all

    @property
    def plane(self) -> Plane:
        """Where the packets go."""
        return self.pump.plane

    def emit(self, event: MediaEvent) -> None:
        """Tell the listener; its mistakes are not ours."""
        try:
            self.listener.on_media_event(event)
        except Exception:  # noqa: BLE001 - see above
            self.pump.counters["listener_errors"] += 1
            _log.exception(
                "media_listener_failed", router_id=self.router_id, media_event=type(event).__name__
            )
