"""A short film in VP8, with temporal layers, encoded once: what a camera of these tests shows again and again."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

FRAMES_A_SECOND = 20
FRAMES = 1200  # a minute: a camera sends no key frame that nobody asked for
PLACES = 40  # of the pattern, there and back
# Of libvpx's layering mode 3: a frame of the lowest layer, one of the highest, one of the middle, one of the highest.
TEMPORAL = (0, 2, 1, 2)
FIRST_OF_ITS_KIND = (False, True, True, False)  # refers to the lowest layer alone
SHARES = (0.4, 0.6, 1.0)  # of the bits, with the layers below
BLOCK = 20  # pixels of the moving pattern


@dataclass(frozen=True, slots=True)
class Frame:
    """`data` is a whole VP8 frame."""

    data: bytes
    temporal: int
    sync: bool
    key: bool


@cache
def film(width: int, height: int, bps: int) -> tuple[Frame, ...]:
    """FRAMES frames of so many bits a second, the first of them a key frame and no other."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FRAMES_A_SECOND), Fraction(FRAMES_A_SECOND, 1)
    codec.bit_rate = bps
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "lag-in-frames": "0",
        "g": "9999",
        "error-resilient": "1",
        "ts-parameters": "ts_number_layers=3:ts_rate_decimator=4,2,1:ts_periodicity=4:ts_layer_id=0,2,1,2"
        ":ts_layering_mode=3:ts_target_bitrate=" + ",".join(str(int(bps * share / 1000)) for share in SHARES),
    }
    packets = []
    for number, picture in enumerate(_pictures(width, height)):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        packets += codec.encode(frame)
    return tuple(
        Frame(bytes(packet), TEMPORAL[number % 4], FIRST_OF_ITS_KIND[number % 4], number == 0)
        for number, packet in enumerate([*packets, *codec.encode(None)])
    )


def _pictures(width: int, height: int) -> Iterator[np.ndarray]:
    """A pattern that moves, under noise that no prediction foresees."""
    dice = np.random.default_rng(1)
    shape = (2 * height // BLOCK + PLACES, 2 * width // BLOCK + PLACES)
    pattern = np.kron(dice.integers(0, 200, shape, dtype=np.uint8), np.ones((BLOCK, BLOCK), np.uint8))
    noise = dice.integers(0, 40, (4, height, width), dtype=np.uint8)
    colours = np.full((height // 2, width), 128, np.uint8)
    for number in range(FRAMES):
        at = min(number % (2 * PLACES), 2 * PLACES - 1 - number % (2 * PLACES))
        picture = pattern[3 * at : 3 * at + height, 5 * at : 5 * at + width] + noise[number % 4]
        yield np.concatenate([picture, colours])
