"""Encodes the composed film: H.264 and AAC in an MP4 that begins to play before it has been loaded."""

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError

from recordings.compose.layout import HEIGHT, WIDTH
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.voices import RATE, Samples

# A key frame every two seconds: a seek decodes at most 50 frames before it shows something.
_KEY_FRAME_DISTANCE: Final = 2 * FRAME_RATE
# Faces and pages hardly gain from slower presets, and this one leaves most of the machine to the decoders.
_VIDEO_OPTIONS: Final = {
    "preset": "veryfast",
    "crf": "24",
    "maxrate": "2500k",
    "bufsize": "5000k",
    "profile": "main",
    "level": "3.1",
}
_AUDIO_BITS: Final = 96_000


class Film:
    """Frames and sound go in, in order; `close` writes the index before the media."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._video = self._container.add_stream("libx264", rate=FRAME_RATE, options=_VIDEO_OPTIONS)
        self._video.width, self._video.height = WIDTH, HEIGHT
        self._video.pix_fmt = "yuv420p"
        self._video.gop_size = _KEY_FRAME_DISTANCE
        self._video.time_base = Fraction(1, FRAME_RATE)
        self._audio = self._container.add_stream("aac", rate=RATE, layout="stereo")
        self._audio.bit_rate = _AUDIO_BITS
        self._frames = 0
        self._samples = 0

    def add_picture(self, frame: av.VideoFrame) -> None:
        """The next frame."""
        frame.pts = self._frames
        frame.time_base = Fraction(1, FRAME_RATE)
        self._frames += 1
        self._container.mux(self._video.encode(frame))

    def add_sound(self, samples: Samples) -> None:
        """The next samples."""
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = self._samples
        frame.time_base = Fraction(1, RATE)
        self._samples += len(samples)
        self._container.mux(self._audio.encode(frame))

    def finish(self) -> None:
        """Write what the encoders still hold, and the index."""
        self._container.mux(self._video.encode(None))
        self._container.mux(self._audio.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Give the file up as it is; what made it so is being raised already."""
        with contextlib.suppress(FFmpegError, OSError):
            self._container.close()
