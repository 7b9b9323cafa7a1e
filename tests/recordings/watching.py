"""Watches a recording as a player does that tells the truth."""

from database import Database
from members.policy import Actor
from recordings import repository
from recordings.models import Recording
from recordings.viewing.service import Viewings
from recordings.views import CoverageView, WatchReport
from tests.factories import FakeClock

# Seconds of the recording.
LENGTH = 100.0


async def play(
    viewings: Viewings,
    clock: FakeClock,
    actor: Actor,
    recording: Recording,
    begin: float,
    end: float,
    rate: float = 1.0,
) -> CoverageView:
    """Watch honestly from `begin` to `end`, reporting every ten seconds of the clock on the wall."""
    view = await viewings.report(actor, recording.id, WatchReport((), rate))
    at = begin
    while at < end:
        upto = min(end, at + 10 * rate)
        clock.advance((upto - at) / rate)
        view = await viewings.report(actor, recording.id, WatchReport(((at, upto),), rate))
        at = upto
    return view


async def change(database: Database, recording: Recording, **fields: object) -> None:
    async with database.transaction() as session:
        row = await repository.get(session, recording.id)
        assert row is not None
        for name, value in fields.items():
            setattr(row, name, value)
