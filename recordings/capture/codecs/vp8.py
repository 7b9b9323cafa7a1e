"""The header of VP8's key frames (RFC 6386, section 9.1)."""

from collections.abc import Sequence
from typing import Final

from recordings.capture.codecs.frames import Frame, Malformed

_START_CODE: Final = b"\x9d\x01\x2a"
_KEY_HEADER: Final = 10


def read_vp8(units: Sequence[bytes]) -> Frame:
    """A picture is one unit."""
    (data,) = units
    if data[0] & 0x01:
        return Frame(data, key=False)
    return Frame(data, True, vp8_size(data))


def vp8_size(data: bytes) -> tuple[int, int]:
    """Width and height in a key frame's header; the two upper bits of each are a scaling hint."""
    if len(data) < _KEY_HEADER or data[3:6] != _START_CODE:
        raise Malformed("a key frame without its start code")
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    if not width or not height:
        raise Malformed("a picture of no size")
    return width, height
