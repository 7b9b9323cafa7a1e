"""Where a film's pictures go: into parts of one size and rate, or nowhere, where they are taken over as they are."""

from typing import Any, Final, Protocol, Self

import av
import numpy as np
from av.video.reformatter import ColorRange

from recordings.compose.layout import HEIGHT, WIDTH
from recordings.compose.lettering import Plane
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.shots import Shots

_BLACK: Final = (16, 128, 128)


class Frames(Protocol):
    """Where the pictures go; a context. `count`: how many of the film's frames there are."""

    count: int

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None: ...

    def add(self, frame: av.VideoFrame, at: float) -> None:
        """A picture, and the second at which it appears."""

    def hold(self, seconds: float) -> None:
        """The last picture stays for as long as there is sound: many cameras write a little more of it."""

    def finish(self) -> None:
        """The film is at its end."""


class Onlooker:
    """Counts the frames of a film whose own pictures are taken over, as `Pictures` does, and makes none."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def add(self, _frame: av.VideoFrame, at: float) -> None:
        """A picture, and the second at which it appears."""
        self.count = max(self.count, round(at * FRAME_RATE) + 1)

    def hold(self, seconds: float) -> None:
        """The last picture stays for as long as there is sound."""
        if self.count:
            self.count = max(self.count, round(seconds * FRAME_RATE))

    def finish(self) -> None:
        """The film is at its end."""


class Pictures:
    """Frames at any times become frames at the film's rate: repeated where there are none, dropped where too many.

    They are encoded in parts of so many, but for the first `done`, which stand already. A context, as its shots are.
    """

    def __init__(self, shots: Shots, frames_a_part: int, done: int) -> None:
        self._shots = shots
        self._frames_a_part = frames_a_part
        self._done = done
        self._shown: Plane | None = None
        self.count = 0

    def __enter__(self) -> Self:
        self._shots.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._shots.__exit__(kind)

    def add(self, frame: av.VideoFrame, at: float) -> None:
        """A picture, and the second at which it appears."""
        place = round(at * FRAME_RATE)
        if self._shown is not None and place < self.count:
            return
        picture = _fitted(frame)
        while self.count < place:
            self._put(picture if self._shown is None else self._shown)
        self._put(picture)
        self._shown = picture

    def hold(self, seconds: float) -> None:
        """The last picture stays for as long as there is sound."""
        while self._shown is not None and self.count < round(seconds * FRAME_RATE):
            self._put(self._shown)

    def finish(self) -> None:
        """The film is at its end."""
        self._shots.next_part()

    def _put(self, picture: Plane) -> None:
        self.count += 1
        if self.count <= self._done:
            return
        self._shots.add(av.VideoFrame.from_ndarray(picture, format="yuv420p"))
        if self.count % self._frames_a_part == 0:
            self._shots.next_part()


def _fitted(frame: av.VideoFrame) -> Plane:
    """The picture upright and whole on a black ground of the film's size, as yuv420p."""
    turns = round((frame.rotation or 0) / 90) % 4
    ratio = float(frame.sample_aspect_ratio or 1) if hasattr(frame, "sample_aspect_ratio") else 1.0
    width, height = frame.width * ratio, float(frame.height)
    if turns % 2:
        width, height = height, width
    scale = min(WIDTH / width, HEIGHT / height)
    wide, high = max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)
    size = (high, wide) if turns % 2 else (wide, high)
    # Some phones and cameras use all of a byte; taken for what films use it would be more contrast than there was.
    planes = _planes(frame.reformat(*size, format="yuv420p", dst_color_range=ColorRange.MPEG))
    left, top = (WIDTH - wide) // 4 * 2, (HEIGHT - high) // 4 * 2
    ground = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    targets = _split(ground)
    for plane, target, black, part in zip(planes, targets, _BLACK, (1, 2, 2), strict=True):
        target[:] = black
        turned = np.rot90(plane, turns)
        target[top // part : top // part + turned.shape[0], left // part : left // part + turned.shape[1]] = (
            turned
        )
    return ground


def _planes(frame: av.VideoFrame) -> list[Any]:
    whole = frame.to_ndarray()
    return _split(whole)


def _split(whole: Any) -> list[Any]:
    """Luma and both chroma planes of a yuv420p array, as views."""
    height, width = whole.shape[0] * 2 // 3, whole.shape[1]
    quarter = height * width // 4
    flat = whole.reshape(-1)
    luma = flat[: height * width].reshape(height, width)
    chroma = [
        flat[height * width + index * quarter : height * width + (index + 1) * quarter].reshape(
            height // 2, width // 2
        )
        for index in (0, 1)
    ]
    return [luma, *chroma]
