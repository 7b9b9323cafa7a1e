"""What depayloaders make, and what a picture's depayloader has to know of its codec."""

from dataclasses import dataclass
from typing import Final, Protocol

# Far above a key frame of a shared 4K screen; what grows beyond it is no picture.
MAXIMUM_FRAME_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded picture, or one packet of sound.

    `timestamp` is RTP's, 32 bits. `size` and `parameters` (the decoder configuration record of H.264 and
    AV1) only on key frames.
    """

    data: bytes
    timestamp: int
    key: bool
    size: tuple[int, int] | None = None
    parameters: bytes = b""


class Malformed(ValueError):  # noqa: N818 - what the payload is
    """A payload that its RFC does not allow."""


class Depayloader(Protocol):
    """Collects the payloads of a track, which come in order, into frames."""

    @property
    def malformed(self) -> int:
        """Payloads dropped because they could not be read."""

    def push(self, payload: bytes, timestamp: int, *, marker: bool, lost: bool) -> list[Frame]:
        """The frames that this payload completes; `lost`: packets before it are missing."""

    @property
    def broken(self) -> bool:
        """Whether something was dropped since the last frame, so that the next one cannot be relied upon."""

    def mend(self) -> None:
        """Forget `broken`: the caller has taken note."""
