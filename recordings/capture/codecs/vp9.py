"""VP9 over RTP (RFC 9628) and the header of its key frames (VP9 bitstream specification, 6.2)."""

from typing import Final

from recordings.capture.codecs.assembler import Assembler
from recordings.capture.codecs.bits import BitReader
from recordings.capture.codecs.frames import Frame, Malformed

_FRAME_MARKER: Final = 0b10
_SYNC_CODE: Final = 0x498342
_HEADER_BYTES: Final = 24  # more than an uncompressed key frame header needs up to its size
_MAXIMUM_REFERENCES: Final = 3
_MAXIMUM_LAYERS: Final = 8
_RGB: Final = 7


class Vp9Depayloader(Assembler):
    """A picture is one frame, or one frame a spatial layer, which go into one superframe."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: list[list[bytes]] = []
        self._open = False
        self._size: tuple[int, int] | None = (
            None  # of the largest layer, where the structure came with the picture
        )

    def _add(self, payload: bytes) -> None:
        begins, ends, size, body = split_vp9(payload)
        self._size = size or self._size
        if begins == self._open:
            raise Malformed("a frame without its beginning or its end")
        if begins:
            self._layers.append([])
        self._layers[-1].append(body)
        self._open = not ends

    def _finish(self, timestamp: int) -> Frame:
        if self._open or not self._layers:
            raise Malformed("a frame without its end")
        frames = [b"".join(layer) for layer in self._layers]
        sizes = [vp9_key_size(frame) for frame in frames]
        key = sizes[0] is not None
        # Layers above a key frame are predicted from it, so of the frames only the lowest tells its own size.
        size = max((size for size in (*sizes, self._size) if size), default=None)
        return Frame(superframe(frames), timestamp, key, size if key else None)

    def _reset(self) -> None:
        self._layers, self._open, self._size = [], False, None


def split_vp9(payload: bytes) -> tuple[bool, bool, tuple[int, int] | None, bytes]:
    """(a frame begins here, it ends here, the largest layer's size where it is told, the VP9 bytes).

    Behind the payload descriptor of RFC 9628, section 4.2; raises Malformed.
    """
    reader = _Octets(payload)
    first = reader.octet()
    has_picture_id, predicted, has_layer = first & 0x80, first & 0x40, first & 0x20
    flexible, begins, ends, has_structure = first & 0x10, first & 0x08, first & 0x04, first & 0x02
    if has_picture_id and reader.octet() & 0x80:
        reader.octet()
    if has_layer:
        reader.octet()
        if not flexible:
            reader.octet()  # TL0PICIDX
    if flexible and predicted:
        for _ in range(_MAXIMUM_REFERENCES):
            if not reader.octet() & 0x01:
                break
        else:
            raise Malformed("more references than there are")
    size = _structure(reader) if has_structure else None
    body = reader.rest()
    if not body:
        raise Malformed("a descriptor and nothing behind it")
    return bool(begins), bool(ends), size, body


def _structure(reader: "_Octets") -> tuple[int, int] | None:
    """The scalability structure (section 4.2.1): sizes of the layers, then the group of pictures.

    Answers the largest size, None where there are none.
    """
    head = reader.octet()
    sizes = []
    if head & 0x10:
        sizes = [(reader.pair(), reader.pair()) for _ in range((head >> 5) + 1)]
    if head & 0x08:
        for _ in range(reader.octet()):
            reader.skip(reader.octet() >> 2 & 0x03)
    return max((size for size in sizes if all(size)), default=None)


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


def superframe(frames: list[bytes]) -> bytes:
    """Several frames that are decoded together, with the index of Annex B; one frame stays as it is."""
    if len(frames) == 1:
        return frames[0]
    if len(frames) > _MAXIMUM_LAYERS:
        raise Malformed("more layers than an index can hold")
    octets = max(1, (max(map(len, frames)).bit_length() + 7) // 8)
    marker = bytes([0b11000000 | (octets - 1) << 3 | (len(frames) - 1)])
    sizes = b"".join(len(frame).to_bytes(octets, "little") for frame in frames)
    return b"".join([*frames, marker, sizes, marker])


class _Octets:
    """Reads a descriptor octet by octet."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def octet(self) -> int:
        if self._position >= len(self._data):
            raise Malformed("a descriptor cut off")
        self._position += 1
        return self._data[self._position - 1]

    def pair(self) -> int:
        return self.octet() << 8 | self.octet()

    def skip(self, count: int) -> None:
        self._position += count

    def rest(self) -> bytes:
        return self._data[self._position :]
