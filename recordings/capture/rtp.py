"""RTP headers (RFC 3550, section 5.1) and numbers that wrap."""

from struct import Struct
from typing import Final, NamedTuple

_VERSION: Final = 2
_FIXED_HEADER: Final = 12
_BEGINNING: Final = Struct("!BBHI")  # flags, marker and payload type, sequence number, timestamp
_MARKER: Final = 0x80


class RtpPacket(NamedTuple):
    """What capture needs of a packet."""

    payload_type: int
    marker: bool
    sequence: int  # 16 bits
    timestamp: int  # 32 bits
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Total: anything that is no RTP packet is None."""
    end = len(data)
    if end < _FIXED_HEADER:
        return None
    flags, kind, sequence, timestamp = _BEGINNING.unpack_from(data)
    if flags >> 6 != _VERSION:
        return None
    start = _FIXED_HEADER + 4 * (flags & 0x0F)
    if flags & 0x10:  # a header extension: 16 bits of profile, 16 bits of length in words
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if flags & 0x20:  # padding: the last byte counts itself and what is before it
        padding = data[-1]
        if padding == 0:
            return None
        end -= padding
    if start > end:
        return None
    return RtpPacket(kind & 0x7F, kind >= _MARKER, sequence, timestamp, data[start:end])


class Unwrapper:
    """Turns numbers that wrap at `bits` into ones that do not: each is the one nearest to the newest before it.

    The first number stays as it is, so an earlier one that comes late may be negative.
    """

    def __init__(self, bits: int) -> None:
        self._half = 1 << bits - 1
        self._mask = (1 << bits) - 1
        self._newest: int | None = None

    def unwrap(self, number: int) -> int:
        """The whole number; remembers it when it is the highest so far."""
        whole = self.peek(number)
        self.remember(whole)
        return whole

    def peek(self, number: int) -> int:
        """The same without remembering."""
        newest = self._newest
        if newest is None:
            return number
        return newest + ((number - newest + self._half) & self._mask) - self._half

    def remember(self, whole: int) -> None:
        """What `peek` answered is there, and the newest if it is the highest so far."""
        if self._newest is None or whole > self._newest:
            self._newest = whole
