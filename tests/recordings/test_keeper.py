"""What the keeper does when."""

from datetime import datetime, timedelta

import pytest

from database import Database
from recordings.models import Recording
from recordings.states import RecordingState
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.keeper import Keeper
from recordings.upkeep.retention import NOTICE
from recordings.upkeep.uptime import UptimeCounter
from recordings.viewing.service import Viewings
from tests.factories import FakeClock

pytestmark = pytest.mark.one_engine

NOON, NIGHT = datetime(2026, 11, 20, 12), datetime(2026, 11, 20, 3)  # noqa: DTZ001 - the server's own time of day


@pytest.mark.parametrize(
    ("local", "first", "deletes"), [(NOON, False, False), (NIGHT, False, True), (NOON, True, True)]
)
async def test_the_rules_are_applied_at_night_and_with_a_start(
    database: Database, viewings: Viewings, recording: Recording, clock: FakeClock, local: datetime, *, first: bool,
    deletes: bool,
) -> None:  # fmt: skip
    """And what the keeper counts every minute is what the notice runs by."""
    ran = 0.0
    deletions = Deletions(database, clock, default_days=1)
    keeper = Keeper(database, deletions, viewings, UptimeCounter(database, lambda: ran), clock)
    clock.advance(timedelta(days=1))
    await keeper.every_minute()
    await deletions.apply_rules()  # announced
    ran = NOTICE.total_seconds()
    await keeper.every_minute()
    await keeper.every_hour(local, first=first)
    async with database.reading() as session:
        row = await session.get_one(Recording, recording.id)
    assert (row.state is RecordingState.DELETED) is deletes
