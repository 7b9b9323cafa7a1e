"""Watches a recording as a player does that tells the truth."""

from members.policy import Actor
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
