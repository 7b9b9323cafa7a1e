"""A track's RTP timestamps as positions: unwrapped ticks from its first packet, without leaps."""

from typing import Final

from recordings.capture.wraps import Unwrapper

# A timestamp that leaps against the arrivals by more than this is a publisher who began anew, not a pause: pauses let
# the timestamp run on. Wide enough for any jitter, narrow against a random new offset. A line that stalled brings its
# packets late by any time, but each next to the one before, which a new offset is once in ten thousand times.
LEAP_SECONDS: Final = 5.0
_MICROSECONDS: Final = 1_000_000


class Positions:
    """Where leaps of the timestamp are, the arrival time bridges."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._timestamps = Unwrapper(32)
        self._base: int | None = None
        self._last: tuple[int, int] | None = None  # position, arrival
        self._last_timestamp: int | None = None

    def place(self, timestamp: int, arrival_us: int) -> int:
        """The position of what comes next in order."""
        if self._last is not None and timestamp == self._last_timestamp:  # more of the same frame
            self._last = (self._last[0], arrival_us)
            return self._last[0]
        self._last_timestamp = timestamp
        if self._base is None or self._last is None:
            self._base = self._timestamps.unwrap(timestamp)
            self._last = (0, arrival_us)
            return 0
        whole = self._timestamps.peek(timestamp)
        position = whole - self._base
        expected = self._last[0] + (arrival_us - self._last[1]) * self._rate // _MICROSECONDS
        follows = 0 <= position - self._last[0] <= LEAP_SECONDS * self._rate
        if not follows and abs(position - expected) > LEAP_SECONDS * self._rate:
            position = max(expected, self._last[0] + 1)
            self._timestamps = Unwrapper(32)
            self._base = self._timestamps.unwrap(timestamp) - position
        else:
            self._timestamps.remember(whole)
        self._last = (position, arrival_us)
        return position

    def of_report(self, timestamp: int, arrival_us: int) -> int | None:
        """The position a sender report speaks of; None before the first packet and where it is of another life."""
        if self._base is None or self._last is None:
            return None
        position = self._timestamps.peek(timestamp) - self._base
        expected = self._last[0] + (arrival_us - self._last[1]) * self._rate // _MICROSECONDS
        return position if abs(position - expected) <= LEAP_SECONDS * self._rate else None
