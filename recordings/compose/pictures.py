"""Decodes one track's pictures and scales them to their place, in a process of its own.

The processes use all cores. Each runs as far ahead of the film as its pipe holds pictures and then waits: memory stays
bounded however long the track is.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.reformatter import Interpolation, VideoReformatter

from recordings.compose.isolation import SILENCE_SECONDS, Isolated
from recordings.compose.layout import WIDTH, Rect, Tile, fit
from recordings.compose.scenes import frame_at
from recordings.compose.story import Clip

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
    """From frame `begin` on, `pixels` stand at `at` in `tile`: the planes of yuv420p, one after the other."""

    begin: int
    tile: Tile
    at: Rect
    pixels: npt.NDArray[np.uint8]


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


class PictureReader:
    """`advance` gives the newest picture up to a frame; `close` ends the process.

    `undecoded`: what could not be had up to there, for whoever takes it out.
    """

    def __init__(self, clip: Clip, showings: Sequence[Showing], silence: float = SILENCE_SECONDS) -> None:
        self._pictures: Isolated[Picture | Undecoded] = Isolated(
            _pictures, clip, list(showings), silence=silence
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
                else:
                    self._head = item
            elif self._head.begin <= frame:
                newest, self._head = self._head, None
            else:
                break
        return newest

    def close(self) -> None:
        """Stop decoding."""
        self._pictures.close()


def _pictures(clip: Clip, showings: Sequence[Showing]) -> Iterator[Picture | Undecoded | None]:
    return _Decoding(clip, showings).pictures()


class _Decoding:
    """What happens in the process."""

    def __init__(self, clip: Clip, showings: Sequence[Showing]) -> None:
        self._clip = clip
        self._showings = list(showings)
        self._scaler = VideoReformatter()
        self._undecoded: list[Undecoded] = []  # and not yet handed over

    def pictures(self) -> Iterator[Picture | Undecoded | None]:
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
                stretches = needed_stretches(self._clip.keys, self._showings, self._clip.when)
                at = 0.0
                failed: float | None = None  # since this second
                for packet in container.demux(stream):
                    if not self._is_needed(packet, stretches, time_base):
                        continue
                    if packet.pts is not None:
                        at = packet.pts * time_base
                        small = self._is_small(frame_at(self._clip.when(at)))
                        context.skip_frame = "NONREF" if small else "DEFAULT"
                    try:
                        images = packet.decode()
                    except FFmpegError:  # a picture that cannot be decoded; the next key frame mends it
                        failed = at if failed is None else failed
                        continue
                    if failed is not None:
                        self._undecoded.append(Undecoded(failed, at))
                        failed = None
                    for image in images:
                        if image.pts is not None:
                            yield self._frame_of(image.pts * time_base), image
        except (FFmpegError, IndexError) as error:  # what was read a while ago cannot be read any more
            raise ValueError(str(error)) from error

    def _frame_of(self, second: float) -> int:
        """The frame with which the picture at this second of the track appears."""
        frame = frame_at(self._clip.when(second))
        # As often a frame early as one late: sound and picture stay together.
        return frame // _SMALL_STEP * _SMALL_STEP if self._is_small(frame) else frame

    def _is_small(self, frame: int) -> bool:
        """Whether the clip is one of many at this frame, or will be when it is shown next: people come one by one."""
        showing = next((showing for showing in self._showings if showing.end > frame), None)
        return showing is None or showing.tile.picture.width <= _SMALL

    def _is_needed(self, packet: Any, stretches: list[tuple[float, int]], time_base: float) -> bool:
        if packet.pts is None:
            return True  # the end, at which the decoder gives what it holds
        at = packet.pts * time_base
        if self._clip.is_lost(at):
            return False
        while stretches and frame_at(self._clip.when(at)) > stretches[0][1]:
            stretches.pop(0)
        return bool(stretches) and at >= stretches[0][0] - time_base

    def _placed(self, begin: int, image: av.VideoFrame, *, end: int) -> Iterator[Picture]:
        """The picture for every place it has between two frames: a scene may change while it stands still."""
        while self._showings and self._showings[0].end <= begin:
            self._showings.pop(0)
        for showing in self._showings:
            if showing.begin >= end:
                break
            at = fit(image.width, image.height, showing.tile.picture)
            scaled = self._scaler.reformat(
                image, at.width, at.height, "yuv420p", interpolation=Interpolation.AREA, threads=1
            )
            yield Picture(max(begin, showing.begin), showing.tile, at, _pixels(scaled))


def _pixels(image: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """The planes of an image in yuv420p without what they are padded with."""
    planes = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in image.planes
    ]
    return np.concatenate([plane.reshape(-1) for plane in planes])
