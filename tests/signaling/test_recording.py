"""A recorded meeting: signaling hands every producer to the recorder, and tells what becomes of the recording."""

from datetime import datetime, timedelta
from pathlib import Path

import av
import pytest
from structlog.testing import capture_logs

from database import Database
from errors import Kind, Problem
from media import Router
from media.errors import MediaLimitReached
from recordings import repository
from recordings.compose.segments import SegmentRecord, read_segment
from recordings.composing.briefing import brief_of
from recordings.settings import RecordingSettings
from recordings.tracks import TrackSource
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind
from tests.signaling.conftest import Enter
from tests.signaling.participant import participant
from tests.signaling.raw import until
from tests.signaling.stack import Branch, Stack, running


def packets_in(path: Path) -> int:
    """Of the file's one track."""
    with av.open(str(path)) as file:
        return sum(1 for packet in file.demux() if packet.size)


async def test_every_producer_of_a_recorded_meeting_is_captured_until_the_end(
    branch: Branch, enter: Enter, stack: Stack, tmp_path: Path
) -> None:
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        state = await host.heard("recordingState")
        assert (state["state"], state["reason"]) == ("capturing", None)
        assert state["since"].endswith("Z")
        assert (await member.join(meeting))["recording"]["state"] == "capturing"
        counted = stack.recordings.statistics
        await member.publish("camera")
        await until(lambda: counted().captured_packets > 10)
        microphone = await host.publish("microphone")
        assert counted().capturing_tracks == 2
        await host.call("pauseProducer", {"producerId": microphone.id})
        await host.call("resumeProducer", {"producerId": microphone.id})
        await member.call("leave")
        await until(lambda: counted().capturing_tracks == 1)
        until_now = counted().captured_packets  # and from now on the microphone's alone
        await until(lambda: counted().captured_packets > until_now + 10)

        await host.call("endMeeting")
        await host.heard("meetingEnded")
    await stack.signaling._background.finish()
    assert counted().capturing_meetings == 0
    files = [path for path in (tmp_path / "recordings").rglob("*") if path.suffix == ".mkv"]
    assert {path.stem.partition("-")[2]: packets_in(path) > 5 for path in files} == {
        "microphone": True,
        "camera": True,
    }


async def test_whoever_asks_for_it_is_not_in_the_picture_and_heard_all_the_same(
    branch: Branch, enter: Enter, stack: Stack, tmp_path: Path
) -> None:
    meeting = await branch.meeting(record=True)
    tracks = stack.recordings.statistics
    async with enter(branch.secretary) as host:
        await host.join(meeting, recordPicture=False)
        await host.heard("recordingState")
        await host.publish("camera")
        await host.publish("microphone")
        await until(lambda: tracks().captured_packets > 5)
        assert tracks().capturing_tracks == 1
        await host.call("recordPicture", {"wanted": True})
        assert tracks().capturing_tracks == 2
        await host.call("recordPicture", {"wanted": False})
        assert tracks().capturing_tracks == 1
        await host.call("endMeeting")
        await host.heard("meetingEnded")
    await stack.signaling._background.finish()
    (journal,) = (tmp_path / "recordings").rglob("journal.jsonl")
    wishes = [line for line in journal.read_text().splitlines() if '"event":"picture"' in line]
    assert ['"hidden":true' in line for line in wishes] == [True, False, True]


async def test_a_wish_that_the_records_refuse_is_noted_when_it_is_said_again_and_at_the_latest_at_the_end(
    branch: Branch, enter: Enter, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Problem(Kind.UNAVAILABLE, "database_unavailable")

    meeting, wish = await branch.meeting(record=True), {"wanted": False}
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await host.heard("recordingState")
        await member.join(meeting)
        with monkeypatch.context() as broken:
            broken.setattr(stack.recordings.wishes, "note", away)
            assert await host.refused("recordPicture", wish) == "database_unavailable"
            assert await member.refused("recordPicture", wish) == "database_unavailable"
        await member.call("recordPicture", wish)
        assert len(await stack.recordings.wishes.hidden(meeting)) == 1
        await host.call("endMeeting")
        await host.heard("meetingEnded")
    await stack.signaling._background.finish()
    assert len(await stack.recordings.wishes.hidden(meeting)) == 2


async def test_records_that_are_away_when_a_meeting_begins_cost_neither_its_recording_nor_a_wish(
    branch: Branch, enter: Enter, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, tracks = stack.recordings.wishes.hidden, stack.recordings.statistics
    refusals: list[Exception] = [OSError("a disk"), Problem(Kind.UNAVAILABLE, "database_unavailable")]

    async def away(meeting_id: str) -> frozenset[str]:
        if refusals:
            raise refusals.pop()
        hall = stack.signaling._halls.get(meeting_id)
        assert hall is not None
        return await asked(meeting_id) | {session.person_key for session in hall.sessions.values()}

    monkeypatch.setattr(stack.recordings.wishes, "hidden", away)
    monkeypatch.setattr("signaling.rooms.halls._AGAIN_SECONDS", 0.01)
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host:
        with capture_logs() as logs:
            await host.join(meeting)
            await host.publish("camera")
            await host.publish("microphone")
            await host.heard("recordingState")
        assert [entry["event"] for entry in logs].count("recorder_not_opened") == 1
        await until(lambda: tracks().captured_packets > 5)
        assert tracks().capturing_tracks == 1, "the wish of before counts"


async def test_no_device_that_comes_in_brings_a_person_into_the_picture_who_asked_not_to_be(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as computer, enter(branch.secretary) as telephone:
        assert (await computer.join(meeting, recordPicture=True))["recordPicture"] is True
        await computer.heard("recordingState")
        await computer.publish("camera")
        assert (await telephone.join(meeting, recordPicture=False))["recordPicture"] is False
        assert await computer.heard("recordPicture") == {"wanted": False}, "who sits there is to know"
        async with enter(branch.secretary) as third:
            assert (await third.join(meeting, recordPicture=True))["recordPicture"] is False
            await third.publish("camera")
            assert stack.recordings.statistics().capturing_tracks == 0
            await third.call("recordPicture", {"wanted": True})
            assert stack.recordings.statistics().capturing_tracks == 2


@pytest.mark.parametrize(("says_so", "tracks"), [(False, 1), (True, 2)])
async def test_who_asked_not_to_be_in_the_picture_is_not_after_a_restart_unless_he_says_so(
    sqlite_database: Database, tmp_path: Path, says_so: bool, tracks: int
) -> None:
    async with running(sqlite_database, tmp_path / "recordings") as stack:
        branch = await Branch.found(stack)
        meeting = await branch.meeting(record=True)
        async with participant(stack.url, cookie=branch.secretary) as host:
            await host.join(meeting)
            await host.heard("recordingState")
            await host.call("recordPicture", {"wanted": False})
    async with running(sqlite_database, tmp_path / "recordings") as stack:
        async with participant(stack.url, cookie=branch.secretary) as host:
            await host.join(meeting, recordPicture=True)
            await host.heard("recordingState")
            if says_so:
                await host.call("recordPicture", {"wanted": True})
            await host.publish("camera")
            await host.publish("microphone")
            await until(lambda: stack.recordings.statistics().captured_packets > 5)
            assert stack.recordings.statistics().capturing_tracks == tracks
        await stack.signaling._background.finish()
        assert len(await stack.recordings.wishes.hidden(meeting)) == 2 - tracks


async def test_items_of_the_agenda_that_a_host_marks_outlive_a_restart_and_become_chapters(
    sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(sqlite_database, tmp_path / "recordings") as stack:
        branch = await Branch.found(stack)
        meeting = await branch.meeting(record=True, agenda="一、学习全会精神\n\n  二、讨论  \n三、表决")
        async with participant(stack.url, cookie=branch.secretary) as host:
            joined = await host.join(meeting)
            await host.heard("recordingState")
            items = ["一、学习全会精神", "二、讨论", "三、表决"]
            assert joined["agenda"] == {"items": items, "current": None}
            async with participant(stack.url, cookie=branch.members[0]) as member:
                await member.join(meeting)
                assert await member.refused("markAgenda", {"item": 0}) == "forbidden"
                await host.call("markAgenda", {"item": 0})
                assert (await member.heard("agendaMarked"))["item"] == 0
            for item, code in (
                (3, "agenda_item_not_found"),
                (-1, "invalid_request"),
                ("1", "invalid_request"),
            ):
                assert await host.refused("markAgenda", {"item": item}) == code
            stack.clock.advance(60)
            await host.call("markAgenda", {"item": 2})
            await host.call("markAgenda", {"item": 2})  # it is on already
    async with running(sqlite_database, tmp_path / "recordings") as stack:
        async with participant(stack.url, cookie=branch.secretary) as host:
            assert (await host.join(meeting))["agenda"] == {"items": items, "current": 2}
        async with sqlite_database.reading() as session:
            recording = await repository.of_meeting(session, meeting)
            assert recording is not None
            marks = (await brief_of(session, recording, RecordingSettings(folder=tmp_path))).marks
    assert [mark.title for mark in marks] == ["一、学习全会精神", "三、表决"]
    journal = next((tmp_path / "recordings").glob("*/segment-0001/journal.jsonl"))
    noted = [line for line in journal.read_text().splitlines() if '"event":"mark"' in line]
    assert [mark.at in line for mark, line in zip(marks, noted, strict=True)] == [True, True]
    begun, voted = (datetime.fromisoformat(mark.at) for mark in marks)
    assert voted - begun == timedelta(seconds=60)


async def test_what_was_produced_before_the_recorder_was_open_is_captured_too(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host:
        async with stack.recordings._opening:  # the recorder is slow to open
            await host.join(meeting)
            await host.publish("microphone")
            assert stack.recordings.statistics().capturing_meetings == 0
        await host.heard("recordingState")
        await until(lambda: stack.recordings.statistics().captured_packets > 5)


async def test_after_a_full_disk_everybody_is_told_and_everything_is_captured_again(
    branch: Branch, enter: Enter, stack: Stack, tmp_path: Path
) -> None:
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await host.heard("recordingState")
        await member.join(meeting)
        for publishing in (host, member):
            await publishing.publish("microphone")
        await until(lambda: stack.recordings.statistics().captured_packets > 10)
        recorder = await stack.recordings.open(meeting)
        assert recorder is not None
        assert recorder._capture is not None
        recorder._capture._min_free_bytes = 1 << 62  # somebody fills the disk
        for somebody in (host, member):
            for said in (("failed", "disk_full"), ("capturing", None)):
                state = await somebody.heard("recordingState")
                assert (state["state"], state["reason"]) == said
        again = tmp_path / "recordings" / recorder.recording_id / "segment-0002"
        await until(lambda: len(list(again.glob("*-microphone.mkv"))) == 2)
        assert stack.recordings.statistics().capturing_tracks == 2


async def test_nothing_is_captured_of_a_meeting_that_is_not_recorded(
    branch: Branch, enter: Enter, stack: Stack
) -> None:
    meeting = await branch.meeting(record=False)
    async with enter(branch.secretary) as host:
        assert (await host.join(meeting))["recording"] is None
        await host.publish("microphone")
        assert await stack.recordings.open(meeting) is None, (
            "it is opened one at a time: the room's turn is over"
        )
        assert stack.recordings.statistics().capturing_meetings == 0
        assert not host.has_heard("recordingState")


async def test_nothing_is_captured_of_a_family_visit_even_where_its_row_asks_for_it(
    branch: Branch, enter: Enter, stack: Stack, sqlite_database: Database, tmp_path: Path
) -> None:
    meeting = await branch.meeting(record=True)
    async with sqlite_database.transaction() as session:
        (await session.get_one(Meeting, meeting)).kind = MeetingKind.FAMILY_VISIT
    async with enter(branch.secretary) as host:
        assert (await host.join(meeting))["recording"] is None
        await host.publish("microphone")
        assert await stack.recordings.open(meeting) is None, (
            "it is opened one at a time: the room's turn is over"
        )
        assert stack.recordings.statistics().capturing_meetings == 0
        assert not host.has_heard("recordingState")
    assert not list((tmp_path / "recordings").iterdir()), "nothing came to the disk"


async def test_what_cannot_be_recorded_is_seen_and_heard_all_the_same_and_noted_for_the_film(
    branch: Branch, enter: Enter, stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise MediaLimitReached("too_many_taps", limit=0)

    monkeypatch.setattr(Router, "tap", full)
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host, enter(branch.members[0]) as member:
        await host.join(meeting)
        await host.heard("recordingState")
        await member.join(meeting)
        with capture_logs() as logs:
            await host.publish("microphone")
        assert (await member.heard("producerAdded"))["source"] == "microphone"
        assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["track_not_recorded"]
        assert stack.recordings.statistics().capturing_tracks == 0
        await host.call("endMeeting")
        await host.heard("meetingEnded")
    segment = await captured(stack, tmp_path)
    assert [(lost.source, lost.cause) for lost in segment.lost] == [(TrackSource.MICROPHONE, "too_many_taps")]


async def test_what_has_ended_before_its_capture_begins_is_not_lost(
    branch: Branch, enter: Enter, stack: Stack, tmp_path: Path
) -> None:
    meeting = await branch.meeting(record=True)
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        await host.heard("recordingState")
        await host.publish("microphone")
        hall = stack.signaling._halls.get(meeting)
        assert hall is not None
        session = hall.session(host.answer["peerId"])
        assert session is not None
        (publication,) = session.publications.values()
        publication.producer.close()
        hall.let_hear(session, publication)
        await host.call("endMeeting")
        await host.heard("meetingEnded")
    assert (await captured(stack, tmp_path)).lost == []


async def captured(stack: Stack, folder: Path) -> SegmentRecord:
    """What was written down of the only meeting, once it has ended."""
    await stack.signaling._background.finish()
    (journal,) = (folder / "recordings").rglob("journal.jsonl")
    segment = read_segment(journal.parent)
    assert segment is not None
    return segment
