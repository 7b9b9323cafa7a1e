"""The whole of recording on real threads, processes and records: from the first track to the film."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from database import Database, new_id
from recordings import jobs
from recordings.capture.recorder import Recorder
from recordings.capture.thread import monotonic_us
from recordings.center import RecordingCenter
from recordings.compose.story import TITLE_SECONDS, read_story
from recordings.folders import Folders, bytes_of
from recordings.models import CompositionJob
from recordings.reconciliation import Reconciliation
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.tracks import Track, TrackSource
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock
from tests.recordings.conftest import (
    ENDS,
    Centers,
    Heard,
    MakeMeeting,
    recording_of,
    small_files,
    until,
)
from tests.recordings.meetings import track, watch
from tests.recordings.publishers import RED, Publisher, Stream, sine, solid
from tests.recordings.rows import change

pytestmark = pytest.mark.one_engine


def offer(recorder: Recorder, seconds: float = 1.0) -> list[Stream]:
    """One person with camera and microphone, all of whose packets are there at once."""
    person = Publisher()
    video, audio = person.video(solid(RED), seconds), person.audio(sine(440), seconds)
    for stream, source in ((video, TrackSource.CAMERA), (audio, TrackSource.MICROPHONE)):
        stream.feed(1e9, monotonic_us() - round(seconds * 1e6))
        recorder.track_added(track(stream, "a", source, "张三"))
    return [video, audio]


async def end(database: Database, meeting: Meeting) -> None:
    async with database.transaction() as session:
        row = await session.get(Meeting, meeting.id)
        assert row is not None
        row.state, row.ended_at = MeetingState.ENDED, row.started_at


async def test_a_meeting_becomes_a_film(
    center: RecordingCenter,
    heard: Heard,
    database: Database,
    make_meeting: MakeMeeting,
    settings: RecordingSettings,
) -> None:
    meeting = await make_meeting()
    recorder = await center.open(meeting.id)
    assert recorder is not None
    assert recorder.status.state is RecordingState.CAPTURING
    assert await center.open(meeting.id) is recorder
    begun = monotonic_us()
    streams = offer(recorder)
    assert streams[0].tap.key_frame_requests == 1, "asked for at once"
    assert center.statistics().capturing_tracks == 2
    await end(database, meeting)
    await center.finish(meeting.id)
    lasted = (monotonic_us() - begun) / 1e6
    assert all(stream.tap.closed for stream in streams)
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.READY, None)
    assert heard.states(meeting.id) == [
        RecordingState.CAPTURING,
        RecordingState.COMPOSING,
        RecordingState.READY,
    ]
    row = await recording_of(database, meeting)
    film = Folders(settings.folder).film(row.id)
    assert (row.progress, row.size_bytes, row.version) == (1.0, film.stat().st_size, 1)
    assert (await center.reconcile()).lost_films == 0
    assert row.kept_bytes == bytes_of(film.parent) > film.stat().st_size, "what was captured counts too"
    least = (
        TITLE_SECONDS + 1.0
    )  # of what was offered as from the past; the film goes on until the meeting ended
    assert least - 0.2 <= (row.duration_seconds or 0.0) <= least + lasted + 0.2
    assert watch(film).share(RED, TITLE_SECONDS + 0.5) > 0.8
    statistics = center.statistics()
    assert (statistics.capturing_meetings, statistics.running_compositions) == (0, 0)
    assert statistics.finished_compositions == 1
    assert statistics.captured_packets > 50
    async with database.reading() as session:
        assert await session.scalar(select(CompositionJob)) is None


async def test_what_is_not_to_be_recorded_is_not(center: RecordingCenter, make_meeting: MakeMeeting) -> None:
    for meeting in (
        await make_meeting(record=False),
        await make_meeting(MeetingKind.FAMILY_VISIT),
        await make_meeting(state=MeetingState.ENDED),
    ):
        assert await center.open(meeting.id) is None
        await center.finish(meeting.id)
    assert await center.open(new_id()) is None


async def test_what_was_put_into_the_queue_while_its_files_were_open_is_composed_of_the_whole_ones(
    center: RecordingCenter, database: Database, clock: FakeClock, make_meeting: MakeMeeting
) -> None:
    meeting = await make_meeting()
    recorder = await center.open(meeting.id)
    assert recorder is not None
    await end(database, meeting)
    another = Reconciliation(database, center.shelf.folders, center.shelf, clock, lambda _: False)
    assert (await another.run()).interrupted == 1
    worker = new_id()
    async with database.transaction() as session:
        assert await jobs.claim(session, CompositionJob, worker, clock(), timedelta(hours=1))
    await center.finish(meeting.id)
    async with database.reading() as session:
        assert await jobs.claimed(session, CompositionJob, recorder.recording_id, worker) is None


async def test_a_recording_that_was_deleted_is_neither_composed_nor_gone_on_with(
    center: RecordingCenter, heard: Heard, database: Database, make_meeting: MakeMeeting
) -> None:
    meeting = await make_meeting()
    assert await center.open(meeting.id) is not None
    await change(database, await recording_of(database, meeting), state=RecordingState.DELETED)
    await center.finish(meeting.id)
    assert await center.open(meeting.id) is None
    assert heard.states(meeting.id) == [RecordingState.CAPTURING]
    assert (await recording_of(database, meeting)).state is RecordingState.DELETED


async def test_a_meeting_in_which_nobody_was_seen_or_heard_says_so(
    center: RecordingCenter, heard: Heard, database: Database, make_meeting: MakeMeeting
) -> None:
    meeting = await make_meeting()
    await center.open(meeting.id)
    await center.finish(meeting.id)
    status = await heard.reaches(meeting.id, *ENDS)
    assert (status.state, status.reason) == (RecordingState.FAILED, Failure.NOTHING_CAPTURED)
    assert (await recording_of(database, meeting)).failure is Failure.NOTHING_CAPTURED


async def test_a_full_disk_is_told_at_once_and_what_there_is_becomes_a_film(
    center: RecordingCenter,
    heard: Heard,
    database: Database,
    make_meeting: MakeMeeting,
    settings: RecordingSettings,
) -> None:
    meeting = await make_meeting()
    recorder = await recorded(center, meeting)
    assert recorder._capture is not None
    with small_files(1_000_000):  # and there is no room for a trial
        recorder._capture._min_free_bytes, recorder._capture._checked_us = 1 << 62, None
        status = await heard.reaches(meeting.id, RecordingState.FAILED)
        assert status.reason is Failure.DISK_FULL
        assert recorder.status == status
        late = Publisher().audio(sine(440), 0.2)
        recorder.track_added(track(late, "b", TrackSource.MICROPHONE))
        await until(lambda: late.tap.closed)
        assert center.statistics().failed_captures == 1
        assert heard.states(meeting.id) == [RecordingState.CAPTURING, RecordingState.FAILED], "it stays full"
    await heard.reaches(meeting.id, RecordingState.CAPTURING, after=RecordingState.FAILED)
    await end(database, meeting)
    await center.finish(meeting.id)
    status = await heard.reaches(meeting.id, RecordingState.READY, RecordingState.DAMAGED)
    assert (status.state, status.reason) == (RecordingState.DAMAGED, Failure.DISK_FULL)
    assert Folders(settings.folder).film(recorder.recording_id).is_file()


async def test_when_a_full_disk_has_room_again_the_recording_goes_on_and_the_film_shows_the_gap(
    center: RecordingCenter,
    heard: Heard,
    database: Database,
    make_meeting: MakeMeeting,
    settings: RecordingSettings,
) -> None:
    meeting = await make_meeting()
    recorder = await recorded(center, meeting)
    assert recorder._capture is not None
    recorder._capture._min_free_bytes = 1 << 62  # somebody fills the disk, and makes room at once
    await heard.reaches(meeting.id, RecordingState.CAPTURING, after=RecordingState.FAILED)
    again = await center.open(meeting.id)
    assert again is not None
    assert again is not recorder
    offer(again)
    await end(database, meeting)
    await center.finish(meeting.id)
    status = await heard.reaches(meeting.id, *ENDS[:2])
    assert (status.state, status.reason) == (RecordingState.DAMAGED, Failure.DISK_FULL)
    row = await recording_of(database, meeting)
    story = read_story(Folders(settings.folder).of(row.id))
    (gap,) = story.interruptions
    assert gap.seconds > 0
    assert row.segments == 2
    assert row.duration_seconds == pytest.approx(TITLE_SECONDS + story.duration, abs=0.1)


async def test_a_meeting_that_ends_while_the_disk_is_full_is_not_gone_on_with(
    centers: "Centers", heard: Heard, database: Database, make_meeting: MakeMeeting
) -> None:
    meeting = await make_meeting()
    center = await centers.start()
    recorder = await recorded(center, meeting)
    assert recorder._capture is not None
    async with center._opening:  # it has room again, and waits for its turn
        recorder._capture._min_free_bytes = 1 << 62
        await heard.reaches(meeting.id, RecordingState.FAILED)
        await end(database, meeting)
        finishing = asyncio.create_task(center.finish(meeting.id))
        await asyncio.sleep(0)
    await finishing
    await heard.reaches(meeting.id, *ENDS, after=RecordingState.COMPOSING)
    assert (await recording_of(database, meeting)).segments == 1
    assert center.statistics().capturing_meetings == 0


async def drained(recorder: Recorder) -> None:
    """Wait until the capture thread has taken what there is."""
    await until(lambda: recorder._capture is not None and recorder._capture._counters.packets >= 75)


async def recorded(center: RecordingCenter, meeting: Meeting) -> Recorder:
    """The recorder of a meeting, with one person's second in its files."""
    recorder = await center.open(meeting.id)
    assert recorder is not None
    offer(recorder)
    await drained(recorder)
    return recorder


async def test_a_folder_that_cannot_be_written_fails_the_recording_and_not_the_meeting(
    center: RecordingCenter, heard: Heard, make_meeting: MakeMeeting, settings: RecordingSettings
) -> None:
    meeting = await make_meeting()
    settings.folder.rmdir()
    settings.folder.write_text("in the way")
    recorder = await center.open(meeting.id)
    assert recorder is not None
    (video, _) = offer(recorder)
    status = await heard.reaches(meeting.id, RecordingState.FAILED)
    assert status.reason is Failure.DISK_FAILED
    await center.finish(meeting.id)
    assert video.tap.closed
    status = await heard.reaches(meeting.id, RecordingState.FAILED, after=RecordingState.COMPOSING)
    assert status.reason is Failure.DISK_FAILED, "why there is nothing, and not only that there is nothing"


async def test_tracks_of_a_meeting_that_is_over_are_given_back(
    center: RecordingCenter, make_meeting: MakeMeeting
) -> None:
    meeting = await make_meeting()
    recorder = await center.open(meeting.id)
    assert recorder is not None
    await recorder.close()
    tap = Publisher().audio(sine(440), 0.1).tap
    recorder.track_added(Track("p", "a", None, "张三", TrackSource.MICROPHONE, tap))
    recorder.track_paused("p")
    recorder.track_resumed("p")
    recorder.track_closed("p")
    assert tap.closed
    await recorder.close()


async def test_a_disk_that_fails_while_it_is_looked_over_is_looked_over_again(
    database: Database, settings: RecordingSettings, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    center = RecordingCenter(database, settings.model_copy(update={"reconcile_seconds": 0.001}), clock)
    await center.start()
    looked = 0

    async def fail(*_: object) -> None:
        nonlocal looked
        looked += 1
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Reconciliation, "run", fail)
    try:
        with capture_logs():
            await until(lambda: looked > 2)
    finally:
        await center.stop()
