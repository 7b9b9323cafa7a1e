"""The common half of the picture depayloaders: pieces with one timestamp make one picture, whole or not at all."""

from abc import ABC, abstractmethod

from recordings.capture.codecs.frames import MAXIMUM_FRAME_BYTES, Frame, Malformed


class Assembler(ABC):
    """Subclasses say what a payload adds to the picture and how a whole picture looks."""

    def __init__(self) -> None:
        self.malformed = 0
        self.broken = False
        self._timestamp: int | None = None
        self._bytes = 0
        self._spoilt = False  # a piece of the open picture is missing

    def mend(self) -> None:
        """Forget `broken`."""
        self.broken = False

    def push(self, payload: bytes, timestamp: int, *, marker: bool, lost: bool) -> list[Frame]:
        """See `Depayloader`."""
        frames: list[Frame] = []
        if lost:
            # Whether the hole is the end of the old picture, a whole one, or the start of this one is not known.
            self._abandon()
            self.broken = True
        elif timestamp != self._timestamp and self._timestamp is not None:
            frames = self._complete()  # the marker is a convenience; a new timestamp says the same
        self._timestamp = timestamp
        if payload:  # an empty one is padding that probes the path
            self._take(payload)
        if marker:
            frames += self._complete()
        return frames

    def _take(self, payload: bytes) -> None:
        if self._spoilt:
            return
        self._bytes += len(payload)
        try:
            if self._bytes > MAXIMUM_FRAME_BYTES:
                raise Malformed("a picture without an end")  # noqa: TRY301 - as one whose piece cannot be read
            self._add(payload)
        except Malformed:
            self.malformed += 1
            self._reset()
            self._spoilt = self.broken = True

    def _abandon(self) -> None:
        self._reset()
        self._timestamp, self._bytes, self._spoilt = None, 0, False

    def _complete(self) -> list[Frame]:
        timestamp, whole = self._timestamp, self._bytes > 0 and not self._spoilt
        frame = None
        if whole and timestamp is not None:
            try:
                frame = self._finish(timestamp)
            except Malformed:
                self.malformed += 1
                self.broken = True
        self._abandon()
        return [frame] if frame is not None else []

    @abstractmethod
    def _add(self, payload: bytes) -> None:
        """Add one payload to the picture; raises Malformed."""

    @abstractmethod
    def _finish(self, timestamp: int) -> Frame | None:
        """The whole picture, None where there is nothing to show; raises Malformed."""

    @abstractmethod
    def _reset(self) -> None:
        """Forget the pieces."""
