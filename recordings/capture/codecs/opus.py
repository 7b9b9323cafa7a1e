"""Opus: a packet's first byte tells its length (RFC 6716, section 3.1)."""

from collections.abc import Sequence
from typing import Final

from recordings.capture.codecs.frames import Frame, Malformed

_LONGEST_US: Final = 120_000
_COUNT_CODE, _COUNTED = 0x03, 3
# By configuration number: SILK 10, 20, 40, 60 ms; hybrid 10, 20; CELT 2.5, 5, 10, 20.
_FRAME_US: Final = (
    (10_000, 20_000, 40_000, 60_000) * 3 + (10_000, 20_000) * 2 + (2_500, 5_000, 10_000, 20_000) * 4
)


def read_opus(units: Sequence[bytes]) -> Frame:
    """Sound needs no key frame: what is lost is a gap."""
    (data,) = units
    if data[0] & _COUNT_CODE == _COUNTED:  # all others are of a length that there is
        opus_duration_us(data)
    return Frame(data, True)


def opus_duration_us(packet: bytes) -> int:
    """How long a packet sounds; raises Malformed for one that no decoder would take."""
    if not packet:
        raise Malformed("a packet of nothing")
    code = packet[0] & _COUNT_CODE
    if code < _COUNTED:
        count = 1 if code == 0 else 2
    elif len(packet) > 1 and packet[1] & 0x3F:
        count = packet[1] & 0x3F
    else:
        raise Malformed("a packet without frames")
    duration = count * _FRAME_US[packet[0] >> 3]
    if duration > _LONGEST_US:
        raise Malformed("a packet longer than any")
    return duration
