"""Disks that are full and disks that fail: how soon it is told, of sound alone, and what there is of it then."""

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from recordings.capture.disk import try_out
from recordings.compose.segments import read_segment
from recordings.states import Failure
from recordings.tracks import TrackSource
from tests.patience import PATIENCE_SECONDS
from tests.recordings.meetings import Meeting, track
from tests.recordings.publishers import Publisher, silence

SOON_SECONDS = 1.5


def quiet(tmp_path: Path, sync: Callable[[Path, Callable[[OSError | None], None]], None]) -> Meeting:
    """A meeting in which one microphone is open, and says nothing."""
    meeting = Meeting(tmp_path, sync=sync)
    sound = Publisher().audio(silence, 8.0)
    meeting.join((track(sound, "a", TrackSource.MICROPHONE), sound))
    return meeting


def told_after(meeting: Meeting) -> float:
    """Seconds of the meeting's time until a failure is told."""
    begun = meeting.now
    while not meeting.told.failures:
        assert meeting.now < begun + 5.0
        meeting.run(meeting.now + 0.1)
    return meeting.now - begun


def test_a_disk_that_fills_up_is_told_of_soon_though_hardly_anything_is_written(tmp_path: Path) -> None:
    meeting = quiet(tmp_path, lambda _path, done: done(None))
    meeting.run(3.3)
    meeting.capture._min_free_bytes = 1 << 62  # somebody fills it
    assert told_after(meeting) <= SOON_SECONDS
    assert meeting.told.failures == [Failure.DISK_FULL]


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EIO, Failure.DISK_FAILED), (errno.ENOSPC, Failure.DISK_FULL)]
)
def test_a_disk_that_takes_what_is_written_and_cannot_keep_it_is_told_of_soon(
    tmp_path: Path, number: int, reason: Failure
) -> None:
    """As one that breaks does, and a remote one that is full."""
    refusing = False

    def sync(_path: Path, done: Callable[[OSError | None], None]) -> None:
        done(OSError(number, "") if refusing else None)

    meeting = quiet(tmp_path, sync)
    meeting.run(3.3)
    refusing = True
    assert told_after(meeting) <= SOON_SECONDS
    assert meeting.told.failures == [reason]
    record = read_segment(meeting.segment_folder)
    assert record is not None
    assert record.failure is reason


def test_all_files_are_given_to_the_disk_in_turn_and_none_that_has_not_changed(tmp_path: Path) -> None:
    synced: list[str] = []

    def sync(path: Path, done: Callable[[OSError | None], None]) -> None:
        synced.append(path.stem)
        done(None)

    meeting = Meeting(tmp_path, sync=sync)
    for name in "abc":
        sound = Publisher().audio(silence, 3.0 if name == "c" else 12.0)
        meeting.join((track(sound, name, TrackSource.MICROPHONE), sound))
    meeting.run(20.0)
    meeting.end()
    assert {"journal", "0001-microphone", "0002-microphone", "0003-microphone"} == set(synced)
    assert 2 <= synced.count("0001-microphone") <= 6
    assert 1 <= synced.count("0003-microphone") <= 2, "it has been silent"
    assert len(synced) < 18, "nor is anything to be done when nothing is written"


def test_a_slow_disk_has_one_file_at_a_time(tmp_path: Path) -> None:
    pending: list[Callable[[OSError | None], None]] = []
    meeting = quiet(tmp_path, lambda _path, done: pending.append(done))
    meeting.run(6.0)
    assert len(pending) == 1
    pending.pop()(None)
    meeting.run(7.5)
    assert len(pending) == 1
    meeting.end()
    pending.pop()(OSError(errno.EIO, ""))
    assert meeting.told.failures == [], "the recording is at its end"


@pytest.mark.parametrize(
    ("refusal", "limit", "reason"), [("full", 50_000, "disk_full"), ("failing", 0, "disk_failed")]
)
def test_a_real_process_tells_of_a_disk_that_refuses_and_keeps_what_it_took(
    tmp_path: Path, refusal: str, limit: int, reason: str
) -> None:
    folder = tmp_path / "segment-0001"
    done = subprocess.run(
        [sys.executable, "-m", "tests.recordings.refusing_disk", str(folder), refusal, str(limit)],
        capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["reason"], told["closed"]) == (reason, True)
    with av.open(str(folder / "0001-microphone.mkv")) as container:
        packets = sum(1 for packet in container.demux() if packet.size)
    # 160 bytes a packet and its head; of a disk that only fails to sync, all that was there.
    assert 200 < packets < 300 if refusal == "full" else packets == 1_500
    record = read_segment(folder)
    assert record is not None
    assert record.failure is Failure(reason)


def test_a_disk_is_tried_out_before_capture_goes_on(tmp_path: Path) -> None:
    try_out(tmp_path / "new", 0)
    with pytest.raises(OSError, match="threshold") as refused:
        try_out(tmp_path / "new", 1 << 62)
    assert refused.value.errno == errno.ENOSPC
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        try_out(tmp_path / "file" / "new", 0)
