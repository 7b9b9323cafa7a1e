"""What the keeper does when."""

from datetime import datetime, timedelta

import pytest

from database import Database
from recordings.models import Recording
from recordings.states import RecordingState
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.keeper import HOUR, MINUTE, Keeper
from recordings.upkeep.retention import NOTICE
from recordings.upkeep.uptime import UptimeCounter
from recordings.viewing.service import Viewings
from tests.factories import FakeClock

pytestmark = pytest.mark.one_engine

NOTICED = NOTICE.total_seconds()


class Ran:
    """A monotonic clock, which may refuse to answer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.broken = False

    def __call__(self) -> float:
        if self.broken:
            raise OSError
        return self.seconds


async def state_of(database: Database, recording: Recording) -> RecordingState:
    async with database.reading() as session:
        return (await session.get_one(Recording, recording.id)).state


@pytest.mark.parametrize(
    ("hour", "started_anew", "deletes"), [(12, False, False), (3, False, True), (12, True, True)]
)
async def test_the_rules_are_applied_at_night_and_with_a_start(
    database: Database, viewings: Viewings, recording: Recording, clock: FakeClock, hour: int, *, started_anew: bool,
    deletes: bool,
) -> None:  # fmt: skip
    """And what the keeper counts every minute is what the notice runs by."""
    ran = Ran()
    deletions = Deletions(database, clock, default_days=1)
    keeper = Keeper(database, deletions, viewings, UptimeCounter(database, ran), clock, ran)
    clock.advance(timedelta(days=3))
    clock.now = clock.now.astimezone().replace(hour=12)
    await keeper.do_what_is_due()  # announced
    ran.seconds = NOTICED
    clock.now = clock.now.replace(hour=hour)
    await keeper.do_what_is_due()
    if started_anew:
        keeper = Keeper(database, deletions, viewings, UptimeCounter(database, ran), clock, ran)
        await keeper.do_what_is_due()
    assert (await state_of(database, recording) is RecordingState.DELETED) is deletes


async def test_a_step_that_fails_keeps_no_other_from_being_done_and_comes_again_within_the_hour(
    database: Database, viewings: Viewings, recording: Recording, clock: FakeClock
) -> None:
    now, uptime, today = Ran(), Ran(), Ran()

    def broken_clock() -> datetime:
        today()
        return clock()

    deletions = Deletions(database, broken_clock, default_days=1)
    keeper = Keeper(database, deletions, viewings, UptimeCounter(database, uptime), clock, now)
    clock.advance(timedelta(days=3))
    clock.now = clock.now.astimezone().replace(hour=3)
    await keeper.do_what_is_due()  # announced
    now.seconds = uptime.seconds = NOTICED
    today.broken = True
    await keeper.do_what_is_due()
    uptime.broken, today.broken = True, False
    now.seconds += MINUTE
    await keeper.do_what_is_due()
    assert await state_of(database, recording) is RecordingState.READY, "not every minute"
    now.seconds += HOUR / 6
    await keeper.do_what_is_due()
    assert await state_of(database, recording) is RecordingState.DELETED
