"""A recording whose server, clock or film is not what it was when it began."""

from datetime import timedelta

import pytest

from database import Database, new_id
from recordings import repository
from recordings.capture import recorder as recorder_module
from recordings.capture.thread import monotonic_us
from recordings.center import RecordingCenter
from recordings.compose.story import TITLE_SECONDS
from recordings.folders import Folders
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from rooms.meetings.states import MeetingState
from tests.factories import FakeClock
from tests.recordings.conftest import (
    ENDS,
    Centers,
    Heard,
    MakeMeeting,
    ToCompose,
    recording_of,
)
from tests.recordings.test_center import drained, end, offer, recorded

pytestmark = pytest.mark.one_engine


async def test_a_restart_in_the_middle_gives_one_film_of_both_segments(
    centers: Centers,
    database: Database,
    clock: FakeClock,
    heard: Heard,
    make_meeting: MakeMeeting,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder_module, "boot_id", new_id)  # the machine is begun anew too: the clock tells
    meeting = await make_meeting()
    first = await centers.start()
    recorder = await first.open(meeting.id)
    assert recorder is not None
    begun = monotonic_us()
    offer(recorder)
    await drained(recorder)
    await centers.stop()  # an orderly one; a kill leaves the same files without their last line
    clock.advance(timedelta(seconds=30))
    second = await centers.start()
    assert (await recording_of(database, meeting)).state is RecordingState.CAPTURING, "the meeting is live"
    recorder = await second.open(meeting.id)
    assert recorder is not None
    offer(recorder)
    await end(database, meeting)
    await second.finish(meeting.id)
    lasted = (monotonic_us() - begun) / 1e6
    assert (await heard.reaches(meeting.id, *ENDS)).state is RecordingState.READY
    row = await recording_of(database, meeting)
    assert row.segments == 2
    least = (
        TITLE_SECONDS + 1.0 + 3.0 + 1.0
    )  # with the gap as a card; the segments go on until what ended them
    assert least - 0.3 <= (row.duration_seconds or 0.0) <= least + lasted + 0.3


async def test_a_server_begun_with_a_wrong_clock_has_the_right_date_on_its_recording(
    center: RecordingCenter,
    heard: Heard,
    database: Database,
    clock: FakeClock,
    make_meeting: MakeMeeting,
) -> None:
    meeting = await make_meeting()
    await recorded(center, meeting)
    wrong = (await recording_of(database, meeting)).started_at
    clock.advance(timedelta(days=2_000))  # somebody sets it right
    await end(database, meeting)
    await center.finish(meeting.id)
    row = await recording_of(database, meeting)
    assert row.ended_at is not None
    assert row.started_at - wrong == pytest.approx(timedelta(days=2_000), abs=timedelta(minutes=5))
    assert timedelta(0) < row.ended_at - row.started_at < timedelta(minutes=5)
    await heard.reaches(meeting.id, *ENDS)


async def test_what_a_kill_has_left_is_composed_at_the_next_start(
    centers: Centers, database: Database, settings: RecordingSettings, heard: Heard, make_meeting: MakeMeeting
) -> None:
    meeting = await make_meeting()
    center = await centers.start()
    recorder = await recorded(center, meeting)
    await end(database, meeting)  # by whoever closes stale meetings; nobody tells the center
    await centers.stop()
    for path in Folders(settings.folder).segment(recorder.recording_id, 1).iterdir():
        path.write_bytes(path.read_bytes()[:-5])
    unrecorded = await make_meeting(state=MeetingState.ENDED)
    await centers.start()
    assert (await heard.reaches(meeting.id, *ENDS)).state is RecordingState.READY
    absent = await recording_of(database, unrecorded)
    assert (absent.state, absent.failure) == (RecordingState.FAILED, Failure.NOTHING_CAPTURED)


async def test_a_film_that_is_lost_is_composed_anew_or_said_to_be_lost(
    center: RecordingCenter,
    database: Database,
    settings: RecordingSettings,
    clock: FakeClock,
    heard: Heard,
    to_compose: ToCompose,
) -> None:
    meetings = []
    for all_lost in (False, True):
        meeting, row = await to_compose(0.4)
        meetings.append(meeting)
        async with database.transaction() as session:
            loaded = await repository.get(session, row.id)
            assert loaded is not None
            await repository.drop_job(session, row.id)
            repository.turn(loaded, RecordingState.READY, clock())
        if all_lost:
            for path in sorted(Folders(settings.folder).of(row.id).rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
    (settings.folder / "lost+found").mkdir()
    found = await center.reconcile()
    assert (found.lost_films, found.strangers) == (2, 1)
    kept, gone = meetings
    assert (await heard.reaches(kept.id, *ENDS)).state is RecordingState.READY
    row = await recording_of(database, gone)
    assert (row.state, row.failure) == (RecordingState.FAILED, Failure.FILES_MISSING)
