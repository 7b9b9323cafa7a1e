"""Encodes whatever a film is into pictures of one size and rate, and sound that begins with them."""

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorRange

from recordings.compose.layout import HEIGHT, WIDTH
from recordings.compose.lettering import Plane
from recordings.compose.loudness import RATE, Samples
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.shots import Shots
from recordings.compose.sound import SoundFile
from recordings.uploads.probe import Refused, film_stream, open_film, tame
from recordings.uploads.rules import LONGEST_SECONDS, Refusal

# Sound this far from its place is put right; less is the rounding of containers.
_OUT_OF_PLACE: Final = RATE // 10
# So many packets in a row that do not decode are a damaged rest.
_MOST_ERRORS: Final = 500
# So many frames of a kind in a row that lie before what came already are one too: a stream may repeat itself for ever.
_MOST_STALE: Final = 25_000
_BLACK: Final = (16, 128, 128)


def encode(
    source: Path,
    pictures: "Pictures",
    files: Sequence[SoundFile],
    expected: float,
    report: Callable[[float], None],
) -> int:
    """Write the pictures in parts, and the sound; answers the frames.

    Raises Refused for a film that goes on for longer than any may.
    """
    with ExitStack() as stack:
        stack.enter_context(pictures)
        container = stack.enter_context(open_film(source))
        entered = [stack.enter_context(file) for file in files]
        video = film_stream(container)
        audio = tame(container.streams.audio[0]) if container.streams.audio else None
        sound, goes_on = _Sound(entered), _GoingOn()
        begin: float | None = None
        for frame in _frames(container, [video, audio] if audio else [video]):
            if frame.time is None:
                continue
            if begin is None:
                begin = frame.time
            at = frame.time - begin
            if at > LONGEST_SECONDS:
                raise Refused(Refusal.TOO_LONG)
            if not goes_on.after(type(frame), at):
                break
            if isinstance(frame, av.VideoFrame):
                pictures.add(frame, at)
                report(min(1.0, at / expected) if expected > 0 else 0.0)
            else:
                sound.add(frame, at)
        pictures.hold(sound.seconds)
        if not pictures.count:
            raise Refused(Refusal.NO_PICTURE)
        pictures.finish()
        sound.finish(pictures.count * RATE // FRAME_RATE)
    return pictures.count


def _frames(container: Any, streams: list[Any]) -> Any:
    """Every frame that decodes, in the order of the file."""
    errors = 0
    for packet in container.demux(streams):
        try:
            yield from packet.decode()
            errors = 0
        except FFmpegError:
            errors += 1
            if errors > _MOST_ERRORS:
                return


class _GoingOn:
    """Whether time still passes in a film. Pictures and sound have each their own: some hold one after the other."""

    def __init__(self) -> None:
        self._furthest: dict[type, float] = {}
        self._stale = 0

    def after(self, kind: type, at: float) -> bool:
        """Whether so much has not come in vain yet, with a frame of this kind."""
        if at > self._furthest.get(kind, -math.inf):
            self._furthest[kind] = at
            self._stale = 0
        else:
            self._stale += 1
        return self._stale <= _MOST_STALE


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
        """The last picture stays for as long as there is sound: many cameras write a little more of it."""
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


class _Sound:
    """Sound at its place from the first picture on, silence where there is none."""

    def __init__(self, files: Sequence[SoundFile]) -> None:
        self._files = files
        self._shape: tuple[str, str, int] | None = None  # of what the resampler takes
        self._resampler = _resampler()
        self._count = 0

    @property
    def seconds(self) -> float:
        """How long it lasts so far."""
        return self._count / RATE

    def add(self, frame: av.AudioFrame, at: float) -> None:
        place = round(at * RATE)
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # as television's does between a film and what comes after it
            self._shape, self._resampler = shape, _resampler()
        for resampled in self._resampler.resample(frame):
            samples = resampled.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)
            if place - self._count > _OUT_OF_PLACE:
                self._silence(place - self._count)
            if self._count - place > _OUT_OF_PLACE:
                samples = samples[min(len(samples), self._count - place) :]
            self._put(samples)
            place += resampled.samples

    def finish(self, samples: int) -> None:
        """Fill up to the film's end."""
        self._silence(max(0, samples - self._count))

    def _silence(self, samples: int) -> None:
        while samples > 0:
            piece = min(samples, RATE)
            self._put(np.zeros((piece, 2), np.float32))
            samples -= piece

    def _put(self, samples: Samples) -> None:
        self._count += len(samples)
        for file in self._files:
            file.add(samples)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout="stereo", rate=RATE)


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
