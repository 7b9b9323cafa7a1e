"""What happens to frames between whoever draws them and the files."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from recordings.compose.film import LARGE, SMALLER, Size
from recordings.compose.layout import HEIGHT, WIDTH, Rect, Tile
from recordings.compose.pictures import PictureReader, Showing
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.shots import Shots
from recordings.compose.story import Clip
from recordings.tracks import TrackSource
from tests.recordings.av1 import plain_frame

SIZES = (LARGE, *SMALLER)
A_PART = 20


def grey(number: int) -> int:
    return 40 + 4 * number


def frame(number: int) -> av.VideoFrame:
    return plain_frame((grey(number), 128, 128), (WIDTH, HEIGHT))


def brightness(path: Path) -> list[int]:
    """Of each of the film's frames, as a player shows it: until the next there is another stands."""
    shown: list[int] = []
    with av.open(str(path)) as container:
        for one in container.decode(video=0):
            place = round((one.time or 0.0) * FRAME_RATE)
            shown += shown[-1:] * (place - len(shown))
            shown.append(round(float(one.to_ndarray()[: one.height].mean())))
    return shown


def test_every_size_has_every_frame_in_its_order(tmp_path: Path) -> None:
    def place(number: int, size: Size) -> Path:
        return tmp_path / f"{size.name}-{number}"

    with Shots(place, SIZES, 7) as shots:
        for number in range(2 * A_PART):
            shots.add(frame(number))
            if (number + 1) % A_PART == 0:
                shots.next_part()
    for size in SIZES:
        for part in (0, 1):
            path = place(7 + part, size)
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                assert (stream.width, stream.height) == (size.width, size.height)
            wanted = [grey(number) for number in range(part * A_PART, (part + 1) * A_PART)]
            assert brightness(path) == pytest.approx(wanted, abs=2)
    assert len(list(tmp_path.iterdir())) == 2 * len(SIZES)


def test_a_frame_that_stands_longer_is_there_again_in_every_size_and_in_the_next_part(tmp_path: Path) -> None:
    with Shots(lambda number, size: tmp_path / f"{size.name}-{number}", SIZES) as shots:
        for number in range(2 * A_PART):
            shots.add(frame(number) if number % 3 == 0 else None)
            if (number + 1) % A_PART == 0:
                shots.next_part()
    for size in SIZES:
        for part in (0, 1):
            wanted = [grey(number // 3 * 3) for number in range(part * A_PART, (part + 1) * A_PART)]
            assert brightness(tmp_path / f"{size.name}-{part}") == pytest.approx(wanted, abs=2)


def test_what_is_not_a_whole_part_is_given_up(tmp_path: Path) -> None:
    def shoot() -> None:
        with Shots(lambda _number, size: tmp_path / size.name, SIZES) as shots:
            for number in range(2 * A_PART):  # more than an encoder looks ahead
                shots.add(frame(number))
            raise KeyError

    with pytest.raises(KeyError):
        shoot()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("refused", SIZES, ids=lambda size: size.name)
def test_a_size_that_the_disk_refuses_is_told_and_keeps_nobody_waiting(tmp_path: Path, refused: Size) -> None:
    def place(_number: int, size: Size) -> Path:
        return tmp_path / ("missing" if size is refused else ".") / size.name

    def shoot() -> None:
        with Shots(place, SIZES) as shots:
            for number in range(A_PART):
                shots.add(frame(number))

    with pytest.raises(OSError, match="No such file"):
        shoot()
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_fine_for_its_place_becomes_even_and_does_not_flicker(tmp_path: Path) -> None:
    path = tmp_path / "fine.mkv"
    stripes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    stripes[:HEIGHT] = np.tile(np.array([40, 40, 200, 200], np.uint8), WIDTH // 4)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture = av.VideoFrame.from_ndarray(stripes, format="yuv420p")
        picture.pts, picture.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    clip = Clip("k", path, TrackSource.CAMERA, "p", "n", float, ((0.0, 1.0),), keys=(0.0,))
    small = Tile("k", Rect(0, 0, WIDTH // 4, HEIGHT // 4), None)
    reader = PictureReader(clip, [Showing(0, 1, small)])
    try:
        shown = reader.advance(0)
    finally:
        reader.close()
    assert shown is not None
    assert shown.planes[0].std() < 10
