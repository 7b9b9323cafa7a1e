"""The picture under construction: three planes (YUV 4:2:0), changed only where something changes."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import av
import numpy as np

from recordings.compose.brief import Brief
from recordings.compose.layout import HALVES, HEIGHT, WIDTH, Rect, Tile
from recordings.compose.lettering import Lettering, Plane
from recordings.compose.scenes import Scene
from recordings.compose.texts import FilmTexts

_PAPER: Final = 28  # the background's brightness: nearly black, so that pictures stand out
_TILE: Final = 44  # behind pictures that do not fill their tile
_NEUTRAL: Final = 128
_LABEL_SIZE: Final = 20
_CARD_SHARE: Final = 6  # a card's letters are a sixth of its height
_CARD_SMALLEST: Final = 18
# Colours of cards, as (Y, U, V): muted, each clear of the white letters; a person's key chooses, so that it stays.
_CARDS: Final = (
    (70, 150, 110),
    (75, 118, 150),
    (68, 120, 112),
    (72, 145, 140),
    (78, 108, 128),
    (66, 135, 105),
)
_NOTICE_SIZE: Final = 36
_NOTICE_LINES: Final = 3
_TITLE_SIZE: Final = 54
_TITLE_LINES: Final = 3
_MARGIN: Final = 80
# Around whoever speaks: wide enough to be seen on a phone, within the gap between pictures.
_BORDER: Final = 4
_SPEAKING: Final = (150, 54, 70)  # a clear green


class Canvas:
    """1280x720. `frame` gives what stands on it, where that is anything new. `names` are by key of clip and of peer."""

    def __init__(
        self, lettering: Lettering, names: Mapping[str, str], brief: Brief, texts: FilmTexts
    ) -> None:
        self._lettering = lettering
        self._names = names
        self._brief = brief
        self._texts = texts
        self._y, self._u, self._v = (np.empty((HEIGHT // half, WIDTH // half), np.uint8) for half in HALVES)
        self._taken: dict[str, Rect] = {}  # where in its tile each picture last stood
        self._framed: Tile | None = None
        self._changed = True

    def begin(self, scene: Scene) -> None:
        """Clear everything and draw what stands still in this scene."""
        self._taken.clear()
        self._framed = None
        self._changed = True
        whole = Rect(0, 0, WIDTH, HEIGHT)
        self._fill(whole, (_PAPER, _NEUTRAL, _NEUTRAL))
        if scene.interruption is not None:
            length = self._texts.length(scene.interruption.seconds)
            self._letter(self._texts.say("interrupted", length=length), whole, _NOTICE_SIZE, _PAPER)
        if scene.title:
            self._draw_title()
        for tile in scene.tiles:
            self._draw_tile(tile)

    def put(self, tile: Tile, at: Rect, planes: Sequence[Plane]) -> None:
        """Set the planes of a picture of the size of `at` into its tile."""
        key = tile.key or ""
        self._changed = True
        if self._taken.get(key) != at:  # it was turned, or shared another window: what stood there must go
            self._fill(tile.picture, (_TILE, _NEUTRAL, _NEUTRAL))
            self._taken[key] = at
        for target, plane, half in zip((self._y, self._u, self._v), planes, HALVES, strict=True):
            top, left = at.y // half, at.x // half
            target[top : top + at.height // half, left : left + at.width // half] = plane

    def put_unreadable(self, tile: Tile) -> None:
        """Say in a picture's place that there is none to be had."""
        self._changed = True
        self._taken.pop(tile.key or "", None)
        place = tile.picture
        self._fill(place, (_TILE, _NEUTRAL, _NEUTRAL))
        size = max(_CARD_SMALLEST, min(_NOTICE_SIZE, place.height // _CARD_SHARE))
        lines = self._lettering.lines(self._texts.say("unreadable"), place.width, size, _NOTICE_LINES)
        height = _even(size * 8 // 5)
        top = place.y + _even((place.height - height * len(lines)) // 2)
        for index, line in enumerate(lines):
            self._letter(line, Rect(place.x, top + index * height, place.width, height), size, _TILE)

    def frame_speaker(self, tile: Tile | None) -> None:
        """Put a border around whoever speaks, and take it from whoever spoke before."""
        if tile == self._framed:
            return
        if self._framed is not None:
            self._border(self._framed, (_PAPER, _NEUTRAL, _NEUTRAL))
        if tile is not None:
            self._border(tile, _SPEAKING)
        self._framed = tile
        self._changed = True

    def frame(self) -> av.VideoFrame | None:
        """A copy of the whole as the encoder takes it, None where nothing has changed since the last."""
        if not self._changed:
            return None
        self._changed = False
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")  # whose rows are as long as these
        for plane, pixels in zip(frame.planes, (self._y, self._u, self._v), strict=True):
            plane.update(pixels)  # type: ignore[arg-type] # any buffer is welcome
        return frame

    def _draw_tile(self, tile: Tile) -> None:
        name = self._names.get(tile.key, "") if tile.key is not None else f"+{tile.more}"
        if tile.label is not None:
            self._fill(tile.picture, (_TILE, _NEUTRAL, _NEUTRAL))
            self._letter(name, tile.label, _LABEL_SIZE, _PAPER)
            return
        colour = _CARDS[zlib.crc32((tile.key or "").encode()) % len(_CARDS)]
        self._fill(tile.picture, colour)
        self._letter(name, tile.picture, max(_CARD_SMALLEST, tile.picture.height // _CARD_SHARE), colour[0])

    def _draw_title(self) -> None:
        """Organization, title and date, the title in as many lines as it needs."""
        width = WIDTH - 2 * _MARGIN
        lines = self._lettering.lines(self._brief.title, width, _TITLE_SIZE, _TITLE_LINES)
        rows = [(self._brief.organization, _NOTICE_SIZE)]
        rows += [(line, _TITLE_SIZE) for line in lines]
        rows += [(self._brief.date, _NOTICE_SIZE)]
        heights = [_even(size * 8 // 5) for _, size in rows]
        top = _even((HEIGHT - sum(heights)) // 2)
        for (text, size), height in zip(rows, heights, strict=True):
            self._letter(text, Rect(_MARGIN, top, width, height), size, _PAPER)
            top += height

    def _border(self, tile: Tile, colour: tuple[int, int, int]) -> None:
        below = tile.label.height if tile.label is not None else 0
        x, y = tile.picture.x - _BORDER, tile.picture.y - _BORDER
        width = tile.picture.width + 2 * _BORDER
        height = tile.picture.height + below + 2 * _BORDER
        for side in (
            Rect(x, y, width, _BORDER),
            Rect(x, y + height - _BORDER, width, _BORDER),
            Rect(x, y, _BORDER, height),
            Rect(x + width - _BORDER, y, _BORDER, height),
        ):
            self._fill(side, colour)

    def _letter(self, text: str, rect: Rect, size: int, paper: int) -> None:
        plane: Plane = self._lettering.draw(text, rect.width, rect.height, size, paper)
        self._y[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width] = plane

    def _fill(self, rect: Rect, colour: tuple[int, int, int]) -> None:
        for target, value, half in zip((self._y, self._u, self._v), colour, HALVES, strict=True):
            top, left = rect.y // half, rect.x // half
            target[top : top + rect.height // half, left : left + rect.width // half] = value


def _even(number: int) -> int:
    return number // 2 * 2
