"""When something begins to be seen or heard, as composition itself reads a clip: no film need be encoded for it."""

from typing import Final

import numpy as np

from recordings.compose.layout import Cast, arrange
from recordings.compose.loudness import RATE
from recordings.compose.pictures import PictureReader, Showing
from recordings.compose.scenes import FRAME_RATE, frame_at
from recordings.compose.story import Clip
from recordings.compose.voices import Voice

_BRIGHT: Final = 150
_LOUD: Final = 0.3
# What is nearer than this to the last time belongs to the same beep or flash.
_APART: Final = 1.0


def flashes(clip: Clip, begin: float, end: float) -> list[float]:
    """Seconds of the film at which the clip's picture turns bright."""
    (tile,) = arrange(Cast(cameras=(clip.key,)))
    reader = PictureReader(clip, [Showing(frame_at(begin), frame_at(end), tile)])
    bright = []
    try:
        shown = 0.0
        for frame in range(frame_at(begin), frame_at(end)):
            picture = reader.advance(frame)
            if picture is not None:
                shown = float(picture.planes[0].mean())
            if shown > _BRIGHT:
                bright.append(frame / FRAME_RATE)
    finally:
        reader.close()
    return beginnings(bright)


def beeps(clip: Clip, begin: float, end: float) -> list[float]:
    """Seconds of the film at which the clip turns loud; it is read from its beginning, as the mixer does."""
    voice = Voice(clip)
    loud = []
    for second in range(int(end)):
        heard = np.zeros((RATE, 2), np.float32)
        voice.mix_into(heard, second * RATE)
        if second >= int(begin):
            loud += list(second + np.flatnonzero(np.abs(heard[:, 0]) > _LOUD) / RATE)
    return beginnings(loud)


def beginnings(times: list[float]) -> list[float]:
    """Of times that stand close together, the first of each."""
    return [time for index, time in enumerate(times) if index == 0 or time - times[index - 1] > _APART]
