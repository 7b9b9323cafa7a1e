"""A camera whose pictures carry their number, so that a film tells which of them it holds."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
from aiortc import VideoStreamTrack
from numpy.typing import NDArray

from recordings.compose.layout import Cast, arrange, fit

PICTURES_A_SECOND: Final = 30
_CELLS: Final = 4  # in a row, and rows
_CELL: Final = 16  # pixels: a macroblock
_BITS: Final = _CELLS * _CELLS - 2  # the first is always white, the last always black


class NumberedPicture(VideoStreamTrack):
    """Squares of black and white that count; `next` is the number of the picture that comes next."""

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self.next = first

    async def recv(self) -> av.VideoFrame:
        """The next picture, at 30 a second."""
        pts, time_base = await self.next_timestamp()
        bits = [1, *(self.next >> bit & 1 for bit in range(_BITS)), 0]
        cells = np.array(bits, np.uint8).reshape(_CELLS, _CELLS) * np.uint8(255)
        pixels = cells.repeat(_CELL, 0).repeat(_CELL, 1)
        frame = av.VideoFrame.from_ndarray(np.stack([pixels] * 3, 2), format="rgb24")
        frame.pts, frame.time_base = pts, Fraction(time_base)
        self.next += 1
        return frame


def number_in(luma: NDArray[np.uint8]) -> int | None:
    """Of the picture that stands alone in a film's frame; None where none does, as on a card."""
    (tile,) = arrange(Cast(cameras=("alone",)))
    at = fit(_CELLS * _CELL, _CELLS * _CELL, tile.picture)
    side = at.width // _CELLS
    cells = luma[at.y : at.y + _CELLS * side, at.x : at.x + _CELLS * side]
    inner = cells.reshape(_CELLS, side, _CELLS, side)[:, side // 4 : -side // 4, :, side // 4 : -side // 4]
    bits = inner.mean((1, 3)).reshape(-1) > 128
    if not bits[0] or bits[-1]:
        return None
    return sum(int(bit) << place for place, bit in enumerate(bits[1:-1]))
