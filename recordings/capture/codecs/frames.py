"""What is written of a track, and what has to be known of a codec for it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias


class Frame(NamedTuple):
    """One encoded picture, or one packet of sound.

    `size` and `parameters` (the decoder configuration record of H.264 and AV1) only on key frames.
    """

    data: bytes
    key: bool
    size: tuple[int, int] | None = None
    parameters: bytes = b""


class Malformed(ValueError):  # noqa: N818 - what the unit is
    """A unit that its specification does not allow."""


FrameReader: TypeAlias = Callable[[Sequence[bytes]], Frame | None]
"""A whole frame's units (see `media.RtpFrame`) as Matroska wants them, None where there is nothing to show.

Raises Malformed. One is made for each track, as parameter sets are remembered.
"""
