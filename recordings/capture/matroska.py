"""Writes one track's encoded frames as Matroska (RFC 9559) that can be read wherever it ends.

Segment and clusters have unknown sizes, as in live streams, so nothing written is ever touched again and nothing waits
for an end: a file cut off by a kill and one closed in good order are of the same kind. FFmpeg's muxer keeps
clusters in memory, and PyAV gives a stream that nobody encodes no codec configuration, so these few elements are
written here.
"""

from pathlib import Path
from struct import Struct
from typing import Final

from recordings.capture.codecs.frames import Frame
from recordings.capture.codecs.registry import Codec
from recordings.capture.disk import AppendedFile

# Ticks of 0.1 ms: with whole milliseconds every packet of sound would be up to half of one off.
TICKS_PER_SECOND: Final = 10_000
_TICK_NANOSECONDS: Final = 1_000_000_000 // TICKS_PER_SECOND
# Blocks count from their cluster's time in 16 bits with a sign, 3.2 s of these ticks.
_CLUSTER_TICKS: Final = 2 * TICKS_PER_SECOND
_UNKNOWN_SIZE: Final = b"\x01\xff\xff\xff\xff\xff\xff\xff"
# A SimpleBlock up to its frame: identifier, size, track 1, time within the cluster, flags. The size takes four octets
# always, which hold more than any frame, so that all of it is written in one go.
_BLOCK: Final = Struct("!BIBhB")
_BLOCK_HEADER: Final = 4
_LONG_SIZE: Final = 0x1000_0000
_KEY_FRAME: Final = 0x80
_VIDEO, _AUDIO = 1, 2

# Version 1, two channels, no pre-skip, 48 kHz, no gain, mapping family 0 (RFC 7845, section 5.1). Opus decodes mono
# into two channels as well, so what the publisher sends need not be known.
_OPUS_HEAD: Final = b"OpusHead\x01\x02\x00\x00" + (48_000).to_bytes(4, "little") + b"\x00\x00\x00"

_CODEC_IDS: Final = {
    "vp8": b"V_VP8",
    "vp9": b"V_VP9",
    "av1": b"V_AV1",
    "h264": b"V_MPEG4/ISO/AVC",
    "opus": b"A_OPUS",
}


class MatroskaTrack:
    """One file with one track; made at the first frame, which tells the size of the picture."""

    def __init__(self, path: Path, codec: Codec, clock_rate: int, first: Frame) -> None:
        self._clock_rate = clock_rate
        self.file = AppendedFile(path)
        self._pending = [_head(codec, first)]
        self._cluster: int | None = None
        self._last = -1

    def add(self, frame: Frame, position: int) -> None:
        """Put a frame at `position` (RTP ticks from the track's beginning) into the next `flush`."""
        tick = position * TICKS_PER_SECOND // self._clock_rate
        if tick <= self._last:  # never back, never two at once
            tick = self._last + 1
        self._last = tick
        if self._cluster is None or tick - self._cluster > _CLUSTER_TICKS:
            self._cluster = tick
            self._pending.append(
                b"\x1f\x43\xb6\x75" + _UNKNOWN_SIZE + _number(0xE7, tick)
            )  # Cluster, Timestamp
        flags = _KEY_FRAME if frame.key else 0
        size = _LONG_SIZE | (_BLOCK_HEADER + len(frame.data))
        self._pending.append(_BLOCK.pack(0xA3, size, 0x81, tick - self._cluster, flags))
        self._pending.append(frame.data)

    def flush(self) -> int:
        """Write what was added in one go; answers the bytes. OSError where the disk refuses."""
        if not self._pending:
            return 0
        data = b"".join(self._pending)
        self._pending = []
        self.file.write(data)
        return len(data)

    def close(self) -> None:
        """Flush and close; the file is given up even where that raises."""
        try:
            self.flush()
        finally:
            self.file.close()


def _head(codec: Codec, first: Frame) -> bytes:
    """EBML header, the segment's beginning, Info and Tracks."""
    ebml = _element(
        0x1A45DFA3,
        _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8)
        + _element(0x4282, b"matroska") + _number(0x4287, 4) + _number(0x4285, 2),
    )  # fmt: skip
    info = _element(
        0x1549A966,
        _number(0x2AD7B1, _TICK_NANOSECONDS) + _element(0x4D80, b"huitang") + _element(0x5741, b"huitang"),
    )
    private = _OPUS_HEAD if codec.name == "opus" else first.parameters
    entry = (
        _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, _VIDEO if codec.is_video else _AUDIO)
        + _number(0x9C, 0) + _element(0x86, _CODEC_IDS[codec.name])
        + (_element(0x63A2, private) if private else b"") + _kind_settings(codec, first)
    )  # fmt: skip
    tracks = _element(0x1654AE6B, _element(0xAE, entry))
    return ebml + b"\x18\x53\x80\x67" + _UNKNOWN_SIZE + info + tracks


def _kind_settings(codec: Codec, first: Frame) -> bytes:
    if codec.is_video:
        width, height = first.size or (0, 0)
        return _element(0xE0, _number(0xB0, width) + _number(0xBA, height))
    sampling_frequency = bytes.fromhex("40e7700000000000")  # 48000.0
    return _element(0xE1, _element(0xB5, sampling_frequency) + _number(0x9F, 2))


def _element(identifier: int, content: bytes) -> bytes:
    return _opening(identifier, len(content)) + content


def _opening(identifier: int, size: int) -> bytes:
    octets = 1
    while size >= (1 << 7 * octets) - 1:  # all ones would mean unknown
        octets += 1
    length = (size | 1 << 7 * octets).to_bytes(octets, "big")
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + length


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
