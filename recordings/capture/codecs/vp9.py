"""The header of VP9's key frames (VP9 bitstream specification, 6.2), and superframes (Annex B)."""

from collections.abc import Sequence
from typing import Final

from recordings.capture.codecs.bits import BitReader
from recordings.capture.codecs.frames import Frame, Malformed

_FRAME_MARKER: Final = 0b10
_SYNC_CODE: Final = 0x498342
_HEADER_BYTES: Final = 24  # more than an uncompressed key frame header needs up to its size
_MAXIMUM_LAYERS: Final = 8
_RGB: Final = 7


def read_vp9(units: Sequence[bytes]) -> Frame:
    """A unit is a spatial layer's frame; a picture of several becomes one superframe.

    Layers above a key frame are predicted from it, so the size is the lowest one's.
    """
    sizes = [vp9_key_size(unit) for unit in units]
    return Frame(superframe(units), key=sizes[0] is not None, size=sizes[0])


def vp9_key_size(data: bytes) -> tuple[int, int] | None:
    """Width and height where `data` is a key frame, None where it is not; raises Malformed where it is no frame."""
    reader = BitReader(data[:_HEADER_BYTES])
    if reader.bits(2) != _FRAME_MARKER:
        raise Malformed("no VP9 frame")
    profile = reader.bits(1) | reader.bits(1) << 1
    if profile == 3:  # noqa: PLR2004 - profile 3 has a reserved bit behind it
        reader.bits(1)
    if reader.flag() or reader.flag():  # shows an existing frame; not a key frame
        return None
    reader.bits(2)  # show_frame, error_resilient_mode
    if reader.bits(24) != _SYNC_CODE:
        raise Malformed("a key frame without its sync code")
    if profile >= 2:  # noqa: PLR2004 - profiles 2 and 3 say whether they have 10 or 12 bits
        reader.bits(1)
    if reader.bits(3) != _RGB:
        reader.bits(1)  # colour range
        if profile in {1, 3}:
            reader.bits(3)
    elif profile in {1, 3}:
        reader.bits(1)
    return reader.bits(16) + 1, reader.bits(16) + 1


def superframe(frames: Sequence[bytes]) -> bytes:
    """Several frames that are decoded together, with the index of Annex B; one frame stays as it is."""
    if len(frames) == 1:
        return frames[0]
    if len(frames) > _MAXIMUM_LAYERS:
        raise Malformed("more layers than an index can hold")
    octets = max(1, (max(map(len, frames)).bit_length() + 7) // 8)
    marker = bytes([0b11000000 | (octets - 1) << 3 | (len(frames) - 1)])
    sizes = b"".join(len(frame).to_bytes(octets, "little") for frame in frames)
    return b"".join([*frames, marker, sizes, marker])
