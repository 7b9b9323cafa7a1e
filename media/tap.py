"""A tap: a producer's packets for this process, through a bounded ring.

`drain` may be called on any one thread, as a recorder's; everything else is for the asyncio thread, like all of media.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from media.guard import plane_errors
from media.ortc import ProducerStream
from media.plane import Handle, Plane
from media.rtp import ParameterValue


@dataclass(frozen=True, slots=True)
class TapBatch:
    """What came since the last `drain`.

    `packets`: (arrival in microseconds of CLOCK_MONOTONIC, RTP packet) in order of arrival, decrypted, without RTX and
    without simulcast: one continuous SSRC, sequence and timestamp space. `overflow`: packets lost because nobody
    drained, since the last batch. `sender_report`: the newest (64-bit NTP time, RTP timestamp in the tap's own space,
    arrival), when one came.
    """

    packets: list[tuple[int, bytes]]
    overflow: int
    sender_report: tuple[int, int, int] | None


class Tap:
    """Made by `Router.tap`. Gets nothing while its producer is paused or its transport is not admitted."""

    def __init__(
        self,
        plane: Plane,
        handle: Handle,
        producer_id: str,
        stream: ProducerStream,
        extensions: Mapping[str, int],
    ) -> None:
        self.producer_id = producer_id
        self.codec: str = stream.match.codec.name  # mime type in lower case: "audio/opus", "video/vp8", ...
        self.clock_rate: int = stream.match.codec.clock_rate
        self.channels: int = stream.match.codec.channel_count
        self.payload_type: int = stream.match.codec.payload_type
        self.parameters: dict[str, ParameterValue] = dict(stream.match.codec.parameters)  # fmtp
        self.header_extensions: dict[str, int] = dict(extensions)  # URI -> id, where the client sends them
        self.on_close: Callable[[], None] | None = None
        self._plane = plane
        self._handle: Handle | None = handle
        self._rest: TapBatch | None = None
        self._draining = threading.Lock()  # between a drain and the end of the ring it drains

    @property
    def closed(self) -> bool:
        """Whether the producer or its owner closed it; what was captured before can still be drained."""
        return self._handle is None

    def drain(self) -> TapBatch:
        """Everything that is there; empty when closed and drained."""
        with self._draining:
            if self._handle is not None:
                return self._take(self._handle)
            rest, self._rest = self._rest, None
            return rest or TapBatch([], 0, None)

    def request_key_frame(self) -> None:
        """Ask the producer for a key frame, throttled; nothing once closed."""
        if self._handle is not None:
            with plane_errors():
                self._plane.request_key_frame(self._handle)

    def close(self) -> None:
        """Idempotent."""
        handle = self._handle
        self.detach()
        if handle is None:
            return
        with plane_errors():
            self._plane.remove_tap(handle)
        if self.on_close is not None:
            self.on_close()

    def detach(self) -> None:
        """The producer goes, and the plane's tap with it: keep what is there."""
        with self._draining:
            if self._handle is not None:
                self._rest = self._take(self._handle)
                self._handle = None

    def _take(self, handle: Handle) -> TapBatch:
        with plane_errors():
            packets, overflow, report = self._plane.drain_tap(handle)
        return TapBatch(packets, overflow, report)
