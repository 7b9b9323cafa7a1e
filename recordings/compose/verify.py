"""Looks at a composed file as a player would, before anybody is told that it is ready."""

from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

_SECOND: Final = 1.0
# Sound ends on a packet of 1,024 samples, pictures on a frame.
_TOLERANCE: Final = 0.5
# A picture that began just before and stands for two frames of 25 a second, or a packet of sound, is still to be had.
_LONGEST_FRAME: Final = 0.09
_BOX_HEADER: Final = 8


def verify(path: Path, duration: float) -> float:
    """The length in seconds of a film with pictures and sound in its first, middle and last second that decode.

    `duration` is how long it should be, in seconds; ValueError where it is not whole.
    """
    if not index_first(path):
        raise ValueError("the index is not before the media")
    try:
        with av.open(str(path)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            if (video.codec_context.name, audio.codec_context.name) != ("h264", "aac"):
                raise ValueError("other codecs than intended")
            length = float(container.duration or 0) / av.time_base
            if abs(length - duration) > _TOLERANCE:
                raise ValueError(f"{length:.2f} s long instead of {duration:.2f} s")
            for stream in (video, audio):
                for begin in (0.0, max(0.0, length / 2 - _SECOND), max(0.0, length - _SECOND)):
                    _decode_second(container, stream, begin)
    except (FFmpegError, IndexError) as error:
        raise ValueError(f"does not play: {error}") from error
    return length


def _decode_second(container: Any, stream: Any, begin: float) -> None:
    """Decode on from the key frame before `begin`; ValueError unless something decodes within the second after it."""
    container.seek(int(begin / stream.time_base), stream=stream)
    for frame in container.decode(stream):
        if frame.time is None or frame.time >= begin + _SECOND:
            break
        if frame.time + _LONGEST_FRAME >= begin:
            return
    raise ValueError(f"no {stream.type} at {begin:.1f} s")


def index_first(path: Path) -> bool:
    """Whether `moov` stands before `mdat`, so that playing needs no look at the end."""
    with path.open("rb") as file:
        while len(header := file.read(_BOX_HEADER)) == _BOX_HEADER:
            size, kind = int.from_bytes(header[:4], "big"), header[4:]
            if kind == b"moov":
                return True
            if kind == b"mdat":
                return False
            if size == 1:
                size = int.from_bytes(file.read(8), "big") - 8
            if size < _BOX_HEADER:
                return False
            file.seek(size - _BOX_HEADER, 1)
    return False
