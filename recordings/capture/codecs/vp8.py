"""VP8 over RTP (RFC 7741) and the header of its key frames (RFC 6386, section 9.1)."""

from typing import Final

from recordings.capture.codecs.assembler import Assembler
from recordings.capture.codecs.frames import Frame, Malformed

_START_CODE: Final = b"\x9d\x01\x2a"
_KEY_HEADER: Final = 10
# S and the three bits of the partition index: a picture begins where S=1 and the partition is 0.
_BEGINNING_MASK: Final = 0x17
_BEGINNING: Final = 0x10


class Vp8Depayloader(Assembler):
    """A picture begins with S=1, partition 0, and ends with the marker."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def _add(self, payload: bytes) -> None:
        starts, body = split_vp8(payload)
        if starts != (not self._pieces):
            raise Malformed("a picture without its beginning")
        self._pieces.append(body)

    def _finish(self, timestamp: int) -> Frame:
        data = b"".join(self._pieces)
        key = not data[0] & 0x01
        return Frame(data, timestamp, key, vp8_size(data) if key else None)

    def _reset(self) -> None:
        self._pieces = []


def split_vp8(payload: bytes) -> tuple[bool, bytes]:
    """(whether a picture starts here, the VP8 bytes) behind the payload descriptor of RFC 7741, section 4.2."""
    first, position = payload[0], 1
    if first & 0x80:  # X: extension bits I, L, T, K
        extension, position = _byte(payload, 1), 2
        if extension & 0x80:  # I: a picture id of 7 or 15 bits
            position += 2 if _byte(payload, position) & 0x80 else 1
        if extension & 0x40:  # L: TL0PICIDX
            position += 1
        if extension & 0x30:  # T or K: TID, Y, KEYIDX
            position += 1
    if position >= len(payload):
        raise Malformed("a descriptor and nothing behind it")
    return first & _BEGINNING_MASK == _BEGINNING, payload[position:]


def vp8_size(data: bytes) -> tuple[int, int]:
    """Width and height in a key frame's header; the two upper bits of each are a scaling hint."""
    if len(data) < _KEY_HEADER or data[3:6] != _START_CODE:
        raise Malformed("a key frame without its start code")
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    if not width or not height:
        raise Malformed("a picture of no size")
    return width, height


def _byte(payload: bytes, position: int) -> int:
    if position >= len(payload):
        raise Malformed("a descriptor cut off")
    return payload[position]
