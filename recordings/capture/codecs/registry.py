"""Which codecs can be captured, by the name that signaling negotiated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from recordings.capture.codecs.av1 import read_av1
from recordings.capture.codecs.frames import FrameReader
from recordings.capture.codecs.h264 import H264Reader
from recordings.capture.codecs.opus import read_opus
from recordings.capture.codecs.vp8 import read_vp8
from recordings.capture.codecs.vp9 import read_vp9


@dataclass(frozen=True, slots=True)
class Codec:
    """`name` is the container's and media's; `is_video` decides about key frames; `reader` makes one for a track."""

    name: str
    is_video: bool
    reader: Callable[[], FrameReader]


_CODECS: Final = {
    "vp8": Codec("vp8", is_video=True, reader=lambda: read_vp8),
    "vp9": Codec("vp9", is_video=True, reader=lambda: read_vp9),
    "av1": Codec("av1", is_video=True, reader=lambda: read_av1),
    "h264": Codec("h264", is_video=True, reader=lambda: H264Reader().read),
    "opus": Codec("opus", is_video=False, reader=lambda: read_opus),
}


def find_codec(mime_type: str) -> Codec | None:
    """By `video/VP8` or `vp8`, in any case; None for what cannot be captured."""
    return _CODECS.get(mime_type.rpartition("/")[2].lower())
