"""Simulated time: what will happen, in order. Whoever shares one shares the clock."""

import heapq
import itertools
from collections.abc import Callable

from tests.media.plane.links import SECOND, START


class Timeline:
    """A clock that goes from event to event."""

    def __init__(self) -> None:
        self.now = START
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.order = itertools.count()

    def at(self, when: int, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (when, next(self.order), event))

    def seconds(self) -> float:
        return (self.now - START) / SECOND

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + int(seconds * SECOND)
        while self.events and self.events[0][0] <= until:
            self.now, _, event = heapq.heappop(self.events)
            event()
        self.now = until
