"""What a crash has left between two states is sent on its way, each recording by itself."""

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from database import Database
from recordings import repository
from recordings.models import Recording
from recordings.states import RecordingState
from rooms.meetings.states import MeetingState
from tests.factories import FakeClock
from tests.recordings.conftest import Centers, MakeMeeting, recording_of

pytestmark = pytest.mark.one_engine


async def left_open(database: Database, make_meeting: MakeMeeting, clock: FakeClock) -> Recording:
    """A recording whose capture a crash has ended, of a meeting that is over."""
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        return repository.add(session, meeting, clock())


async def test_a_recording_of_which_no_sense_is_to_be_made_keeps_back_neither_the_others_nor_the_start(
    centers: Centers, database: Database, make_meeting: MakeMeeting, clock: FakeClock
) -> None:
    senseless, *others = [await left_open(database, make_meeting, clock) for _ in range(3)]
    absent = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE recordings SET failure = 'of a later version' WHERE id = :id"), {"id": senseless.id}
        )
    with capture_logs() as logs:
        await centers.start()
    assert [entry["id"] for entry in logs if entry["event"] == "recording_not_reconciled"] == [senseless.id]
    async with database.reading() as session:
        ended = [(await session.get_one(Recording, row.id)).ended_at for row in others]
    assert all(ended)
    assert (await recording_of(database, absent)).state is RecordingState.FAILED
