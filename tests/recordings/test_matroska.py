"""Captured files can be read wherever they end."""

from pathlib import Path

import av
import pytest
from av.error import FFmpegError

from recordings.capture.codecs.frames import Frame
from recordings.capture.codecs.registry import find_codec
from recordings.capture.matroska import TICKS_PER_SECOND, MatroskaTrack
from tests.recordings.publishers import RED, encode_audio, encode_video, sine, solid


def write(path: Path, count: int = 75, spacing: int = 3_600) -> list[bytes]:
    codec = find_codec("vp8")
    assert codec is not None
    frames = [
        Frame(data, key, (320, 180) if key else None)
        for data, key in encode_video(solid(RED), count / 25, "vp8", (320, 180), 25, frozenset({0, 50}))
    ]
    file = MatroskaTrack(path, codec, 90_000, frames[0])
    for index, frame in enumerate(frames):
        file.add(frame, index * spacing)
        if index % 4 == 3:
            file.flush()
    file.close()
    return [frame.data for frame in frames]


def read(path: Path) -> list[tuple[float, bytes, bool]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        return [
            (float(packet.pts * stream.time_base), bytes(packet), packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    data = write(tmp_path / "a.mkv")
    found = read(tmp_path / "a.mkv")
    assert [packet for _, packet, _ in found] == data
    assert [time for time, _, _ in found] == pytest.approx([index / 25 for index in range(75)], abs=1e-4)
    assert [index for index, (_, _, key) in enumerate(found) if key] == [0, 50]


def test_long_pauses_stay_pauses(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", count=10, spacing=3_600 * 90_000)
    assert [time for time, _, _ in read(tmp_path / "a.mkv")] == pytest.approx(
        [index * 3_600 for index in range(10)]
    )


@pytest.mark.parametrize("share", [0.2, 0.41, 0.5, 0.77, 0.9, 0.999])
def test_a_file_cut_off_anywhere_gives_what_comes_before(tmp_path: Path, share: float) -> None:
    data = write(tmp_path / "a.mkv")
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[: int(len(whole) * share)])
    found = [packet for _, packet, _ in read(tmp_path / "b.mkv")]
    # The last block may be cut off, and then comes as far as it goes or not at all.
    assert found[:-1] == data[: len(found) - 1]
    assert len(found) >= int(len(data) * share) - 25  # the first key frame takes more room than the others


def test_a_file_cut_off_in_its_head_is_no_file(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv")
    (tmp_path / "b.mkv").write_bytes((tmp_path / "a.mkv").read_bytes()[:40])
    with pytest.raises(FFmpegError):
        read(tmp_path / "b.mkv")


def test_frames_of_one_time_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", count=5, spacing=0)
    times = [round(time * TICKS_PER_SECOND) for time, _, _ in read(tmp_path / "a.mkv")]
    assert times == [0, 1, 2, 3, 4]


def test_sound_decodes(tmp_path: Path) -> None:
    codec = find_codec("opus")
    assert codec is not None
    frames = [Frame(data, key=True) for _, data in encode_audio(sine(440), 1.0)]
    file = MatroskaTrack(tmp_path / "a.mkv", codec, 48_000, frames[0])
    for index, frame in enumerate(frames):
        file.add(frame, index * 960)
    file.close()
    with av.open(str(tmp_path / "a.mkv")) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == 48_000
