"""The picture under construction: three planes (YUV 4:2:0), changed only where something changes."""

from collections.abc import Mapping
from typing import Final

import av
import numpy as np

from recordings.compose.layout import HEIGHT, WIDTH, Rect, Tile
from recordings.compose.lettering import Lettering, Plane
from recordings.compose.scenes import Scene

_PAPER: Final = 28  # the background's brightness: nearly black, so that pictures stand out
_TILE: Final = 44  # behind pictures that do not fill their tile
_NEUTRAL: Final = 128
_LABEL_SIZE: Final = 20
_CARD_SHARE: Final = 6  # a card's letters are a sixth of its height
_CARD_SMALLEST: Final = 18
# Colours of cards, as (Y, U, V): muted, each clear of the white letters, by turns.
_CARDS: Final = (
    (70, 150, 110),
    (75, 118, 150),
    (68, 120, 112),
    (72, 145, 140),
    (78, 108, 128),
    (66, 135, 105),
)
_NOTICE_SIZE: Final = 36


class Canvas:
    """1280x720. `frame` gives what stands on it."""

    def __init__(self, lettering: Lettering, names: Mapping[str, str]) -> None:
        self._lettering = lettering
        self._names = names
        self._pixels = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
        luma, colour = WIDTH * HEIGHT, WIDTH * HEIGHT // 4
        flat = self._pixels.reshape(-1)
        self._y = flat[:luma].reshape(HEIGHT, WIDTH)
        self._u = flat[luma : luma + colour].reshape(HEIGHT // 2, WIDTH // 2)
        self._v = flat[luma + colour :].reshape(HEIGHT // 2, WIDTH // 2)
        self._taken: dict[str, Rect] = {}  # where in its tile each picture last stood
        self._colours: dict[str | None, tuple[int, int, int]] = {}

    def begin(self, scene: Scene) -> None:
        """Clear everything and draw what stands still in this scene."""
        self._taken.clear()
        whole = Rect(0, 0, WIDTH, HEIGHT)
        self._fill(whole, (_PAPER, _NEUTRAL, _NEUTRAL))
        if scene.interruption is not None:
            self._letter(_interruption_text(scene.interruption.seconds), whole, _NOTICE_SIZE, _PAPER)
        for tile in scene.tiles:
            self._draw_tile(tile)

    def put(self, tile: Tile, at: Rect, picture: av.VideoFrame) -> None:
        """Set a picture, scaled to `at`, into its tile."""
        key = tile.key or ""
        if self._taken.get(key) != at:  # it was turned, or shared another window: what stood there must go
            self._fill(tile.picture, (_TILE, _NEUTRAL, _NEUTRAL))
            self._taken[key] = at
        for plane, target, half in zip(picture.planes, (self._y, self._u, self._v), (1, 2, 2), strict=True):
            width, height = at.width // half, at.height // half
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            target[at.y // half : at.y // half + height, at.x // half : at.x // half + width] = rows[
                :height, :width
            ]

    def frame(self) -> av.VideoFrame:
        """A copy of the whole as the encoder takes it."""
        return av.VideoFrame.from_ndarray(self._pixels, format="yuv420p")

    def _draw_tile(self, tile: Tile) -> None:
        name = self._names.get(tile.key, "") if tile.key is not None else f"+{tile.more}"
        if tile.label is not None:
            self._fill(tile.picture, (_TILE, _NEUTRAL, _NEUTRAL))
            self._letter(name, tile.label, _LABEL_SIZE, _PAPER)
            return
        colour = self._colours.setdefault(tile.key, _CARDS[len(self._colours) % len(_CARDS)])
        self._fill(tile.picture, colour)
        self._letter(name, tile.picture, max(_CARD_SMALLEST, tile.picture.height // _CARD_SHARE), colour[0])

    def _letter(self, text: str, rect: Rect, size: int, paper: int) -> None:
        plane: Plane = self._lettering.draw(text, rect.width, rect.height, size, paper)
        self._y[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width] = plane

    def _fill(self, rect: Rect, colour: tuple[int, int, int]) -> None:
        for target, value, half in zip((self._y, self._u, self._v), colour, (1, 2, 2), strict=True):
            top, left = rect.y // half, rect.x // half
            target[top : top + rect.height // half, left : left + rect.width // half] = value


def _interruption_text(seconds: float) -> str:
    whole = round(seconds)
    return f"录制中断 Interrupted  {whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
