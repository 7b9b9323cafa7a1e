"""The film's frames on their way into the parts of every size, each size scaled and encoded in a thread of its own.

FFmpeg works without the interpreter's lock, so whoever draws goes on drawing meanwhile, and every core has work.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Final, Self

import av
from av.video.reformatter import Interpolation, VideoReformatter

from recordings.compose.film import PicturePart, Size

# Frames before each encoder, 1.4 MB each: enough that a key frame, which takes longer, keeps nobody waiting.
_WAITING: Final = 4


class _Mark(Enum):
    """What is handed on beside frames."""

    SAME_AGAIN = auto()
    PART_ENDS = auto()
    FILM_ENDS = auto()


class Shots:
    """Encodes what is added in every size, the largest first, which is the frames' own; `place` says where parts lie.

    A context: left in good order, every part that was ended stands; whatever raises, what is not whole is given up.
    """

    def __init__(self, place: Callable[[int, Size], Path], sizes: Sequence[Size], number: int = 0) -> None:
        self._encoders: list[_Encoder] = []
        for size in sizes:
            larger = self._encoders[-1] if self._encoders else None
            self._encoders.append(_Encoder(place, size, number, larger))

    def __enter__(self) -> Self:
        for encoder in self._encoders:
            encoder.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._encoders[-1].take(_Mark.FILM_ENDS)
        for encoder in self._encoders:
            encoder.join()
        if kind is None:
            self._check()

    def add(self, frame: av.VideoFrame | None) -> None:
        """The next frame, which is not the caller's any more, or None: the one before stands for one frame longer.

        Waits while encoders are behind; OSError of the disk.
        """
        self._check()
        self._encoders[-1].take(_Mark.SAME_AGAIN if frame is None else frame)

    def next_part(self) -> None:
        """What was added is a whole part; it appears when it is encoded."""
        self._check()
        self._encoders[-1].take(_Mark.PART_ENDS)

    def _check(self) -> None:
        for encoder in self._encoders:
            if encoder.error is not None:
                raise encoder.error


class _Encoder:
    """One size. What it takes it hands on to the next larger one: scaling touches a frame, so one thread has it.

    After an error it goes on handing on, so that nobody waits for it.
    """

    def __init__(
        self, place: Callable[[int, Size], Path], size: Size, number: int, larger: "_Encoder | None"
    ) -> None:
        self._place = place
        self._size = size
        self._number = number
        self._larger = larger
        self._part: PicturePart | None = None
        self._last: av.VideoFrame | None = None  # in this size
        self._scaler = VideoReformatter()
        self._queue: queue.Queue[av.VideoFrame | _Mark] = queue.Queue(_WAITING)
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"encoder {size.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, item: av.VideoFrame | _Mark) -> None:
        self._queue.put(item)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        item: av.VideoFrame | _Mark | None = None
        while item is not _Mark.FILM_ENDS:
            item = self._queue.get()
            if self.error is not None:
                self._hand_on(item)
                continue
            try:
                self._encode(self._own(item))
            except Exception as error:  # noqa: BLE001 - whoever adds raises it
                self.error = error
        if self._part is not None:
            self._part.abandon()

    def _own(self, item: av.VideoFrame | _Mark) -> av.VideoFrame | _Mark:
        """The item in this size; it itself is handed on."""
        width, height = self._size.width, self._size.height
        try:
            if isinstance(item, _Mark):
                return item
            return self._scaler.reformat(item, width, height, interpolation=Interpolation.BILINEAR, threads=1)
        finally:
            self._hand_on(item)

    def _hand_on(self, item: av.VideoFrame | _Mark) -> None:
        if self._larger is not None:
            self._larger.take(item)

    def _encode(self, item: av.VideoFrame | _Mark) -> None:
        if isinstance(item, av.VideoFrame):
            self._last = item
        if self._last is not None and (self._last is item or item is _Mark.SAME_AGAIN):
            if self._part is None:
                self._part = PicturePart(self._place(self._number, self._size), self._size)
            if self._last is item:
                self._part.add(self._last)
            else:
                self._part.repeat(self._last)
        elif item is _Mark.PART_ENDS and self._part is not None:
            self._part.finish()
            self._part = None
            self._number += 1
