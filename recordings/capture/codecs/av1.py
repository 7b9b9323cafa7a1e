"""AV1's units and its sequence header (AV1 specification, 5.3 and 5.5)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from recordings.capture.codecs.bits import BitReader
from recordings.capture.codecs.frames import Frame, Malformed

_SEQUENCE_HEADER, _DELIMITER, _FRAME_HEADER, _FRAME, _TILE_LIST, _PADDING = 1, 2, 3, 6, 8, 15
# What Matroska's blocks go without: the block is the temporal unit, and tile lists are for still lightfields.
_LEFT_OUT: Final = {_DELIMITER, _TILE_LIST, _PADDING}
_LENGTH_BYTES: Final = 8  # leb128() of the specification, 4.10.5
_CHOSEN_BY_FRAME: Final = 2
_HIGH_LEVEL: Final = 7
_LONGEST_UVLC: Final = 32


class SequenceHeader(NamedTuple):
    """Of a sequence header: the picture's size, and what the container repeats of it."""

    size: tuple[int, int]
    level: int
    tier: int
    high_bitdepth: bool
    monochrome: bool
    chroma_position: int
    still: bool


def read_av1(units: Sequence[bytes]) -> Frame | None:
    """A temporal unit, all its layers in it, is one frame: OBUs with their sizes, as Matroska wants them."""
    parsed = [Unit.parse(unit) for unit in units]
    kept = [unit for unit in parsed if unit.kind not in _LEFT_OUT]
    if not kept:
        return None
    data = b"".join(unit.sized() for unit in kept)
    header = next((unit for unit in kept if unit.kind == _SEQUENCE_HEADER), None)
    picture = next((unit for unit in kept if unit.kind in {_FRAME_HEADER, _FRAME}), None)
    if header is None or picture is None:
        return Frame(data, key=False)
    sequence = parse_sequence(header.body)
    if not (sequence.still or begins_with_key_frame(picture.body)):
        return Frame(data, key=False)
    return Frame(data, True, sequence.size, configuration(sequence) + header.sized())


class Unit(NamedTuple):
    """An open bitstream unit: its head without the size, and what follows."""

    head: bytes
    body: bytes

    @property
    def kind(self) -> int:
        """obu_type."""
        return self.head[0] >> 3 & 0x0F

    @classmethod
    def parse(cls, data: bytes) -> "Unit":
        """Of a unit with or without its size; raises Malformed."""
        if not data or data[0] & 0x80:
            raise Malformed("no unit")
        at = 2 if data[0] & 0x04 else 1
        if len(data) < at:
            raise Malformed("a unit cut off")
        head = bytes([data[0] & ~0x02]) + data[1:at]
        if not data[0] & 0x02:
            return cls(head, data[at:])
        size, at = _length(data, at)
        if at + size > len(data):
            raise Malformed("a unit cut off")
        return cls(head, data[at : at + size])

    def sized(self) -> bytes:
        """With its size."""
        return bytes([self.head[0] | 0x02]) + self.head[1:] + _leb128(len(self.body)) + self.body


def begins_with_key_frame(body: bytes) -> bool:
    """Whether a frame's uncompressed header (5.9.2) is that of a key frame."""
    reader = BitReader(body[:1])
    return not reader.flag() and reader.bits(2) == 0


def parse_sequence(body: bytes) -> SequenceHeader:
    """A sequence header of the main profile, the only one that is negotiated; raises Malformed."""
    reader = BitReader(body)
    if reader.bits(3):
        raise Malformed("not the main profile")
    reader.bits(1)
    reduced = reader.flag()
    level, tier = (reader.bits(5), 0) if reduced else _operating_points(reader)
    width_bits, height_bits = reader.bits(4) + 1, reader.bits(4) + 1
    size = reader.bits(width_bits) + 1, reader.bits(height_bits) + 1
    if not reduced and reader.flag():
        reader.bits(7)  # lengths of frame ids
    reader.bits(3)
    if not reduced:
        _tools(reader)
    reader.bits(3)
    high_bitdepth, monochrome = reader.flag(), reader.flag()
    if reader.flag():
        reader.bits(24)  # the colour description
    reader.bits(1)
    position = 0 if monochrome else reader.bits(2)
    return SequenceHeader(size, level, tier, high_bitdepth, monochrome, position, reduced)


def _operating_points(reader: BitReader) -> tuple[int, int]:
    """Level and tier of the first operating point, and everything before and between them."""
    delay_bits = None
    if reader.flag():
        reader.bits(64)
        if reader.flag():
            _skip_uvlc(reader)
        if reader.flag():
            delay_bits = reader.bits(5) + 1
            reader.bits(42)
    delays = reader.flag()
    found: list[tuple[int, int]] = []
    for _ in range(reader.bits(5) + 1):
        reader.bits(12)
        level = reader.bits(5)
        found.append((level, reader.bits(1) if level > _HIGH_LEVEL else 0))
        if delay_bits is not None and reader.flag():
            reader.bits(2 * delay_bits + 1)
        if delays and reader.flag():
            reader.bits(4)
    return found[0]


def _skip_uvlc(reader: BitReader) -> None:
    zeros = 0
    while not reader.flag():
        zeros += 1
    if zeros < _LONGEST_UVLC:
        reader.bits(zeros)


def _tools(reader: BitReader) -> None:
    """From enable_interintra_compound to order_hint_bits_minus_1."""
    reader.bits(4)
    ordered = reader.flag()
    if ordered:
        reader.bits(2)
    screen = _CHOSEN_BY_FRAME if reader.flag() else reader.bits(1)
    if screen and not reader.flag():
        reader.bits(1)
    if ordered:
        reader.bits(3)


def configuration(sequence: SequenceHeader) -> bytes:
    """The head of AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3.3); the sequence header's unit goes behind it."""
    flags = sequence.tier << 7 | sequence.high_bitdepth << 6 | sequence.monochrome << 4
    return bytes([0x81, sequence.level, flags | 0b1100 | sequence.chroma_position, 0])


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A leb128() number at `at`, and where it ends."""
    value = 0
    for index in range(_LENGTH_BYTES):
        if at + index >= len(data):
            break
        value |= (data[at + index] & 0x7F) << 7 * index
        if not data[at + index] & 0x80:
            return value, at + index + 1
    raise Malformed("a length without an end")


def _leb128(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
