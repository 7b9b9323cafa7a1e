"""An AV1 encoder in a process of its own: `python -m tests.recordings.av1`, what to encode as JSON on standard input.

SVT-AV1, the only encoder at hand, makes its caller real-time where it may, and now and then it waits for one of its own
threads for ever: a process can be ended.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.video.frame import PictureType

Colour = tuple[int, int, int]  # Y, U, V

OPTIONS: Final = {  # low delay: every picture comes out at once
    "preset": "12",
    "svtav1-params": "pred-struct=1:rc=2:lookahead=0:force-key-frames=1",
}
ATTEMPTS: Final = 5
MOST_SECONDS: Final = 20.0  # a second of film takes a tenth of one


def encode(
    colours: Sequence[Colour], size: tuple[int, int], fps: int, key_frames: Iterable[int]
) -> list[tuple[bytes, bool]]:
    """(encoded picture, whether it is a key frame) of one plain colour after the other."""
    wanted = json.dumps([list(colours), size, fps, sorted(key_frames)])
    for attempt in range(ATTEMPTS):
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tests.recordings.av1"],
                input=wanted, capture_output=True, text=True, check=True, timeout=MOST_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    return [(bytes.fromhex(picture), key) for picture, key in json.loads(done.stdout)]


def plain_frame(colour: Colour, size: tuple[int, int]) -> av.VideoFrame:
    """A picture of nothing but that colour."""
    width, height = size
    planes = [np.full(width * height // (1 if i == 0 else 4), colour[i], np.uint8) for i in range(3)]
    return av.VideoFrame.from_ndarray(
        np.concatenate(planes).reshape(height * 3 // 2, width), format="yuv420p"
    )


def encoded(
    encoder_name: str,
    options: dict[str, str],
    colours: Sequence[Colour],
    size: tuple[int, int],
    fps: int,
    key_frames: Iterable[int],
    profile: str | None = None,
) -> Iterator[tuple[bytes, bool]]:
    """The same by any of FFmpeg's encoders, in this process."""
    encoder = av.CodecContext.create(encoder_name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, fps)
    encoder.gop_size = 10_000
    encoder.bit_rate = 600_000
    if profile:
        encoder.profile = profile
    encoder.options = options
    wanted = frozenset(key_frames)
    for index, colour in enumerate(colours):
        frame = plain_frame(colour, size)
        frame.pts = index
        frame.time_base = Fraction(1, fps)
        if index in wanted:
            frame.pict_type = PictureType.I
        for packet in encoder.encode(frame):
            yield bytes(packet), packet.is_keyframe


if __name__ == "__main__":
    pictures = encoded("libsvtav1", OPTIONS, *json.load(sys.stdin))
    sys.stdout.write(json.dumps([(picture.hex(), key) for picture, key in pictures]))
    sys.stdout.flush()
    os._exit(0)  # taking the encoder down may wait for ever too
