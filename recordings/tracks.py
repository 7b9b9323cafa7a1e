"""What capture is told about a producer, and the source it drains: the seam towards media."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class TrackSource(StrEnum):
    """What a producer shows or says; the values are the interface's."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN = "screen"
    SCREEN_AUDIO = "screenAudio"

    @property
    def is_video(self) -> bool:
        """Whether there are pictures in it."""
        return self in {TrackSource.CAMERA, TrackSource.SCREEN}


class PacketBatch(Protocol):
    """What one drain gives; `media.TapBatch` is one."""

    @property
    def packets(self) -> Sequence[tuple[int, bytes]]:
        """(arrival in microseconds of the monotonic clock, whole RTP packet) in order of arrival."""

    @property
    def overflow(self) -> int:
        """Packets thrown away since the last drain because nobody drained."""

    @property
    def sender_report(self) -> tuple[int, int, int] | None:
        """(NTP 32.32, RTP timestamp, arrival in microseconds) of the newest sender report, if one ever came."""


class PacketSource(Protocol):
    """A producer's decrypted RTP, one continuous space of SSRC, sequence and timestamp; `media.Tap` is one.

    `drain` is called on the capture thread and must be safe there; the rest is called on the event loop.
    """

    @property
    def codec(self) -> str:
        """The MIME type (`video/VP8`) or its second half, in any case."""

    @property
    def clock_rate(self) -> int:
        """RTP ticks a second."""

    @property
    def payload_type(self) -> int:
        """Of the codec's packets; others (comfort noise, RED) are not captured."""

    def drain(self) -> PacketBatch:
        """Take what has arrived since the last call; never waits."""

    def request_key_frame(self) -> None:
        """Ask the publisher for a key frame (throttled by media)."""

    def close(self) -> None:
        """Give the tap back; twice is harmless."""


@dataclass(frozen=True, slots=True)
class Track:
    """A producer that is to be captured; the recorder owns `tap` from `track_added` on and closes it."""

    producer_id: str
    peer_id: str
    member_id: str | None
    display_name: str
    source: TrackSource
    tap: PacketSource
    paused: bool = False
    person_key: str = ""  # of rooms: the same on all devices of the person
