"""Which of a camera's pictures are shown, and when, where somebody is one of many."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from bench.cameras import LAYERED
from recordings.compose.layout import HALVES, HEIGHT, WIDTH, Rect, Tile
from recordings.compose.pictures import PictureReader, Showing
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.story import Clip
from recordings.tracks import TrackSource
from tests.recordings.av1 import plain_frame

ALONE, OF_MANY, END = 0, 12, 24
SIZE = (320, 180)
ONE_OF_NINE = (356, 200)  # in which FFmpeg's rows are longer than the picture is wide


def grey(number: int) -> int:
    return 40 + 6 * number


def camera(path: Path, *, layered: bool) -> Clip:
    """A picture a frame of the film, each lighter than the last; in layers, no other needs those of odd numbers."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=FRAME_RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.bit_rate = 1_000_000
        stream.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "9999"}
        if layered:
            stream.options |= {"ts-parameters": LAYERED.format(400, 600, 1_000), "error-resilient": "1"}
        for number in range(END):
            frame = plain_frame((grey(number), 128, 128), SIZE)
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Clip("k", path, TrackSource.CAMERA, "p", "n", float, ((0.0, 1.0),), keys=(0.0,))


def shown(clip: Clip) -> dict[int, int]:
    """Which of the camera's pictures is new at which frame: at first alone in the picture, later one of nine."""
    tiles = [Tile("k", Rect(0, 0, *size), None) for size in ((WIDTH, HEIGHT), ONE_OF_NINE)]
    reader = PictureReader(clip, [Showing(ALONE, OF_MANY, tiles[0]), Showing(OF_MANY, END, tiles[1])])
    found = {}
    try:
        for frame in range(END):
            picture = reader.advance(frame)
            if picture is not None:
                width, height = picture.at.width, picture.at.height
                halves = [(height // half, width // half) for half in HALVES]
                assert [plane.shape for plane in picture.planes] == halves
                brightness = float(picture.planes[0].mean())
                found[frame] = round((brightness - grey(0)) / (grey(1) - grey(0)))
    finally:
        reader.close()
    return found


def test_who_becomes_one_of_many_is_decoded_without_what_nobody_needs(tmp_path: Path) -> None:
    pictures = shown(camera(tmp_path / "camera.mkv", layered=True))
    assert pictures == {frame: frame for frame in range(END) if frame < OF_MANY or frame % 2 == 0}


def test_who_is_one_of_many_changes_with_every_second_frame_whatever_he_sends(tmp_path: Path) -> None:
    pictures = shown(camera(tmp_path / "camera.mkv", layered=False))
    alone = {frame: picture for frame, picture in pictures.items() if frame < OF_MANY}
    assert alone == pytest.approx({frame: frame for frame in range(OF_MANY)})
    assert {frame: picture for frame, picture in pictures.items() if frame >= OF_MANY} == {
        frame: frame + 1 for frame in range(OF_MANY, END, 2)
    }
