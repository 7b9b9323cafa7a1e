"""Where everybody stands: a pure function of who is on camera, who shares and who is only heard.

All numbers are even, because the colour planes have half the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 1280
HEIGHT: Final = 720
HALVES: Final = (1, 2, 2)  # of width and height: the planes of yuv420p
GAP: Final = 8
LABEL: Final = 28  # the strip with the name; its text is 20 pixels high, readable on a phone
COLUMN: Final = 248  # beside a shared screen
MOST_TILES: Final = 16  # four by four: 252 pixels wide, where a face can still be known
MOST_IN_COLUMN: Final = 4
_ASPECT: Final = (16, 9)


@dataclass(frozen=True, slots=True)
class Rect:
    """Pixels from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture with its name under it, or a card with the name in it (`label` None).

    `key` is a clip's, or a peer's for a card; None for the card that counts those for whom there is no room: `more`.
    """

    key: str | None
    picture: Rect
    label: Rect | None
    more: int = 0


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is there at one moment, each in the order in which they came; keys of clips, `heard` keys of peers.

    `cards` are those among the cameras who get a card instead of a picture, by keys of peers; `loudest` are keys of
    clips or peers, most spoken first: they go before others where there is not room for all.
    """

    cameras: tuple[str, ...] = ()
    screens: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    cards: frozenset[str] = frozenset()
    loudest: tuple[str, ...] = ()

    @property
    def crowded(self) -> bool:
        """Whether there is no room for all."""
        most = MOST_IN_COLUMN - len(self.screens) + 1 if self.screens else MOST_TILES
        return len(self.cameras or self.heard) > most


def arrange(cast: Cast) -> tuple[Tile, ...]:
    """The newest screen large with the speakers beside it; else a grid of the cameras; else cards of who is heard."""
    tiles = _arrange(cast)
    return tuple(_as_card(tile) if tile.key in cast.cards else tile for tile in tiles)


def _arrange(cast: Cast) -> tuple[Tile, ...]:
    if cast.screens:
        *earlier, screen = cast.screens
        beside = [*cast.cameras, *earlier]
        return _stage(screen, beside, [] if beside else cast.heard, cast.loudest)
    if cast.cameras:
        return _grid(cast.cameras, cast.loudest, cards=False)
    return _grid(cast.heard, cast.loudest, cards=True)


def _as_card(tile: Tile) -> Tile:
    if tile.label is None:
        return tile
    whole = Rect(tile.picture.x, tile.picture.y, tile.picture.width, tile.picture.height + tile.label.height)
    return Tile(tile.key, whole, None)


def _stage(
    screen: str, pictures: Sequence[str], cards: Sequence[str], loudest: Sequence[str]
) -> tuple[Tile, ...]:
    people = pictures or cards
    column = COLUMN + GAP if people else 0
    stage = Rect(GAP, GAP, WIDTH - 2 * GAP - column, HEIGHT - 2 * GAP)
    large = _fit_tile(stage)
    shown, more = _limit(people, MOST_IN_COLUMN, loudest)
    tiles = [large]
    picture_height = _even(COLUMN * _ASPECT[1] // _ASPECT[0])
    step = picture_height + LABEL + GAP
    for index in range(len(shown) + (1 if more else 0)):
        picture = Rect(WIDTH - GAP - COLUMN, GAP + index * step, COLUMN, picture_height)
        tiles.append(_tile(picture, card=not pictures or index >= len(shown)))
    return _named([screen, *shown], tiles, more)


def _grid(keys: Sequence[str], loudest: Sequence[str], *, cards: bool) -> tuple[Tile, ...]:
    shown, more = _limit(keys, MOST_TILES, loudest)
    count = len(shown) + (1 if more else 0)
    if not count:
        return ()
    label = 0 if cards else LABEL
    columns = max(range(1, count + 1), key=lambda columns: _picture_size(columns, count, label)[0])
    width, height = _picture_size(columns, count, label)
    rows = -(-count // columns)
    step_x, step_y = width + GAP, height + label + GAP
    top = _even((HEIGHT - rows * step_y + GAP) // 2)
    tiles = []
    for index in range(count):
        row, place = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = _even((WIDTH - in_row * step_x + GAP) // 2)
        picture = Rect(left + place * step_x, top + row * step_y, width, height)
        tiles.append(_tile(picture, card=cards or index >= len(shown)))
    return _named(shown, tiles, more)


def _picture_size(columns: int, count: int, label: int) -> tuple[int, int]:
    """The largest picture of the aspect with which `count` of them fit in so many columns."""
    rows = -(-count // columns)
    width = (WIDTH - GAP * (columns + 1)) // columns
    height = (HEIGHT - GAP * (rows + 1)) // rows - label
    width = min(width, height * _ASPECT[0] // _ASPECT[1])
    return _even(width), _even(width * _ASPECT[1] // _ASPECT[0])


def _fit_tile(area: Rect) -> Tile:
    height = area.height - LABEL
    return _tile(Rect(area.x, area.y, _even(area.width), _even(height)), card=False)


def _tile(picture: Rect, *, card: bool) -> Tile:
    label = None if card else Rect(picture.x, picture.y + picture.height, picture.width, LABEL)
    return Tile(None, picture, label)


def _limit(keys: Sequence[str], most: int, loudest: Sequence[str]) -> tuple[list[str], int]:
    """As many as there is room for, and how many are left over; the count itself takes a place.

    Those who stay keep their order, so that nobody changes places for having spoken.
    """
    if len(keys) <= most:
        return list(keys), 0
    first = [key for key in loudest if key in keys][: most - 1]
    chosen = {*first, *[key for key in keys if key not in first][: most - 1 - len(first)]}
    return [key for key in keys if key in chosen], len(keys) - most + 1


def _named(keys: Sequence[str], tiles: Sequence[Tile], more: int) -> tuple[Tile, ...]:
    named = [Tile(key, tile.picture, tile.label) for key, tile in zip(keys, tiles, strict=False)]
    if more:
        named.append(Tile(None, tiles[-1].picture, None, more))
    return tuple(named)


def fit(width: int, height: int, into: Rect) -> Rect:
    """The largest even rectangle of a picture's own aspect within `into`, in its middle: nobody is cut off."""
    if width * into.height >= height * into.width:
        fitted = (into.width, max(2, _even(into.width * height // width)))
    else:
        fitted = (max(2, _even(into.height * width // height)), into.height)
    return Rect(
        into.x + _even((into.width - fitted[0]) // 2), into.y + _even((into.height - fitted[1]) // 2), *fitted
    )


def _even(number: int) -> int:
    return number // 2 * 2
