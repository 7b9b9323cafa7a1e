"""A track's RTP timestamps as positions: unwrapped ticks from its first packet, without leaps."""

from typing import Final

# A timestamp that leaps against the arrivals by more than this is a publisher who began anew, not a pause: pauses let
# the timestamp run on. Wide enough for any jitter, narrow against a random new offset. A line that stalled brings its
# packets late by any time, but each next to the one before, which a new offset is once in ten thousand times.
LEAP_SECONDS: Final = 5.0
_MICROSECONDS: Final = 1_000_000
_HALF, _MASK = 1 << 31, (1 << 32) - 1  # timestamps have 32 bits


class Positions:
    """Each timestamp is the one nearest to the one before it; where leaps are, the arrival time bridges."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._leap = round(LEAP_SECONDS * clock_rate)
        self._timestamp: int | None = None
        self._position = 0
        self._arrival_us = 0

    def place(self, timestamp: int, arrival_us: int) -> int:
        """The position of the frame that comes next in order."""
        step = 0 if self._timestamp is None else _step(self._timestamp, timestamp)
        if not 0 <= step <= self._leap:
            expected = self._ticks_since(arrival_us)
            if abs(step - expected) > self._leap:
                step = max(expected, 1)
        self._timestamp, self._arrival_us = timestamp, arrival_us
        self._position += step
        return self._position

    def of_report(self, timestamp: int, arrival_us: int) -> int | None:
        """The position a sender report speaks of; None before the first packet and where it is of another life."""
        if self._timestamp is None:
            return None
        step = _step(self._timestamp, timestamp)
        return self._position + step if abs(step - self._ticks_since(arrival_us)) <= self._leap else None

    def _ticks_since(self, arrival_us: int) -> int:
        return (arrival_us - self._arrival_us) * self._rate // _MICROSECONDS


def _step(before: int, timestamp: int) -> int:
    """How far it is ahead, over the wrap."""
    return ((timestamp - before + _HALF) & _MASK) - _HALF
