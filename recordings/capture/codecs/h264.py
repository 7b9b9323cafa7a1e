"""H.264's parameter sets (H.264, 7.3.2.1) and its units in Matroska (ISO/IEC 14496-15)."""

from collections.abc import Sequence
from typing import Final

from recordings.capture.codecs.bits import BitReader
from recordings.capture.codecs.frames import Frame, Malformed

_IDR: Final = 5
_SPS: Final = 7
_PPS: Final = 8
_LONGEST_SET: Final = 1_024
_MAXIMUM_PPS: Final = 31
# The profiles whose parameter sets tell chroma format and bit depth.
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class H264Reader:
    """An access unit is what has one timestamp; out come units with their length before each, as Matroska wants."""

    def __init__(self) -> None:
        # Some encoders send their parameter sets once, in an access unit before the picture.
        self._sps = b""
        self._pps: dict[bytes, bytes] = {}

    def read(self, units: Sequence[bytes]) -> Frame | None:
        """None where there are parameter sets alone, kept for the picture that follows."""
        pictures = [unit for unit in units if not self._keep(unit)]
        if not pictures:
            return None
        if not any(unit[0] & 0x1F == _IDR for unit in pictures):
            return Frame(_with_lengths(pictures), key=False)
        if not (self._sps and self._pps):
            raise Malformed("a key frame without parameter sets")
        sets = list(self._pps.values())
        # The sets stay in the stream too: a change of resolution comes as new ones.
        data = _with_lengths([self._sps, *sets, *pictures])
        return Frame(data, True, h264_size(self._sps), avc_configuration(self._sps, sets))

    def _keep(self, unit: bytes) -> bool:
        """Whether the unit is a parameter set, which is kept then."""
        kind = unit[0] & 0x1F
        if kind == _SPS:
            if len(unit) > _LONGEST_SET:
                raise Malformed("no parameter set")
            h264_size(unit)
            if unit != self._sps:
                self._sps, self._pps = unit, {}
        elif kind == _PPS:
            # By id, which is in its first bits; a stream of ever new ones must not fill the memory.
            if not 1 < len(unit) <= _LONGEST_SET:
                raise Malformed("no parameter set")
            self._pps.pop(unit[1:2], None)
            self._pps[unit[1:2]] = unit
        return kind in {_SPS, _PPS}


def _with_lengths(units: list[bytes]) -> bytes:
    return b"".join(part for unit in units for part in (len(unit).to_bytes(4, "big"), unit))


def avc_configuration(sps: bytes, pictures: list[bytes]) -> bytes:
    """The AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1.2) with lengths of four bytes."""
    parts = [b"\x01", sps[1:4], b"\xff\xe1", len(sps).to_bytes(2, "big"), sps]
    some = pictures[:_MAXIMUM_PPS]
    parts.append(bytes([len(some)]))
    parts += [part for unit in some for part in (len(unit).to_bytes(2, "big"), unit)]
    return b"".join(parts)


def h264_size(sps: bytes) -> tuple[int, int]:
    """Width and height that a sequence parameter set gives, cropping considered."""
    reader = BitReader(sps[1:].replace(b"\x00\x00\x03", b"\x00\x00"))  # without emulation prevention
    profile = reader.bits(8)
    reader.bits(16)  # constraints, level
    reader.ue()
    chroma = _skip_high_profile(reader) if profile in _HIGH_PROFILES else 1
    reader.ue()  # log2_max_frame_num
    order = reader.ue()
    if order == 0:
        reader.ue()
    elif order == 1:
        reader.bits(1)
        reader.se()
        reader.se()
        for _ in range(min(reader.ue(), 255)):
            reader.se()
    reader.ue()  # max_num_ref_frames
    reader.bits(1)
    width, height = 16 * (reader.ue() + 1), 16 * (reader.ue() + 1)
    progressive = reader.flag()
    if not progressive:
        height *= 2
        reader.bits(1)
    reader.bits(1)
    if reader.flag():
        across = 2 if chroma in {1, 2} else 1
        down = (2 if chroma == 1 else 1) * (1 if progressive else 2)
        width -= across * (reader.ue() + reader.ue())
        height -= down * (reader.ue() + reader.ue())
    if not (0 < width <= 0x4000 and 0 < height <= 0x4000):  # noqa: PLR2004 - 16,384, the most any level allows
        raise Malformed("a picture of no size")
    return width, height


def _skip_high_profile(reader: BitReader) -> int:
    """What the high profiles put before the frame number; answers chroma_format_idc."""
    chroma = reader.ue()
    if chroma == 3:  # noqa: PLR2004 - 4:4:4 may have separate planes
        reader.bits(1)
    reader.ue()
    reader.ue()
    reader.bits(1)
    if reader.flag():
        for index in range(8 if chroma != 3 else 12):  # noqa: PLR2004
            if reader.flag():
                _skip_scaling_list(reader, 16 if index < 6 else 64)  # noqa: PLR2004 - 4x4 lists, then 8x8
    return chroma


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.se()) % 256
        last = following or last
