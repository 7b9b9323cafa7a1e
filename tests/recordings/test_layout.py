"""Where everybody stands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.compose.layout import HEIGHT, WIDTH, Cast, Rect, Tile, arrange, fit


def keys(count: int, prefix: str = "c") -> tuple[str, ...]:
    return tuple(f"{prefix}{index}" for index in range(count))


def test_nobody_is_an_empty_stage() -> None:
    assert arrange(Cast()) == ()


@pytest.mark.parametrize(
    ("count", "rows"),
    [(1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [3, 2]), (7, [3, 3, 1]), (9, [3, 3, 3])],
)
def test_cameras_stand_in_rows(count: int, rows: list[int]) -> None:
    tiles = arrange(Cast(cameras=keys(count)))
    heights = [tile.picture.y for tile in tiles]
    assert [heights.count(y) for y in dict.fromkeys(heights)] == rows
    assert [tile.key for tile in tiles] == list(keys(count))
    assert len({(tile.picture.width, tile.picture.height) for tile in tiles}) == 1


def test_one_camera_fills_the_picture() -> None:
    (tile,) = arrange(Cast(cameras=("c",)))
    assert tile.picture.width > 1180


def test_the_name_stands_under_the_picture() -> None:
    for tile in arrange(Cast(cameras=keys(9))):
        assert tile.label is not None
        assert (tile.label.x, tile.label.width) == (tile.picture.x, tile.picture.width)
        assert tile.label.y == tile.picture.y + tile.picture.height


def test_a_screen_is_large_with_the_cameras_beside_it() -> None:
    screen, *beside = arrange(Cast(cameras=keys(3), screens=("s",), heard=("p",)))
    assert screen.key == "s"
    assert screen.picture.width > 1000
    assert [tile.key for tile in beside] == list(keys(3))
    assert all(tile.picture.x >= screen.picture.x + screen.picture.width for tile in beside)


def test_the_newest_screen_is_the_large_one() -> None:
    assert [tile.key for tile in arrange(Cast(screens=("old", "new")))] == ["new", "old"]


def test_who_is_only_heard_stands_beside_a_screen_as_a_card() -> None:
    _, card = arrange(Cast(screens=("s",), heard=("p",)))
    assert (card.key, card.label) == ("p", None)


def test_who_is_only_heard_has_a_card_where_nobody_is_seen() -> None:
    assert [(tile.key, tile.label) for tile in arrange(Cast(heard=keys(2, "p")))] == [
        ("p0", None),
        ("p1", None),
    ]
    assert [tile.key for tile in arrange(Cast(cameras=("c",), heard=keys(2, "p")))] == ["c"]


@pytest.mark.parametrize(
    ("cast", "shown", "more"),
    [
        (Cast(cameras=keys(16)), 16, 0),
        (Cast(cameras=keys(20)), 16, 5),
        (Cast(cameras=keys(9), screens=("s",)), 5, 6),
    ],
)
def test_who_finds_no_room_is_counted(cast: Cast, shown: int, more: int) -> None:
    tiles = arrange(cast)
    assert len(tiles) == shown
    assert tiles[-1].more == more
    assert (tiles[-1].key is None) == (more > 0)


def inside(rect: Rect) -> bool:
    return rect.x >= 0 and rect.y >= 0 and rect.x + rect.width <= WIDTH and rect.y + rect.height <= HEIGHT


def apart(one: Rect, other: Rect) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def places(tile: Tile) -> list[Rect]:
    return [tile.picture] if tile.label is None else [tile.picture, tile.label]


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 6), st.integers(0, 40))
def test_every_cast_has_its_place(cameras: int, screens: int, heard: int) -> None:
    tiles = arrange(Cast(keys(cameras), keys(screens, "s"), keys(heard, "p")))
    rects = [rect for tile in tiles for rect in places(tile)]
    assert all(inside(rect) for rect in rects)
    assert all(value % 2 == 0 for rect in rects for value in (rect.x, rect.y, rect.width, rect.height))
    assert all(apart(one, other) for index, one in enumerate(rects) for other in rects[:index])
    there = (cameras + screens) if cameras or screens else heard
    if screens and screens + cameras == 1:
        there += heard
    assert sum(1 for tile in tiles if tile.key) + sum(tile.more for tile in tiles) == there


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 720), Rect(0, 0, 320, 180)),
        ((640, 480), Rect(40, 0, 240, 180)),
        ((720, 1280), Rect(110, 0, 100, 180)),
        ((3440, 1440), Rect(0, 24, 320, 132)),
        ((1, 16_000), Rect(158, 0, 2, 180)),
        ((16_000, 1), Rect(0, 88, 320, 2)),
    ],
)
def test_pictures_keep_their_aspect(size: tuple[int, int], expected: Rect) -> None:
    assert fit(*size, Rect(0, 0, 320, 180)) == expected
