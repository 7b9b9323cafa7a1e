"""Whole films, decoded and looked at."""

import random
import subprocess
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from recordings.compose import hls
from recordings.compose.composer import NothingToCompose, compose
from recordings.compose.film import Reel, join
from recordings.compose.layout import Cast, arrange
from recordings.compose.report import Exit, Failed, parse
from recordings.compose.verify import index_first, verify
from recordings.composing import process
from recordings.states import Failure
from recordings.tracks import TrackSource
from tests.recordings.av1 import Colour
from tests.recordings.conftest import small_files
from tests.recordings.films import overwrite, playable, sounding
from tests.recordings.meetings import Meeting, Watched, composed, track, watch
from tests.recordings.publishers import (
    BLACK,
    BLUE,
    CYAN,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Publisher,
    silence,
    sine,
    solid,
)

EVEN = 10 ** (-16 / 20)  # the amplitude of a tone alone at -16 LUFS

PEOPLE: list[tuple[str, Colour, str, float]] = [
    ("张建国", RED, "vp8", 440.0),
    ("李秀英", GREEN, "h264", 660.0),
    ("王小明", BLUE, "vp9", 880.0),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watched]:
    """Three people with three codecs and three clocks; the network loses and reorders."""
    folder = tmp_path_factory.mktemp("film")
    meeting = Meeting(folder)
    chance = random.Random(3)  # noqa: S311 - the same every time
    for index, (name, colour, codec, frequency) in enumerate(PEOPLE):
        person = Publisher(ntp=3_900_000_000.0 + index * 7_777)
        video = person.video(solid(colour), 4.0, codec=codec, key_frames=range(0, 100, 20), start=0.1 * index)
        audio = person.audio(sine(frequency), 4.0, start=0.1 * index)
        for stream in (video, audio):
            stream.sent = [item for item in stream.sent if item.arrival < 1 or chance.random() > 0.01]
            for item in stream.sent[1:]:
                item.arrival += chance.random() * 0.05
            stream.sent.sort(key=lambda item: item.arrival)
        meeting.join(
            (track(video, f"p{index}", TrackSource.CAMERA, name), video),
            (track(audio, f"p{index}", TrackSource.MICROPHONE, name), audio),
        )
    meeting.run()
    meeting.end()
    result, path = composed(folder)
    assert result.failure is None
    return path, watch(path)


def test_everybody_is_in_the_picture(film: tuple[Path, Watched]) -> None:
    for moment in (1.0, 2.0, 3.5):
        for _, colour, _, _ in PEOPLE:
            assert 0.15 < film[1].share(colour, moment) < 0.25


def test_every_voice_is_in_the_sound(film: tuple[Path, Watched]) -> None:
    for _, _, _, frequency in PEOPLE:
        assert film[1].loudness(frequency, 1.0, 3.0) == pytest.approx(EVEN / 3**0.5, abs=0.03)
    assert film[1].loudness(1_500.0, 1.0, 3.0) < 0.02


def test_names_stand_under_the_pictures(film: tuple[Path, Watched]) -> None:
    """White letters in the strips: as many bright spots under the picture as three characters make."""
    frame = film[1].frame_at(2.0)
    strip = frame[328:356, 70:634]
    assert 150 < (strip > 180).sum() < 1_500
    assert (frame[364:376, 70:330] > 180).sum() == 0


def test_the_film_plays_in_every_browser(film: tuple[Path, Watched]) -> None:
    path, watched = film
    assert index_first(path)
    assert verify(path, watched.times[-1] + 0.04) > 4
    assert max(np.diff([*watched.key_frames, watched.times[-1]])) <= 2.0 + 1e-6
    assert np.diff(watched.times).max() == pytest.approx(0.08, abs=1e-3), (
        "what stands is not encoded twice running"
    )
    head = path.read_bytes()[:4096]
    assert b"avc1" in head
    assert b"mp4a" in head


def pulse(seconds: float) -> bool:
    return seconds % 1.0 >= 0.5 and seconds % 1.0 < 0.6


def test_flash_and_beep_stay_together_whatever_the_network_does(tmp_path: Path) -> None:
    """The pictures come 250 ms later than the sound of the same moment; the publisher's clock is hours off."""
    person = Publisher(ntp=1_234_567.0)
    video = person.video(lambda at: WHITE if pulse(at) else BLACK, 4.0, delay=0.28)
    audio = person.audio(
        lambda at: np.where((at % 1.0 >= 0.5) & (at % 1.0 < 0.6), sine(1_000, 0.8)(at), 0), 4.0
    )
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(video, "a", TrackSource.CAMERA), video), (track(audio, "a", TrackSource.MICROPHONE), audio)
    )
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    bright = [
        time for time, frame in zip(watched.times, watched.frames, strict=True) if frame[300, 600] > 150
    ]
    loud = np.flatnonzero(np.abs(watched.samples) > 0.3) / 48_000
    flashes = [time for index, time in enumerate(bright) if index == 0 or time - bright[index - 1] > 0.3]
    beeps = [time for index, time in enumerate(loud) if index == 0 or time - loud[index - 1] > 0.3]
    assert len(flashes) == len(beeps) == 4
    # A picture is shown from its frame on, 40 ms; DOMAIN asks for 80.
    assert np.abs(np.array(flashes) - np.array(beeps)).max() <= 0.045


def test_without_reports_the_arrival_is_what_counts(tmp_path: Path) -> None:
    person = Publisher()
    video = person.video(solid(RED), 1.0, start=1.0, reports=False)
    audio = person.audio(sine(440), 2.0, reports=False)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(audio, "a", TrackSource.MICROPHONE), audio), (track(video, "a", TrackSource.CAMERA), video)
    )
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    assert watched.share(RED, 0.9) == 0
    assert watched.share(RED, 1.1) > 0.5


def framed(frame: np.ndarray, cameras: int) -> list[bool]:
    """Around which of the pictures, of so many, there is the border of whoever speaks."""
    places = [tile.picture for tile in arrange(Cast(cameras=tuple("abc"[:cameras])))]
    sides = [frame[at.y : at.y + at.height, at.x - 4 : at.x] for at in places]
    return [bool(side.mean() > 100) for side in sides]


def test_who_comes_and_goes_comes_and_goes_and_who_speaks_is_framed(tmp_path: Path) -> None:
    first, second = Publisher(), Publisher(ntp=5.0)
    stays, voice = first.video(solid(RED), 4.0), first.audio(sine(440), 1.0)
    comes, other = second.video(solid(GREEN), 1.0, start=1.0), second.audio(sine(660), 1.0, start=1.0)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(stays, "a", TrackSource.CAMERA), stays), (track(comes, "b", TrackSource.CAMERA), comes),
        (track(voice, "a", TrackSource.MICROPHONE), voice), (track(other, "b", TrackSource.MICROPHONE), other),
    )  # fmt: skip
    meeting.run(2.1)
    meeting.capture.remove("b-camera", meeting.now_us)
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    shares = [watched.share(RED, moment) for moment in (0.5, 1.5, 3.0)]
    assert shares[0] == shares[2] > 0.8
    assert shares[1] < 0.5
    assert [watched.share(GREEN, moment) > 0.2 for moment in (0.5, 1.5, 3.0)] == [
        False,
        True,
        False,
    ]
    assert framed(watched.frame_at(0.5), 1) == [False], "alone in the picture, nobody needs a frame"
    assert framed(watched.frame_at(1.8), 2) == [False, True]


def test_a_shared_screen_is_large_and_stands_while_nothing_moves(tmp_path: Path) -> None:
    person, other = Publisher(), Publisher(ntp=5.0)
    camera = person.video(solid(RED), 4.0)
    screen = other.video(solid(CYAN), 0.2, size=(480, 360), start=1.0)  # then it stands still
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(camera, "a", TrackSource.CAMERA), camera), (track(screen, "b", TrackSource.SCREEN), screen)
    )
    meeting.run(3.0)
    meeting.capture.remove("b-screen", meeting.now_us)
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    assert [watched.share(CYAN, moment) > 0.6 for moment in (0.5, 1.5, 2.8, 3.5)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert 0.02 < watched.share(RED, 2.8) < 0.06
    # 4:3 is not stretched: 904 pixels wide at most.
    row = watched.frame_at(2.0)[300, :1016]
    assert 880 < (np.abs(row.astype(int) - CYAN[0]) < 20).sum() < 920


def test_a_picture_that_stands_still_moves_to_its_new_place(tmp_path: Path) -> None:
    person, other = Publisher(), Publisher(ntp=5.0)
    screen = other.video(solid(CYAN), 0.2)
    camera = person.video(solid(RED), 1.0, start=1.0)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(screen, "b", TrackSource.SCREEN), screen), (track(camera, "a", TrackSource.CAMERA), camera)
    )
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    alone, beside = (np.abs(watched.frame_at(at)[360, :].astype(int) - CYAN[0]) < 20 for at in (0.5, 1.5))
    assert alone.sum() > 1_150
    assert 950 < beside.sum() < 1_050
    assert beside[:1_000].all() or beside[40:1_000].all()
    assert watched.share(RED, 1.5) > 0.02


def test_who_is_only_heard_has_a_card_with_the_name(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    for index, name in enumerate(("赵淑芬", "Zoë")):
        audio = Publisher(ntp=index * 100.0).audio(sine(300 + 300 * index), 1.5)
        meeting.join((track(audio, f"p{index}", TrackSource.MICROPHONE, name), audio))
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    frame = watched.frame_at(1.0)
    left, right = frame[200:520, 8:632], frame[200:520, 648:1272]
    assert (left > 180).sum() > (right > 180).sum() > 200
    assert watched.loudness(300, 0.3, 1.3) == pytest.approx(EVEN / 2**0.5, abs=0.03)
    assert watched.loudness(600, 0.3, 1.3) == pytest.approx(EVEN / 2**0.5, abs=0.03)


def test_a_restart_is_shown_as_an_interruption_and_both_sides_are_there(tmp_path: Path) -> None:
    for number, (colour, frequency, away) in enumerate(((RED, 440.0, 0), (GREEN, 880.0, 95)), start=1):
        person = Publisher()
        video, audio = person.video(solid(colour), 1.5), person.audio(sine(frequency), 1.5)
        meeting = Meeting(tmp_path, number, timedelta(seconds=away))
        meeting.join(
            (track(video, "a", TrackSource.CAMERA), video), (track(audio, "a", TrackSource.MICROPHONE), audio)
        )
        meeting.run()
        if number == 2:
            meeting.end()  # the first was killed
    result, path = composed(tmp_path)
    watched = watch(path)
    assert result.duration == pytest.approx(1.5 + 3.0 + 2.1, abs=0.2)
    assert watched.share(RED, 1.0) > 0.8
    notice = watched.frame_at(3.0)[:720]
    assert (notice > 180).sum() > 1_000
    assert (notice < 40).mean() > 0.95
    assert watched.share(GREEN, 5.5) > 0.8
    assert watched.loudness(880, 4.8, 5.8) == pytest.approx(EVEN, abs=0.03)
    assert np.abs(watched.samples[int(1.7 * 48_000) : int(4.3 * 48_000)]).max() < 0.01


def test_a_file_cut_off_by_a_kill_is_composed_as_far_as_it_goes(tmp_path: Path) -> None:
    video, audio = Publisher().video(solid(YELLOW), 3.0), Publisher().audio(sine(440), 3.0)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(video, "a", TrackSource.CAMERA), video), (track(audio, "a", TrackSource.MICROPHONE), audio)
    )
    meeting.run(2.5)
    for path in meeting.segment_folder.iterdir():  # in the middle of a write
        path.write_bytes(path.read_bytes()[:-7])
    result, path = composed(tmp_path)
    assert result.failure is None
    assert result.duration == pytest.approx(2.4, abs=0.25)
    assert watch(path).share(YELLOW, 2.0) > 0.8


def test_what_cannot_be_read_is_said_and_the_rest_composed(tmp_path: Path) -> None:
    video, audio = Publisher().video(solid(YELLOW), 1.0), Publisher().audio(sine(440), 1.0)
    meeting = Meeting(tmp_path)
    meeting.join(
        (track(video, "a", TrackSource.CAMERA), video), (track(audio, "a", TrackSource.MICROPHONE), audio)
    )
    meeting.run()
    meeting.end()
    (meeting.segment_folder / "0001-camera.mkv").write_bytes(b"no Matroska" * 50)
    result, path = composed(tmp_path)
    assert result.failure is Failure.CAPTURE_UNREADABLE
    assert watch(path).loudness(440, 0.2, 0.8) > 0.12


def test_nothing_captured_is_said(tmp_path: Path) -> None:
    Meeting(tmp_path).end()
    with pytest.raises(NothingToCompose) as told:
        compose(tmp_path, lambda _share: None)
    assert told.value.failure is Failure.NOTHING_CAPTURED
    assert not list(tmp_path.glob("meeting*"))


def test_a_film_that_is_not_whole_is_not_passed_on(film: tuple[Path, Watched], tmp_path: Path) -> None:
    whole = film[0].read_bytes()
    for name, data in {
        "cut.mp4": whole[: len(whole) // 2],
        "empty.mp4": b"",
        "late index.mp4": whole.replace(b"moov", b"free", 1),
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=r"index|play|no (video|audio) at"):
            verify(tmp_path / name, film[1].times[-1])
    with pytest.raises(ValueError, match="long instead of"):
        verify(film[0], 100.0)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.75, 0.85])
def test_a_film_whose_end_was_cut_off_is_not_whole_however_much_still_plays(
    film: tuple[Path, Watched], tmp_path: Path, kept: float
) -> None:
    whole = film[0].read_bytes()
    media = whole.index(b"mdat")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: media + round((len(whole) - media) * kept)])
    with av.open(str(cut)) as container:
        assert float(container.duration or 0) / av.time_base > 4, "the index says that all of it is there"
    with pytest.raises(ValueError, match=r"play|no (video|audio) at"):
        verify(cut, film[1].times[-1])


@pytest.mark.parametrize("hole", [(3.0, 7.0), (4.6, 4.7), (9.5, 9.6)])
def test_a_film_with_a_hole_is_not_whole(tmp_path: Path, hole: tuple[float, float]) -> None:
    """As a disk leaves it that lost what it had not written: some packets are zeros, and those around them are not."""
    path = playable(tmp_path / "film.mp4", frames=250)
    assert verify(path, 10.0) == pytest.approx(10.0, abs=0.1)
    with av.open(str(path)) as container:
        lost = [
            (one.pos or 0, one.size)
            for one in container.demux()
            if one.dts and hole[0] < one.dts * one.time_base < hole[1]
        ]
    for position, size in lost:
        overwrite(path, position, bytes(size))
    with pytest.raises(ValueError, match=r"play|no (video|audio) at"):
        verify(path, 10.0)


def test_a_film_whose_pictures_begin_after_its_sound_is_whole(tmp_path: Path) -> None:
    """As one whose first pictures were torn out is packaged for players that change between sizes."""
    film, sound = (sounding(tmp_path / f"{length}.mp4", 0.1, seconds=length) for length in (10, 12))
    playlist = tmp_path / "240p.m3u8"
    late = Reel([(60, film)], sound, 12.4)
    join(late, playlist, "hls", hls._options(playlist.with_suffix(".m4s")), ())
    assert verify(playlist, None) == pytest.approx(12.4, abs=0.2)


def test_a_disk_without_room_for_the_film_is_told_from_a_mistake(tmp_path: Path) -> None:
    audio = Publisher().audio(sine(440), 3.0)
    meeting = Meeting(tmp_path / "recording")
    meeting.join((track(audio, "a", TrackSource.MICROPHONE), audio))
    meeting.run()
    meeting.end()
    command = process.command(tmp_path / "recording", 0)[:-1]  # nobody supervises
    with small_files(10_000):
        done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == Exit.DISK_FULL, done.stderr.decode()
    report = parse(done.stdout.splitlines()[-1])
    assert isinstance(report, Failed)
    assert report.failure is Failure.DISK_FULL
    assert not list((tmp_path / "recording").glob("*.mp4"))


def test_silence_is_a_film_too(tmp_path: Path) -> None:
    audio = Publisher().audio(silence, 1.0)
    meeting = Meeting(tmp_path)
    meeting.join((track(audio, "a", TrackSource.MICROPHONE), audio))
    meeting.run()
    meeting.end()
    assert composed(tmp_path)[0].duration == pytest.approx(1.6, abs=0.1)
