"""H.264 over RTP (RFC 6184, packetization modes 0 and 1) and its parameter sets (H.264, 7.3.2.1)."""

from typing import Final

from recordings.capture.codecs.assembler import Assembler
from recordings.capture.codecs.bits import BitReader
from recordings.capture.codecs.frames import Frame, Malformed

_IDR: Final = 5
_SPS: Final = 7
_PPS: Final = 8
_STAP_A: Final = 24
_FU_A: Final = 28
_LAST_SINGLE: Final = 23
_FU_HEADER: Final = 2
_LONGEST_SET: Final = 1_024
_MAXIMUM_PPS: Final = 31
# The profiles whose parameter sets tell chroma format and bit depth.
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class H264Depayloader(Assembler):
    """An access unit is what has one timestamp; out come units with their length before each, as Matroska wants."""

    def __init__(self) -> None:
        super().__init__()
        self._units: list[bytes] = []
        self._fragments: list[bytes] = []
        # Some encoders send their parameter sets once, in an access unit before the picture.
        self._sps = b""
        self._pps: dict[bytes, bytes] = {}

    def _add(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            self._add_fragment(payload)
            return
        if self._fragments:
            raise Malformed("a unit without its end")
        if 1 <= kind <= _LAST_SINGLE:
            self._add_unit(payload)
        elif kind == _STAP_A:
            for unit in split_stap_a(payload):
                self._add_unit(unit)
        else:
            raise Malformed("a packetization that was not negotiated")

    def _add_fragment(self, payload: bytes) -> None:
        if len(payload) <= _FU_HEADER:
            raise Malformed("a fragment of nothing")
        header = payload[1]
        if bool(header & 0x80) == bool(self._fragments):
            raise Malformed("fragments that do not follow each other")
        if not self._fragments:
            self._fragments.append(bytes([payload[0] & 0xE0 | header & 0x1F]))
        self._fragments.append(payload[_FU_HEADER:])
        if header & 0x40:
            unit, self._fragments = b"".join(self._fragments), []
            self._add_unit(unit)

    def _add_unit(self, unit: bytes) -> None:
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
        else:
            self._units.append(unit)

    def _finish(self, timestamp: int) -> Frame | None:
        if self._fragments:
            raise Malformed("a unit without its end")
        if not self._units:  # parameter sets alone, kept for the picture that follows
            return None
        key = any(unit[0] & 0x1F == _IDR for unit in self._units)
        if key and not (self._sps and self._pps):
            raise Malformed("a key frame without parameter sets")
        if not key:
            return Frame(_with_lengths(self._units), timestamp, key=False)
        pictures = list(self._pps.values())
        # The sets stay in the stream too: a change of resolution comes as new ones.
        data = _with_lengths([self._sps, *pictures, *self._units])
        return Frame(data, timestamp, True, h264_size(self._sps), avc_configuration(self._sps, pictures))

    def _reset(self) -> None:
        self._units, self._fragments = [], []


def _with_lengths(units: list[bytes]) -> bytes:
    return b"".join(part for unit in units for part in (len(unit).to_bytes(4, "big"), unit))


def avc_configuration(sps: bytes, pictures: list[bytes]) -> bytes:
    """The AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1.2) with lengths of four bytes."""
    parts = [b"\x01", sps[1:4], b"\xff\xe1", len(sps).to_bytes(2, "big"), sps]
    some = pictures[:_MAXIMUM_PPS]
    parts.append(bytes([len(some)]))
    parts += [part for unit in some for part in (len(unit).to_bytes(2, "big"), unit)]
    return b"".join(parts)


def split_stap_a(payload: bytes) -> list[bytes]:
    """The units of an aggregation packet (RFC 6184, section 5.7.1)."""
    units: list[bytes] = []
    position = 1
    while position < len(payload):
        size = int.from_bytes(payload[position : position + 2], "big")
        unit = payload[position + 2 : position + 2 + size]
        if not size or len(unit) != size:
            raise Malformed("an aggregate cut off")
        units.append(unit)
        position += 2 + size
    if not units:
        raise Malformed("an aggregate of nothing")
    return units


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
