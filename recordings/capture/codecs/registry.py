"""Which codecs can be captured, by the name that signaling negotiated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from recordings.capture.codecs.av1 import Av1Depayloader
from recordings.capture.codecs.frames import Depayloader
from recordings.capture.codecs.h264 import H264Depayloader
from recordings.capture.codecs.opus import OpusDepayloader
from recordings.capture.codecs.vp8 import Vp8Depayloader
from recordings.capture.codecs.vp9 import Vp9Depayloader


@dataclass(frozen=True, slots=True)
class Codec:
    """`name` is the container's; `is_video` decides about key frames."""

    name: str
    is_video: bool
    depayloader: Callable[[], Depayloader]


_CODECS: Final = {
    "vp8": Codec("vp8", is_video=True, depayloader=Vp8Depayloader),
    "vp9": Codec("vp9", is_video=True, depayloader=Vp9Depayloader),
    "av1": Codec("av1", is_video=True, depayloader=Av1Depayloader),
    "h264": Codec("h264", is_video=True, depayloader=H264Depayloader),
    "opus": Codec("opus", is_video=False, depayloader=OpusDepayloader),
}


def find_codec(mime_type: str) -> Codec | None:
    """By `video/VP8` or `vp8`, in any case; None for what cannot be captured."""
    return _CODECS.get(mime_type.rpartition("/")[2].lower())
