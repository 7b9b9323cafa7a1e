"""A tap: a producer's packets for this process, through a bounded ring."""

from dataclasses import dataclass


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

    producer_id: str
    codec: str  # mime type in lower case: "audio/opus", "video/vp8", ...
    clock_rate: int
    payload_type: int
    parameters: dict[str, str | int]  # fmtp: H.264's profile-level-id, VP9's profile-id, ...

    @property
    def closed(self) -> bool:
        """Whether the producer or its owner closed it; what was captured before can still be drained."""
        raise NotImplementedError

    def drain(self) -> TapBatch:
        """Everything that is there; empty when closed and drained."""
        raise NotImplementedError

    def request_key_frame(self) -> None:
        """Ask the producer for a key frame, throttled."""
        raise NotImplementedError

    def close(self) -> None:
        """Idempotent."""
        raise NotImplementedError
