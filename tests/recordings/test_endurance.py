"""What a long evening brings: silence, clocks that are set, other codecs and sizes, stalling lines, who comes again."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest

from recordings.capture.thread import monotonic_us
from recordings.center import RecordingCenter
from recordings.compose.mixer import read_seconds
from recordings.compose.segments import read_segment
from recordings.compose.story import Clip, read_story
from recordings.tracks import TrackSource
from tests.factories import FakeClock
from tests.recordings.conftest import MakeMeeting
from tests.recordings.hours import silent_but_at
from tests.recordings.meetings import Meeting, composed, track, watch
from tests.recordings.onsets import beeps
from tests.recordings.publishers import BLUE, GREEN, RED, Publisher, Stream, sine, solid

pytestmark = pytest.mark.one_engine
HOUR: Final = 3_600.0
CAMERA, MICROPHONE = TrackSource.CAMERA, TrackSource.MICROPHONE


def times(path: Path) -> list[float]:
    """Of every packet of a captured file."""
    with av.open(str(path)) as container:
        stream = container.streams[0]
        base = float(stream.time_base or 0)
        return [p.pts * base for p in container.demux(stream) if p.size and p.pts is not None]


def continued(streams: Iterable[Stream]) -> Stream:
    """What several encoders send by one producer, one after the other."""
    first, *rest = streams
    for stream in rest:
        first.sent += stream.sent
    return first


def only_clip(folder: Path) -> Clip:
    (clip,) = read_story(folder).clips
    return clip


@pytest.mark.parametrize("dtx", [True, False])
@pytest.mark.parametrize("skew", [200e-6, -200e-6])
def test_after_an_hour_of_silence_a_word_stands_where_it_was_said(
    tmp_path: Path, skew: float, *, dtx: bool
) -> None:
    stream = silent_but_at(Publisher(skew=skew), HOUR + 10, HOUR, dtx=dtx)
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", MICROPHONE), stream))
    meeting.run()
    meeting.end()
    assert (meeting.counters.lost, meeting.counters.malformed) == (0, 0)
    story = read_story(tmp_path)
    assert story.failure is None
    assert beeps(only_clip(tmp_path), 0, HOUR + 5) == pytest.approx([0.0, HOUR], abs=0.08)
    size = sum(path.stat().st_size for path in meeting.segment_folder.iterdir())
    assert size < 1_000_000, "silence costs next to nothing"


async def test_a_server_whose_clock_is_set_during_a_meeting_loses_no_second(
    center: RecordingCenter, make_meeting: MakeMeeting, clock: FakeClock, tmp_path: Path
) -> None:
    meeting = await make_meeting()
    recorder = await center.open(meeting.id)
    assert recorder is not None
    begun = monotonic_us()
    for name, hours in (("a", 5), ("b", -9), ("c", 4)):
        stream = Publisher().audio(sine(440), 1.0)
        stream.feed(1e9, begun)
        recorder.track_added(track(stream, name, MICROPHONE))
        clock.advance(timedelta(hours=hours))
    await center.finish(meeting.id)
    elapsed = (monotonic_us() - begun) / 1e6
    (folder,) = (tmp_path / "recordings").glob("*/segment-0001")
    record = read_segment(folder)
    assert record is not None
    assert record.ended is not None
    assert 0 <= record.ended <= elapsed + 0.1
    for number in (1, 2, 3):
        found = times(folder / f"{number:04d}-microphone.mkv")
        assert found == pytest.approx(np.arange(50) * 0.02, abs=2e-4)
    assert read_story(folder.parent).duration < elapsed + 2.0


@pytest.mark.parametrize("shift", [3_600.0, -3_600.0, 0.7, -0.7])
def test_a_publisher_whose_clock_is_set_stays_where_he_was(tmp_path: Path, shift: float) -> None:
    stream = Publisher().audio(sine(440), 20.0)
    for item in stream.sent:
        if item.report is not None and item.arrival > 10:
            ntp, timestamp, arrival = item.report
            item.report = (ntp + round(shift * (1 << 32)), timestamp, arrival)
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", MICROPHONE), stream))
    meeting.run()
    meeting.end()
    when = only_clip(tmp_path).when
    for second in (0.0, 9.0, 11.0, 19.0):
        assert when(second) - when(0.0) == pytest.approx(second, abs=0.02)


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264"])
def test_a_picture_that_grows_and_is_turned_fills_its_place_each_time(tmp_path: Path, codec: str) -> None:
    """As a browser does when the line gets better, and a phone that is turned."""
    person = Publisher()
    parts = []
    sent = 0
    for number, (colour, size) in enumerate(((RED, (640, 360)), (GREEN, (1280, 720)), (BLUE, (360, 640)))):
        part = person.video(
            solid(colour), 1.0, codec=codec, size=size, fps=4, start=float(number),
            first_sequence=(65_500 + sent) & 0xFFFF, first_timestamp=(0xFFFF_0000 + number * 90_000) & 0xFFFFFFFF,
        )  # fmt: skip
        sent += len(part.sent)
        parts.append(part)
    stream = continued(parts)
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", CAMERA), stream))
    meeting.run()
    meeting.end()
    assert meeting.counters.lost == 0
    watched = watch(composed(tmp_path)[1])
    assert [watched.share(RED, 0.7) > 0.8, watched.share(GREEN, 1.7) > 0.8] == [True, True]
    assert 0.25 < watched.share(BLUE, 2.7) < 0.35, "upright, and nothing of what stood there before beside it"
    assert watched.share(GREEN, 2.7) < 0.01


def test_a_camera_that_comes_again_with_another_codec_takes_its_own_place(tmp_path: Path) -> None:
    """The client closes its producer and makes another."""
    person = Publisher()
    first = person.video(solid(RED), 2.0, codec="vp8")
    again = person.video(solid(GREEN), 2.0, codec="h264", start=2.0)
    meeting = Meeting(tmp_path)
    meeting.join((track(first, "a", CAMERA), first))
    meeting.run(2.05)
    meeting.capture.remove("a-camera", meeting.now_us)
    meeting.join((track(again, "a", CAMERA), again))
    meeting.run()
    meeting.end()
    names = sorted(path.name for path in meeting.segment_folder.glob("*.mkv"))
    assert names == ["0001-camera.mkv", "0002-camera.mkv"]
    watched = watch(composed(tmp_path)[1])
    for moment in np.arange(0.1, 3.9, 0.1):
        red, green = watched.share(RED, moment), watched.share(GREEN, moment)
        assert max(red, green) > 0.8, f"one person, one picture at {moment:.1f}"
    assert watched.share(RED, 1.8) > 0.8
    assert watched.share(GREEN, 2.2) > 0.8


def test_who_drops_out_and_comes_back_is_not_there_meanwhile_and_then_in_time(tmp_path: Path) -> None:
    """The line is lost for seven seconds; the client makes its producers anew, with numbers of its own."""
    stays, person = Publisher(), Publisher(ntp=5.0)
    other = stays.video(solid(BLUE), 11.0, fps=5)
    first, sound = person.video(solid(RED), 2.0, fps=10), person.audio(sine(440), 2.0)
    again = person.video(solid(RED), 2.0, fps=10, start=9.0, first_sequence=7, first_timestamp=99)
    said = person.audio(sine(660), 2.0, start=9.0, first_sequence=9, first_timestamp=77)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(other, "b", CAMERA), other), (track(first, "a", CAMERA), first), (track(sound, "a", MICROPHONE), sound)
    )  # fmt: skip
    meeting.run(8.0)  # only then does the server give the old ones up
    meeting.capture.remove("a-camera", meeting.now_us)
    meeting.capture.remove("a-microphone", meeting.now_us)
    meeting.run(9.0)
    for stream, source in ((again, CAMERA), (said, MICROPHONE)):
        meeting.join((track(stream, "a", source), stream))
    meeting.run()
    meeting.end()
    story = read_story(tmp_path)
    assert story.failure is None
    spans = {clip.path.name: clip.spans for clip in story.clips}
    assert [span[0] for span in spans["0002-camera.mkv"]] == pytest.approx([0.02], abs=0.05)
    assert spans["0002-camera.mkv"][0][1] == pytest.approx(2.0, abs=0.1)
    assert list(spans["0004-camera.mkv"]) == [pytest.approx((9.0, 11.0), abs=0.1)]
    seconds = [second.samples for second in read_seconds(story.clips, 11)]
    power = [samples is not None and float(np.abs(samples).max()) > 0.05 for samples in seconds]
    assert power == [True, True, *[False] * 7, True, True]


@pytest.mark.parametrize("seconds", [8.0, 20.0])
def test_a_line_that_stalls_and_then_brings_everything_moves_nothing(tmp_path: Path, seconds: float) -> None:
    """As TCP does: nothing is lost, but it comes all at once, and then it is live again."""
    stream = Publisher().audio(sine(440), 40.0)
    for item in stream.sent:
        if 10.0 < item.arrival < 10.0 + seconds:
            item.arrival = 10.0 + seconds
            item.report = None
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", MICROPHONE), stream))
    meeting.run()
    meeting.end()
    assert meeting.counters.lost == 0
    assert times(meeting.segment_folder / "0001-microphone.mkv") == pytest.approx(
        np.arange(2_000) * 0.02, abs=2e-4
    )
    when = only_clip(tmp_path).when
    assert when(39.0) - when(5.0) == pytest.approx(34.0, abs=0.08)


@pytest.mark.parametrize("before", [0, 1, 45, 49])
@pytest.mark.parametrize("lost", [0, 4])
def test_numbers_wrap_anywhere(tmp_path: Path, before: int, lost: int) -> None:
    """Sequence number, timestamp and that of the reports begin anew after so many packets, some of them lost."""
    stream = Publisher().audio(
        sine(440), 2.0, first_sequence=(-before) & 0xFFFF, first_timestamp=(-before * 960) & 0xFFFFFFFF
    )
    begin = max(1, before - 2)
    del stream.sent[begin : begin + lost]
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", MICROPHONE), stream))
    meeting.run()
    meeting.end()
    assert meeting.counters.lost == lost
    wanted = [index * 0.02 for index in range(100) if not begin <= index < begin + lost]
    assert times(meeting.segment_folder / "0001-microphone.mkv") == pytest.approx(wanted, abs=2e-4)
    record = read_segment(meeting.segment_folder)
    assert record is not None
    for report in record.tracks[1].reports:
        assert report.ntp - 3_900_000_000.0 == pytest.approx(report.position, abs=1e-3)
