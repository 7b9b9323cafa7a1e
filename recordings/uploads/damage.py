"""What of a film is not to be had, noticed while all of it is decoded. Pure."""

from collections.abc import Sequence
from typing import Final

from recordings.compose.scan import Span
from recordings.viewing.coverage import union

# Frames come 25 times a second, packets of sound more often: further apart, something lies between.
_GAP_SECONDS: Final = 0.1


class Track:
    """One stream: the seconds of it that do not decode, and those of which there is nothing at all."""

    def __init__(self) -> None:
        self._end: float | None = None  # of what has come
        self._failed: float | None = None  # since this second
        self._at = 0.0
        self.undecoded: list[Span] = []
        self.gaps: list[Span] = []

    def packet(self, at: float, *, decodes: bool) -> None:
        """The packet of this second; a film that begins between two key frames has lost nothing before the first."""
        self._at = at
        if decodes:
            self.finish()
        elif self._failed is None and self._end is not None:
            self._failed = at

    def frame(self, at: float, seconds: float) -> None:
        """What came out, and for how long it stands."""
        if self._end is not None and at - self._end > _GAP_SECONDS:
            self.gaps.append((self._end, at))
        self._end = max(at + seconds, self._end or 0.0)

    def finish(self) -> None:
        """Nothing fails any more, or nothing more comes."""
        if self._failed is not None:
            self.undecoded.append((self._failed, max(self._failed, self._at)))
            self._failed = None


def lost(track: Track, other: Track) -> tuple[Span, ...]:
    """Seconds of the one that are missing.

    A gap may be meant, as where a picture stands for long; one in pictures and sound at once is a piece of the file
    that the container has passed over, as Matroska and MPEG-TS allow.
    """
    return union([*track.undecoded, *_common(track.gaps, other.gaps)])


def _common(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """The time that is in both, each of which is in order."""
    found: list[Span] = []
    one = other = 0
    while one < len(first) and other < len(second):
        begin, end = max(first[one][0], second[other][0]), min(first[one][1], second[other][1])
        if begin < end:
            found.append((begin, end))
        if first[one][1] <= second[other][1]:
            one += 1
        else:
            other += 1
    return found
