"""Looks at a composed file as a player would, before anybody is told that it is ready."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

from recordings.faults import blame_machine

_SECOND: Final = 1.0
# So far apart: of a playlist FFmpeg goes on from the key frame after the place that is sought, not from the one before.
_KEY_FRAMES: Final = 2.0
# Sound ends on a packet of 1,024 samples, pictures on a frame.
_TOLERANCE: Final = 0.5
# A picture that began just before and stands for two frames of 25 a second, or a packet of sound, is still to be had.
_LONGEST_FRAME: Final = 0.09
_BOX_HEADER: Final = 8
_CODECS: Final = {"video": "h264", "audio": "aac"}
_PLAYLIST: Final = ".m3u8"
FILM: Final = ("video", "audio")
"""What is to be found in a film."""
SOUND: Final = ("audio",)
"""The same of a file of sound alone."""


def verify(path: Path, duration: float | None, kinds: Sequence[str] = FILM) -> float:
    """The length in seconds of a file whose first, middle and last second decode, picture by picture, packet by packet.

    The first is counted from where the stream begins, be it after others. A playlist stands for the one file beside it
    that it plays. `duration` is how long it should be, in seconds, None where nobody knows; ValueError where it is not
    whole, OSError where the machine does not let it be read.
    """
    media = path.with_suffix(".m4s") if path.suffix == _PLAYLIST else path
    if not index_first(media):
        raise ValueError("the index is not before the media")
    if not _ends_with_a_box(media):
        raise ValueError("does not play: the end is missing")
    try:
        length = _length(path, kinds)
        if duration is not None and abs(length - duration) > _TOLERANCE:
            raise ValueError(f"{length:.2f} s long instead of {duration:.2f} s")
        for kind in kinds:
            for begin in (0.0, length / 2 - _SECOND, length - _SECOND):
                decode_second(path, kind, max(0.0, begin))
    except (FFmpegError, IndexError) as error:
        blame_machine(error)
        raise ValueError(f"does not play: {error}") from error
    return length


def _length(path: Path, kinds: Sequence[str]) -> float:
    with av.open(str(path)) as container:
        streams = [getattr(container.streams, kind)[0] for kind in kinds]
        if any(stream.codec_context.name != _CODECS[stream.type] for stream in streams):
            raise ValueError("other codecs than intended")
        return float(container.duration or 0) / av.time_base


def decode_second(path: Path, kind: str, begin: float) -> None:
    """Decode on from the key frame before `begin`, or from where the stream does begin if that is later.

    ValueError unless all that is shown in the second after it does.
    """
    with av.open(str(path)) as container:
        stream: Any = getattr(container.streams, kind)[0]
        packets = container.demux(stream)
        key = begin - _KEY_FRAMES
        if key > (container.start_time or 0) / av.time_base:
            container.seek(int(key / stream.time_base), stream=stream)
        else:  # FFmpeg refuses to seek in a playlist to before its beginning
            first = next(packets)
            begin, packets = max([begin, *_times([first])]), chain([first], packets)
        end = begin + _SECOND
        kept = came = shown = 0
        for packet in packets:
            kept += sum(begin <= time < end for time in _times([packet]))
            times = _times(packet.decode())
            came += sum(begin <= time < end for time in times)
            shown += sum(begin - _LONGEST_FRAME <= time < end for time in times)
            if times and times[-1] >= end:
                break
    if not shown or came < kept:
        raise ValueError(f"no {kind} at {begin:.1f} s: {came} of {kept} packets decode")


def _times(timed: Iterable[Any]) -> list[float]:
    """The same for a packet and for the picture in it, to the last bit."""
    return [float(one.pts * one.time_base) for one in timed if one.pts is not None]


def index_first(path: Path) -> bool:
    """Whether `moov` stands before `mdat`, so that playing needs no look at the end."""
    return next((kind for kind, _ in _boxes(path) if kind in {b"moov", b"mdat"}), None) == b"moov"


def _ends_with_a_box(path: Path) -> bool:
    """Whether the file is as long as its boxes say: the index of one that was cut off still tells of all of it."""
    *_, (_, end) = [(b"", 0), *_boxes(path)]
    return end == path.stat().st_size


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """Kind, and end in bytes, of the outermost boxes (ISO/IEC 14496-12, 4.2)."""
    begin = 0
    with path.open("rb") as file:
        while len(header := file.read(_BOX_HEADER)) == _BOX_HEADER:
            size = int.from_bytes(header[:4], "big")
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            if size < _BOX_HEADER:
                return
            begin += size
            yield header[4:], begin
            file.seek(begin)
