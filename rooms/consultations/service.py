"""`Consultations`: tickets, duty, the call and its end."""

import asyncio
import contextlib

import structlog

from rooms.consultations.desks import Desks
from rooms.consultations.parties import Resident
from rooms.consultations.stations import Stations
from rooms.consultations.talks import Talks
from rooms.consultations.tickets import Tickets

__all__ = ["Consultations", "Resident", "Stations"]

log = structlog.get_logger(__name__)


class Consultations(Tickets, Desks, Talks):
    """All sides of consultations over one set of records, and their clock.

    Every public method is one unit of work; events go to the listeners after the commit.
    """

    _ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Recover what a crash left; begin the clock."""
        await self.recover()
        self._ticker = asyncio.create_task(self._run(), name="consultations")

    async def stop(self) -> None:
        """Stop the clock; tickets, duty and talks stay as they are."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings.tick)
            try:
                await self.advance()
            except Exception:
                log.exception("consultations_clock_failed")
