"""RTP headers (RFC 3550, section 5.1) and numbers that wrap."""

from typing import Final, NamedTuple

_VERSION: Final = 2
_FIXED_HEADER: Final = 12


class RtpPacket(NamedTuple):
    """What capture needs of a packet."""

    payload_type: int
    marker: bool
    sequence: int  # 16 bits
    timestamp: int  # 32 bits
    payload: bytes


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Total: anything that is no RTP packet is None."""
    if len(data) < _FIXED_HEADER or data[0] >> 6 != _VERSION:
        return None
    start = _FIXED_HEADER + 4 * (data[0] & 0x0F)
    end = len(data)
    if data[0] & 0x10:  # a header extension: 16 bits of profile, 16 bits of length in words
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if data[0] & 0x20:  # padding: the last byte counts itself and what is before it
        padding = data[-1]
        if padding == 0:
            return None
        end -= padding
    if start > end:
        return None
    return RtpPacket(
        payload_type=data[1] & 0x7F,
        marker=bool(data[1] & 0x80),
        sequence=int.from_bytes(data[2:4], "big"),
        timestamp=int.from_bytes(data[4:8], "big"),
        payload=data[start:end],
    )


class Unwrapper:
    """Turns numbers that wrap at `bits` into ones that do not: each is the one nearest to the newest before it.

    The first number stays as it is, so an earlier one that comes late may be negative.
    """

    def __init__(self, bits: int) -> None:
        self._modulus = 1 << bits
        self._newest: int | None = None

    def unwrap(self, number: int) -> int:
        """The whole number; remembers it when it is the highest so far."""
        if self._newest is None:
            self._newest = number
            return number
        whole = self.peek(number)
        self._newest = max(self._newest, whole)
        return whole

    def peek(self, number: int) -> int:
        """The same without remembering."""
        if self._newest is None:
            return number
        half = self._modulus // 2
        return self._newest + (number - self._newest + half) % self._modulus - half
