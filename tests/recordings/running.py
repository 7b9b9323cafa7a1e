"""A server that runs in a test: its wall clock, its uptime, and the two apart where somebody sets the clock."""

from datetime import timedelta

from database import Database
from recordings.upkeep.uptime import UptimeCounter
from tests.factories import FakeClock


class RunningServer:
    """Moves the test's clock; time passes by `runs` alone."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self._clock = clock
        self._ran = 0.0
        self._uptime = UptimeCounter(database, lambda: self._ran)

    async def runs(self, duration: timedelta | float) -> None:
        """Run for a while, in which the clock goes right."""
        await self._uptime.count()
        before = self._clock()
        self._ran += (self._clock.advance(duration) - before).total_seconds()
        await self._uptime.count()
