"""What is drawn beside the pictures: the film's title, and a border around whoever speaks."""

import av
import numpy as np
from numpy.typing import NDArray

from recordings.compose.brief import Brief
from recordings.compose.canvas import Canvas
from recordings.compose.fonts import find_font
from recordings.compose.layout import HEIGHT, WIDTH, Cast, Tile, arrange
from recordings.compose.lettering import Lettering
from recordings.compose.scenes import Scene
from recordings.compose.texts import FilmTexts

PAPER, SPEAKING = (28, 128, 128), (150, 54, 70)
BORDER = 4
LETTERS = {"organization": 36, "title": 54, "date": 36}
FIRST = Brief("学习二十届四中全会精神", "中共东湖村支部委员会", "2026 年 11 月 23 日 20:00")
SECOND = Brief("民主评议党员", "中共西山村支部委员会", "2026 年 11 月 24 日 20:00")
LETTERING = Lettering(find_font())


def canvas(brief: Brief = FIRST) -> Canvas:
    return Canvas(LETTERING, {"a": "张建国", "b": "李秀英"}, brief, FilmTexts("zh-CN"))


def pixels(frame: av.VideoFrame | None) -> NDArray[np.uint8]:
    """Y, U and V of every pixel."""
    assert frame is not None
    luma, colours = np.split(frame.to_ndarray().reshape(-1), [WIDTH * HEIGHT])
    wide = colours.reshape(2, HEIGHT // 2, WIDTH // 2).repeat(2, 1).repeat(2, 2)
    return np.stack([luma.reshape(HEIGHT, WIDTH), *wide], 2)


def title_card(brief: Brief) -> NDArray[np.uint8]:
    """Its brightness."""
    drawn = canvas(brief)
    drawn.begin(Scene(0, 100, (), title=True))
    return pixels(drawn.frame())[:, :, 0]


def says(card: NDArray[np.uint8], brief: Brief) -> list[str]:
    """Which of the brief's words stand in the middle of the card, letter for letter."""
    found = []
    for name, size in LETTERS.items():
        height = size * 8 // 5 // 2 * 2
        words = LETTERING.draw(getattr(brief, name), WIDTH, height, size, PAPER[0])
        if any(np.array_equal(card[top : top + height], words) for top in range(HEIGHT - height)):
            found.append(name)
    return found


def test_the_title_card_says_who_met_about_what_and_when() -> None:
    first, second = title_card(FIRST), title_card(SECOND)
    assert says(first, FIRST) == says(second, SECOND) == list(LETTERS)
    assert says(first, SECOND) == says(second, FIRST) == []


def framed(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the colour of whoever speaks is."""
    found: NDArray[np.bool_] = (frame == np.array(SPEAKING, np.uint8)).all(2)
    return found


def ring(tile: Tile) -> NDArray[np.bool_]:
    """Around a picture and the name under it."""
    assert tile.label is not None
    x, y = tile.picture.x, tile.picture.y
    right, bottom = x + tile.picture.width, tile.label.y + tile.label.height
    around = np.zeros((HEIGHT, WIDTH), np.bool_)
    around[y - BORDER : bottom + BORDER, x - BORDER : right + BORDER] = True
    around[y:bottom, x:right] = False
    return around


def test_a_border_goes_from_one_who_speaks_to_the_next_and_leaves_nothing_behind() -> None:
    tiles = arrange(Cast(cameras=("a", "b")))
    drawn = canvas()
    drawn.begin(Scene(0, 100, tiles))
    silent = pixels(drawn.frame())
    assert not framed(silent).any()
    for tile in tiles:
        drawn.frame_speaker(tile)
        speaking = pixels(drawn.frame())
        assert np.array_equal(framed(speaking), ring(tile))
        assert np.array_equal(speaking[~ring(tile)], silent[~ring(tile)])
        drawn.frame_speaker(tile)
        assert drawn.frame() is None, "nothing has changed"
    drawn.frame_speaker(None)
    assert np.array_equal(pixels(drawn.frame()), silent)
    drawn.frame_speaker(tiles[0])
    drawn.begin(Scene(100, 200, tiles))
    assert np.array_equal(pixels(drawn.frame()), silent), "a new scene is drawn from nothing"
    drawn.frame_speaker(tiles[0])
    assert np.array_equal(framed(pixels(drawn.frame())), ring(tiles[0]))
