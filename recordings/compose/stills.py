"""Pictures of the finished film: one that stands for it, and a strip of small ones for the player's bar."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
from PIL import Image

from recordings.compose.scenes import Scene
from recordings.renditions import PreviewStrip

_SMALL: Final = (160, 90)
_COLUMNS: Final = 10
# A hundred are enough to find a place by; a JPEG of all of them stays below 300 kB.
_MOST: Final = 100
_SHORTEST_INTERVAL: Final = 2.0  # the distance of key frames
_QUALITY: Final = 80
_SETTLED_FRAMES: Final = 25  # a scene's first second may lack somebody's first picture


def poster_frame(scenes: list[Scene]) -> int:
    """A frame in the middle of the scene that shows most people for longest."""
    best = max(scenes, key=lambda scene: (min(len(scene.tiles), 4), scene.end - scene.begin))
    return min(best.end - 1, max(best.begin + _SETTLED_FRAMES, (best.begin + best.end) // 2))


def make_poster(film: Path, seconds: float, path: Path) -> None:
    """Write the picture at `seconds` as JPEG; OSError or ValueError where there is none."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        container.seek(int(seconds / float(stream.time_base or 1)), stream=stream)
        chosen: Any = None
        for frame in container.decode(stream):
            chosen = frame
            if frame.time >= seconds - 1e-3:
                break
        if chosen is None:
            raise ValueError("no picture for the poster")
        _save(chosen.to_image(), path)


def make_preview(film: Path, duration: float, path: Path) -> PreviewStrip:
    """Write the strip as JPEG and answer how it is read."""
    interval = max(_SHORTEST_INTERVAL, duration / _MOST)
    count = max(1, min(_MOST, int(duration / interval)))
    rows = -(-count // _COLUMNS)
    strip = Image.new("RGB", (min(count, _COLUMNS) * _SMALL[0], rows * _SMALL[1]))
    for number, picture in enumerate(_pictures(film, [index * interval for index in range(count)])):
        row, column = divmod(number, _COLUMNS)
        strip.paste(picture, (column * _SMALL[0], row * _SMALL[1]))
    _save(strip, path)
    return PreviewStrip(round(interval, 3), _COLUMNS, count, *_SMALL)


def _pictures(film: Path, moments: list[float]) -> Iterator[Image.Image]:
    """The key frame at or before each moment, small; only these are decoded."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        base = float(stream.time_base or 1)
        for moment in moments:
            container.seek(int(moment / base), stream=stream)
            frame: Any = next(container.decode(stream), None)
            if frame is None:
                raise ValueError(f"no picture at {moment:.1f} s")
            yield frame.reformat(*_SMALL, format="rgb24").to_image()


def _save(picture: Image.Image, path: Path) -> None:
    with path.open("wb") as file:
        picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
        file.flush()
        os.fsync(file.fileno())
