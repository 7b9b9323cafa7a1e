"""Decodes one track's pictures and scales them to their place, in a thread of its own.

FFmpeg works without the interpreter's lock, so these threads use all cores. Each runs a few pictures ahead of the film
and then waits: memory stays bounded however long the track is.
"""

import math
import queue
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import av
from av.error import FFmpegError
from av.video.reformatter import Interpolation, VideoReformatter

from recordings.compose.layout import WIDTH, Rect, Tile, fit
from recordings.compose.scenes import frame_at
from recordings.compose.story import Clip

_AHEAD: Final = 4
_WAIT_SECONDS: Final = 0.2
# 16,777,216: any screen there is; what claims to be more would only fill the memory.
_MOST_PIXELS: Final = 4096 * 4096
_END: Final = 1 << 62
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
    """From frame `begin` on, `image` stands at `at` in `tile`."""

    begin: int
    tile: Tile
    at: Rect
    image: av.VideoFrame


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
    """`advance` gives the newest picture up to a frame; `close` ends the thread."""

    def __init__(self, clip: Clip, showings: Sequence[Showing]) -> None:
        self._clip = clip
        self._showings = list(showings)
        self._queue: queue.Queue[Picture | None] = queue.Queue(_AHEAD)
        self._head: Picture | None = None
        self._finished = False
        self._closing = threading.Event()
        self._scaler = VideoReformatter()
        self._thread = threading.Thread(target=self._run, name=f"pictures {clip.key}", daemon=True)
        self._thread.start()

    def advance(self, frame: int) -> Picture | None:
        """The newest picture that begins at or before `frame`, None where nothing has changed since the last call."""
        newest: Picture | None = None
        while not self._finished:
            if self._head is None:
                self._head = self._queue.get()
                self._finished = self._head is None
            elif self._head.begin <= frame:
                newest, self._head = self._head, None
            else:
                break
        return newest

    def close(self) -> None:
        """Stop decoding; returns when the thread has ended."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            held: tuple[int, av.VideoFrame] | None = None
            for frame, image in self._decode():
                if held is not None and frame > held[0]:
                    self._emit(*held, end=frame)
                held = (max(frame, held[0]) if held else frame, image)
                if self._closing.is_set():
                    return
            if held is not None:
                self._emit(*held, end=_END)
        finally:
            self._put(None)

    def _decode(self) -> Iterator[tuple[int, av.VideoFrame]]:
        try:
            with av.open(str(self._clip.path)) as container:
                stream = container.streams.video[0]
                context = stream.codec_context
                context.thread_count = 1  # the tracks are the threads
                context.options = {"max_pixels": str(_MOST_PIXELS)}
                time_base = float(stream.time_base or 0)
                stretches = needed_stretches(self._clip.keys, self._showings, self._clip.when)
                for packet in container.demux(stream):
                    if not self._is_needed(packet, stretches, time_base):
                        continue
                    if packet.pts is not None:
                        small = self._is_small(frame_at(self._clip.when(packet.pts * time_base)))
                        context.skip_frame = "NONREF" if small else "DEFAULT"
                    try:
                        images = packet.decode()
                    except FFmpegError:
                        continue  # a picture that cannot be decoded; the next key frame mends it
                    for image in images:
                        if image.pts is not None:
                            yield self._frame_of(image.pts * time_base), image
        except (FFmpegError, IndexError):
            return  # what came before stands

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
        if packet.pts is None or self._closing.is_set():
            return packet.pts is None  # the end, at which the decoder gives what it holds
        at = packet.pts * time_base
        while stretches and frame_at(self._clip.when(at)) > stretches[0][1]:
            stretches.pop(0)
        return bool(stretches) and at >= stretches[0][0] - time_base

    def _emit(self, begin: int, image: av.VideoFrame, *, end: int) -> None:
        """Put the picture for every place it has between two frames: a scene may change while it stands still."""
        while self._showings and self._showings[0].end <= begin:
            self._showings.pop(0)
        for showing in self._showings:
            if showing.begin >= end:
                break
            at = fit(image.width, image.height, showing.tile.picture)
            scaled = self._scaler.reformat(
                image, at.width, at.height, "yuv420p", interpolation=Interpolation.AREA, threads=1
            )
            self._put(Picture(max(begin, showing.begin), showing.tile, at, scaled))

    def _put(self, item: Picture | None) -> None:
        while not self._closing.is_set():
            try:
                self._queue.put(item, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return
