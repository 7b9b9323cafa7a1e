"""Capture: loss, order, pauses, bounds, the end of a disk."""

import errno
import random
import resource
import subprocess
import sys
from pathlib import Path

import av
import pytest
from structlog.testing import capture_logs

from recordings.capture.disk import AppendedFile
from recordings.compose.segments import read_segment
from recordings.states import Failure
from recordings.tracks import TrackSource
from tests.recordings.conftest import small_files
from tests.recordings.meetings import BASE_US, Meeting, track
from tests.recordings.publishers import (
    RED,
    BrokenTap,
    MemoryTap,
    Publisher,
    Stream,
    rtp,
    silence,
    sine,
    solid,
)


def packets(path: Path) -> list[tuple[float, bool]]:
    with av.open(str(path)) as container:
        stream = container.streams[0]
        assert stream.time_base is not None
        return [
            (float(packet.pts * stream.time_base), packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]


def camera(stream: Stream, peer: str = "a") -> tuple[object, Stream]:
    return track(stream, peer, TrackSource.CAMERA), stream


def recorded(
    tmp_path: Path, stream: Stream, source: TrackSource = TrackSource.CAMERA
) -> tuple[Meeting, Path]:
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", source), stream))
    meeting.run()
    meeting.end()
    return meeting, meeting.segment_folder / f"0001-{source.value}.mkv"


def test_each_track_gets_its_own_file_and_its_line_in_the_journal(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    person = Publisher()
    video, audio = person.video(solid(RED), 1.0), person.audio(sine(440), 1.0)
    meeting.join(
        (track(video, "a", TrackSource.CAMERA, "张三"), video),
        (track(audio, "a", TrackSource.MICROPHONE), audio),
    )
    meeting.run()
    meeting.end()
    assert len(packets(meeting.segment_folder / "0001-camera.mkv")) == 25
    assert len(packets(meeting.segment_folder / "0002-microphone.mkv")) == 50
    record = read_segment(meeting.segment_folder)
    assert record is not None
    assert [(t.display_name, t.source) for t in record.tracks.values()] == [
        ("张三", TrackSource.CAMERA),
        ("a", TrackSource.MICROPHONE),
    ]
    assert record.ended == pytest.approx(meeting.now)
    assert all(tap.closed for tap in (video.tap, audio.tap))


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
def test_packets_in_any_order_across_every_wrap_come_out_right(tmp_path: Path, codec: str) -> None:
    stream = Publisher().video(
        solid(RED), 2.0, codec=codec, first_sequence=65_520, first_timestamp=0xFFFF_FF00
    )
    chance = random.Random(1)  # noqa: S311 - the same every time
    for item in stream.sent[1:]:  # up to 120 ms late, each on its own
        item.arrival += chance.random() * 0.12
    stream.sent.sort(key=lambda item: item.arrival)
    meeting, path = recorded(tmp_path, stream)
    assert [time for time, _ in packets(path)] == pytest.approx([index / 25 for index in range(50)], abs=2e-4)
    assert meeting.counters.lost == 0


@pytest.mark.parametrize("codec", ["vp8", "vp9", "h264", "av1"])
def test_what_was_captured_can_be_decoded(tmp_path: Path, codec: str) -> None:
    _, path = recorded(tmp_path, Publisher().video(solid(RED), 1.0, codec=codec))
    with av.open(str(path)) as container:
        images = [image.to_ndarray(format="yuv420p") for image in container.decode(video=0)]
    assert [image.shape for image in images] == [(135, 160)] * 25
    assert all(abs(float(image[:90].mean()) - RED[0]) < 4 for image in images)


def test_pictures_begin_with_a_key_frame_that_was_asked_for(tmp_path: Path) -> None:
    stream = Publisher().video(solid(RED), 2.0, key_frames=(0, 30))
    first = next(index for index, item in enumerate(stream.sent) if item.arrival > 0.1)
    del stream.sent[:first]  # the recorder came late
    _, path = recorded(tmp_path, stream)
    time, key = packets(path)[0]
    assert key
    assert time == pytest.approx((30 - first) / 25, abs=0.05)
    assert stream.tap.key_frame_requests == 2  # at once, and again after a second


def test_after_a_loss_nothing_is_written_until_the_next_key_frame(tmp_path: Path) -> None:
    stream = Publisher().video(solid(RED), 3.0, key_frames=(0, 50))
    del stream.sent[next(i for i, item in enumerate(stream.sent) if item.arrival > 1.0)]
    meeting, path = recorded(tmp_path, stream)
    times = [time for time, _ in packets(path)]
    assert not [time for time in times if 1.0 <= time < 1.99]
    assert next(key for time, key in packets(path) if time > 1.5)
    assert len(times) == 25 + 25
    assert stream.tap.key_frame_requests >= 1
    assert meeting.counters.lost == 1


def test_a_lost_packet_of_sound_is_a_gap_of_its_own_length(tmp_path: Path) -> None:
    stream = Publisher().audio(sine(440), 1.0)
    del stream.sent[20:23]
    _, path = recorded(tmp_path, stream, TrackSource.MICROPHONE)
    times = [time for time, _ in packets(path)]
    assert len(times) == 47
    assert times[20] - times[19] == pytest.approx(0.08, abs=1e-3)


def test_after_a_pause_pictures_begin_with_a_key_frame(tmp_path: Path) -> None:
    stream = Publisher().video(solid(RED), 3.0, key_frames=(0, 60))
    stream.sent = [item for item in stream.sent if not 1.0 < item.arrival < 2.0]  # the server holds them back
    for number, item in enumerate(stream.sent):  # and numbers the rest anew
        item.data = item.data[:2] + ((65_500 + number) & 0xFFFF).to_bytes(2, "big") + item.data[4:]
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", TrackSource.CAMERA), stream))
    meeting.run(1.05)
    meeting.capture.pause("a-camera", meeting.now_us)
    meeting.run(2.0)
    meeting.capture.resume("a-camera", meeting.now_us)
    meeting.run()
    meeting.end()
    times = [time for time, _ in packets(meeting.segment_folder / "0001-camera.mkv")]
    assert [time for time in times if 1.0 < time < 2.5] == pytest.approx(
        [index / 25 for index in range(60, 63)], abs=0.01
    )
    record = read_segment(meeting.segment_folder)
    assert record is not None
    ((paused, resumed),) = record.tracks[1].pauses
    assert (paused, resumed) == pytest.approx((1.05, 2.0))


def test_a_change_of_resolution_goes_on_in_the_same_file(tmp_path: Path) -> None:
    person = Publisher()
    small = person.video(solid(RED), 1.0)
    large = person.video(
        solid(RED), 1.0, size=(640, 360), start=1.0, first_sequence=(65_500 + len(small.sent)) & 0xFFFF,
        first_timestamp=0xFFFF_0000 + 90_000,
    )  # fmt: skip
    small.sent += large.sent
    _, path = recorded(tmp_path, small)
    with av.open(str(path)) as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert sizes == [(160, 90)] * 25 + [(640, 360)] * 25


def test_a_publisher_who_begins_anew_goes_on_where_time_is(tmp_path: Path) -> None:
    person = Publisher()
    first = person.audio(sine(440), 1.0)
    again = person.audio(sine(440), 1.0, start=3.0, first_sequence=200, first_timestamp=1_000_000_000)
    first.sent += again.sent
    _, path = recorded(tmp_path, first, TrackSource.MICROPHONE)
    times = [time for time, _ in packets(path)]
    assert len(times) == 100
    assert times[50] == pytest.approx(3.0, abs=0.02)


def test_what_is_on_the_disk_at_any_moment_lacks_less_than_half_a_second(tmp_path: Path) -> None:
    """Nothing is closed: so much a kill leaves (one is in tests/server/test_crash.py), less what is not drained yet."""
    stream, sound = Publisher().video(solid(RED), 5.0), Publisher().audio(sine(440), 5.0)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(stream, "a", TrackSource.CAMERA), stream), (track(sound, "a", TrackSource.MICROPHONE), sound)
    )
    for moment in (1.3, 2.7, 4.1):
        meeting.run(moment)
        for name in ("0001-camera.mkv", "0002-microphone.mkv"):
            assert packets(meeting.segment_folder / name)[-1][0] > moment - 0.3
        record = read_segment(meeting.segment_folder)
        assert record is not None
        assert record.ended is None
        assert record.tracks[1].anchors
    meeting.end()


def test_packets_of_other_payload_types_and_no_packets_at_all_are_counted(tmp_path: Path) -> None:
    stream = Publisher().audio(silence, 0.5)
    stream.tap.packets = [(BASE_US, b""), (BASE_US, b"rubbish"), (BASE_US, rtp(13, 1, 1, b"comfort"))]
    meeting, _ = recorded(tmp_path, stream, TrackSource.MICROPHONE)
    assert (meeting.counters.malformed, meeting.counters.foreign, meeting.counters.packets) == (2, 1, 25)


def test_an_overflow_is_counted_always_and_logged_once(tmp_path: Path) -> None:
    stream = Publisher().audio(silence, 0.5)
    meeting = Meeting(tmp_path)
    meeting.join((track(stream, "a", TrackSource.MICROPHONE), stream))
    with capture_logs() as logs:
        for _ in range(3):
            stream.tap.overflow = 5
            meeting.run(meeting.now + 0.1)
    meeting.end()
    assert meeting.counters.overflowed == 15
    assert [entry["event"] for entry in logs] == ["capture_overflow"]


def test_a_codec_that_cannot_be_captured_is_given_back(tmp_path: Path) -> None:
    tap = MemoryTap("video/H265", 90_000, 45)
    meeting = Meeting(tmp_path)
    meeting.join((track(Stream(tap, []), "a", TrackSource.CAMERA), Stream(tap, [])))
    assert tap.closed
    assert meeting.capture.track_count == 0
    meeting.end()


def test_a_track_that_fails_costs_the_others_nothing(tmp_path: Path) -> None:
    broken, stream = BrokenTap("opus", 48_000, 111), Publisher().audio(silence, 0.5)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(Stream(broken, []), "b", TrackSource.MICROPHONE), Stream(broken, [])),
        (track(stream, "a", TrackSource.MICROPHONE), stream),
    )
    meeting.run()
    meeting.end()
    assert broken.closed
    assert len(packets(meeting.segment_folder / "0002-microphone.mkv")) == 25


def test_a_full_disk_ends_the_recording_and_keeps_what_there_is(tmp_path: Path) -> None:
    # 64 kbit/s of sound fill 100,000 bytes within ten seconds.
    stream, sound = Publisher().video(solid(RED), 5.0), Publisher().audio(sine(440), 15.0)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(stream, "a", TrackSource.CAMERA), stream), (track(sound, "a", TrackSource.MICROPHONE), sound)
    )
    with small_files(100_000):
        meeting.run()
    assert meeting.told.failures == [Failure.DISK_FULL]
    assert stream.tap.closed
    assert sound.tap.closed
    assert meeting.capture.track_count == 0
    kept = packets(meeting.segment_folder / "0002-microphone.mkv")
    assert kept[-1][0] > 8
    late = Publisher().audio(silence, 0.1)
    meeting.join((track(late, "b", TrackSource.MICROPHONE), late))
    assert late.tap.closed, "nothing is captured any more"
    meeting.end()
    assert meeting.told.failures == [Failure.DISK_FULL], "it is told once"


def test_too_little_free_space_ends_the_recording_before_the_disk_is_full(tmp_path: Path) -> None:
    stream = Publisher().audio(silence, 1.0)
    meeting = Meeting(tmp_path)
    meeting.capture._min_free_bytes = 1 << 62
    meeting.join((track(stream, "a", TrackSource.MICROPHONE), stream))
    meeting.run()
    assert meeting.told.failures == [Failure.DISK_FULL]
    record = read_segment(meeting.segment_folder)
    assert record is not None
    assert record.failure is Failure.DISK_FULL


LIMITED = """
import errno, resource, signal, sys
from pathlib import Path
from recordings.capture.disk import AppendedFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
file = AppendedFile(Path(sys.argv[1]))
try:
    for _ in range(30):
        file.write(bytes(100))
except OSError as error:
    print(errno.errorcode[error.errno], file.size)
file.close()
"""


def test_a_write_that_is_refused_in_the_middle_keeps_its_beginning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "file")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["EFBIG", "1000"]
    assert (tmp_path / "file").stat().st_size == 1000
    assert Failure.of(OSError(errno.EFBIG, "")) is Failure.DISK_FULL
    assert Failure.of(OSError(errno.EIO, "")) is Failure.DISK_FAILED


def test_files_are_not_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    recorded(tmp_path, Publisher().audio(silence, 0.2), TrackSource.MICROPHONE)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    file = AppendedFile(tmp_path / "file")
    file.close()
    file.close()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > before
