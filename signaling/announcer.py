"""Telling many the same without telling each of everything by itself.

Somebody who comes into a large room is news to everybody there, and on a theme day thirty come each second: a write for
each of them and each listener would be most of what the server does. So what is told to many waits until the last
telling has been paid for, and goes to each in one write with all that came meanwhile.
"""

import asyncio
from collections.abc import Sequence

from signaling.line import Line, Outgoing

# A write takes some 10 µs of the processor (the system's way through TCP is most of it), so telling takes a twentieth
# of a core at most. A room of 1,000 hears of a newcomer 0.2 s later; one of ten, two milliseconds.
SECONDS_A_LINE = 0.0002

# More than so many seconds nobody waits, however many are told.
SECONDS_MOST = 0.5


class Announcer:
    """Holds messages on their lines; a message for one line alone overtakes nothing, see `Line.send`."""

    def __init__(self) -> None:
        self._lines: dict[Line, None] = {}  # those that hold something, in order of coming
        self._due: asyncio.TimerHandle | None = None
        self._paid_at = 0.0  # on the event loop's clock

    def tell(self, lines: Sequence[Line], message: Outgoing) -> None:
        """Send to all of `lines`, soon."""
        for line in lines:
            line.hold(message)
        self._lines.update(dict.fromkeys(lines))
        if self._due is None:
            self._due = asyncio.get_running_loop().call_at(self._paid_at, self.release)

    def release(self) -> None:
        """Send now what is held anywhere."""
        lines, self._lines = self._lines, {}
        for line in lines:
            line.release()
        if self._due is not None:
            self._due.cancel()
            self._due = None
        cost = min(SECONDS_MOST, SECONDS_A_LINE * len(lines))
        self._paid_at = asyncio.get_running_loop().time() + cost
