"""Decodes one track's pictures and scales them to their place, in a process of its own.

The processes use all cores. Each runs as far ahead of the film as its pipe holds pictures and then waits: memory stays
bounded however long the track is.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.reformatter import Interpolation, VideoReformatter

from recordings.compose.isolation import SILENCE_SECONDS, Isolated
from recordings.compose.layout import HALVES, WIDTH, Rect, Tile, fit
from recordings.compose.scenes import frame_at
from recordings.compose.story import Clip
from recordings.faults import raise_if_starved

# 16,777,216: any screen there is; what claims to be more would only fill the memory.
_MOST_PIXELS: Final = 4096 * 4096
_END: Final = 1 << 62
# After so many pictures that stand nowhere, a word that somebody is still at it.
_UNSHOWN: Final = 100
# Where somebody is one of many, in a picture of this width, half the pictures are enough: those that no other needs are
# not decoded, which of a camera in temporal layers are half, and a new one is shown with every second frame only, with
# all the others who are small, so that the frame between them repeats the one before.
_SMALL: Final = WIDTH // 3
_SMALL_STEP: Final = 2


class Showing(NamedTuple):
    """Frames `begin` up to `end` in which a clip stands in `tile`."""

    begin: int
    end: int
    tile: Tile


class Picture(NamedTuple):
    """From frame `begin` on, the planes of yuv420p stand at `at` in `tile`: rows of pixels, colour of half the size."""

    begin: int
    tile: Tile
    at: Rect
    planes: tuple[npt.NDArray[np.uint8], ...]


class Undecoded(NamedTuple):
    """Between these seconds of the track nothing could be decoded though it was wanted."""

    begin: float
    end: float


def needed_stretches(
    keys: Sequence[float], showings: Sequence[Showing], when: Callable[[float], float]
) -> list[tuple[float, int]]:
    """What of a clip must be decoded: (second of the track, frame of the film before which it may end), in order.

    Each begins at the last key frame before the clip is shown; what is never shown is never decoded, and a
    composition that goes on in the middle need not begin at the beginning.
    """
    at_frame = [frame_at(when(key)) for key in keys]
    stretches: list[tuple[float, int]] = []
    for showing in showings:
        index = bisect_right(at_frame, showing.begin) - 1
        begin = keys[index] if index >= 0 else -math.inf
        if stretches and (index < 0 or at_frame[index] <= stretches[-1][1]):
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], showing.end))
        else:
            stretches.append((begin, showing.end))
    return stretches


class _Sent(NamedTuple):
    """A picture on its way from the process: of what it was told itself, the number is enough.

    The planes are as FFmpeg has them, with rows longer than the picture is wide: to pack them costs more than to send
    what is too much.
    """

    begin: int
    showing: int
    at: Rect
    planes: tuple[bytes, ...]


class PictureReader:
    """`advance` gives the newest picture up to a frame; `close` ends the process.

    `undecoded`: what could not be had up to there, for whoever takes it out.
    """

    def __init__(self, clip: Clip, showings: Sequence[Showing], silence: float = SILENCE_SECONDS) -> None:
        self._showings = list(showings)
        self._pictures: Isolated[_Sent | Undecoded] = Isolated(
            _pictures, clip, self._showings, silence=silence
        )
        self._head: Picture | None = None
        self._finished = False
        self.undecoded: list[Undecoded] = []

    @property
    def pid(self) -> int:
        """Of the process that decodes."""
        return self._pictures.pid

    def advance(self, frame: int) -> Picture | None:
        """The newest picture that begins at or before `frame`, None where nothing has changed since the last call.

        Broken where decoding has killed or keeps the process.
        """
        newest: Picture | None = None
        while not self._finished:
            if self._head is None:
                item = next(self._pictures, None)
                self._finished = item is None
                if isinstance(item, Undecoded):
                    self.undecoded.append(item)
                elif item is not None:
                    self._head = self._picture(item)
            elif self._head.begin <= frame:
                newest, self._head = self._head, None
            else:
                break
        return newest

    def close(self) -> None:
        """Stop decoding."""
        self._pictures.close()

    def _picture(self, sent: _Sent) -> Picture:
        tile = self._showings[sent.showing].tile
        width, height = sent.at.width, sent.at.height
        planes = tuple(
            np.frombuffer(plane, np.uint8).reshape(height // half, -1)[:, : width // half]
            for plane, half in zip(sent.planes, HALVES, strict=True)
        )
        return Picture(sent.begin, tile, sent.at, planes)


def _pictures(clip: Clip, showings: Sequence[Showing]) -> Iterator[_Sent | Undecoded | None]:
    return _Decoding(clip, showings).pictures()


class _Decoding:
    """What happens in the process. A picture drives Python out of the caches, so each line counts for several."""

    def __init__(self, clip: Clip, showings: Sequence[Showing]) -> None:
        self._clip = clip
        self._showings = showings
        self._first = 0  # of the showings that are not over
        self._ends = [showing.end for showing in showings]
        self._small = [showing.tile.picture.width <= _SMALL for showing in showings]
        self._small.append(True)  # who is not shown any more
        self._scaler = VideoReformatter()
        self._undecoded: list[Undecoded] = []  # and not yet handed over

    def pictures(self) -> Iterator[_Sent | Undecoded | None]:
        """In order; None now and then where there is nothing to be shown for long."""
        held: tuple[int, av.VideoFrame] | None = None
        unshown = 0
        for frame, image in self._decode():
            while self._undecoded:
                yield self._undecoded.pop()
            unshown += 1
            if held is not None and frame > held[0]:
                for picture in self._placed(*held, end=frame):
                    yield picture
                    unshown = 0
            held = (max(frame, held[0]) if held else frame, image)
            if unshown % _UNSHOWN == _UNSHOWN - 1:
                yield None
        if held is not None:
            yield from self._placed(*held, end=_END)
        yield from self._undecoded

    def _decode(self) -> Iterator[tuple[int, av.VideoFrame]]:
        try:
            with av.open(str(self._clip.path)) as container:
                stream = container.streams.video[0]
                context = stream.codec_context
                context.thread_count = 1  # the tracks are the processes
                context.options = {"max_pixels": str(_MOST_PIXELS)}
                time_base = float(stream.time_base or 0)
                when = self._clip.when
                stretches = needed_stretches(self._clip.keys, self._showings, when)
                at, frame = 0.0, 0
                failed: float | None = None  # since this second
                for packet in container.demux(stream):
                    if packet.pts is not None:  # else it is the end, at which the decoder gives what it holds
                        second = packet.pts * time_base
                        frame = frame_at(when(second))
                        if self._clip.is_lost(second) or not _is_needed(frame, second + time_base, stretches):
                            continue
                        at = second
                        context.skip_frame = "NONREF" if self._is_small(frame) else "DEFAULT"
                    try:
                        images = packet.decode()
                    except (
                        FFmpegError
                    ) as error:  # a picture that cannot be decoded; the next key frame mends it
                        raise_if_starved(error)
                        failed = at if failed is None else failed
                        continue
                    if failed is not None:
                        self._undecoded.append(Undecoded(failed, at))
                        failed = None
                    for image in images:
                        if image.pts is not None:
                            shown = (
                                frame if image.pts == packet.pts else frame_at(when(image.pts * time_base))
                            )
                            yield self._in_step(shown), image
        except (FFmpegError, IndexError) as error:  # what was read a while ago cannot be read any more
            raise_if_starved(error)
            raise ValueError(str(error)) from error

    def _in_step(self, frame: int) -> int:
        """With which frame a picture of this one appears: as often a frame early as one late."""
        return frame // _SMALL_STEP * _SMALL_STEP if self._is_small(frame) else frame

    def _is_small(self, frame: int) -> bool:
        """Whether the clip is one of many at this frame, or will be when it is shown next: people come one by one."""
        return self._small[bisect_right(self._ends, frame)]

    def _placed(self, begin: int, image: av.VideoFrame, *, end: int) -> Iterator[_Sent]:
        """The picture for every place it has between two frames: a scene may change while it stands still."""
        while self._first < len(self._showings) and self._ends[self._first] <= begin:
            self._first += 1
        for number in range(self._first, len(self._showings)):
            showing = self._showings[number]
            if showing.begin >= end:
                break
            at = fit(image.width, image.height, showing.tile.picture)
            scaled = self._scaler.reformat(
                image, at.width, at.height, "yuv420p", interpolation=Interpolation.AREA, threads=1
            )
            yield _Sent(max(begin, showing.begin), number, at, tuple(bytes(plane) for plane in scaled.planes))


def _is_needed(frame: int, second: float, stretches: list[tuple[float, int]]) -> bool:
    while stretches and frame > stretches[0][1]:
        stretches.pop(0)
    return bool(stretches) and second >= stretches[0][0]
