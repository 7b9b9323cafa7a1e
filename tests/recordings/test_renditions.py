"""What a composition makes beside the pictures and sounds themselves, and that it goes on where it was killed."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from recordings.compose.brief import AgendaMark, Brief, Wish, read_brief, write_brief
from recordings.compose.composer import compose
from recordings.compose.loudness import RATE, TARGET_LUFS
from recordings.compose.report import Finished, parse
from recordings.compose.sound import FILM_SOUND, POOR_SOUND, even_sound, mix_sound, read_speech
from recordings.compose.story import TITLE_SECONDS, read_story
from recordings.compose.verify import decode_second
from recordings.composing import process
from recordings.folders import bytes_of
from recordings.renditions import (
    COMPOSING_FOLDER,
    FILE_NAMES,
    PLAYLIST_TYPE,
    SEGMENT_TYPE,
    Rendition,
    content_type,
    is_hls_file,
)
from recordings.tracks import TrackSource
from tests.recordings.conftest import small_files
from tests.recordings.killing import killed_after
from tests.recordings.meetings import STARTED, Meeting, Watched, composed, loudness_of, track, watch
from tests.recordings.publishers import BLUE, GREEN, RED, Publisher, sine, solid

SECONDS = 9.0
BRIEF = Brief(
    title="十一月主题党日：学习党的二十届四中全会精神",
    organization="中共东湖村支部委员会",
    date="2026 年 11 月 23 日 20:00",
    marks=(
        AgendaMark((STARTED + timedelta(seconds=1)).isoformat(), "太早的一项"),
        AgendaMark((STARTED + timedelta(seconds=7)).isoformat(), "二、讨论"),
    ),
    hls_seconds=0.0,
    part_seconds=4.0,
)


def two_people(folder: Path, seconds: float, loud: tuple[float, float] = (0.3, 0.03)) -> None:
    """One speaks loudly into the microphone, one is far away from it; the first one's camera is on all the time."""
    meeting = Meeting(folder)
    for index, (colour, loudness) in enumerate(zip((RED, GREEN), loud, strict=True)):
        person = Publisher(ntp=index * 100.0)
        video = person.video(solid(colour), seconds, key_frames=range(0, round(seconds * 25), 50))
        audio = person.audio(sine(440 * (index + 1), loudness), seconds)
        meeting.join(
            (track(video, f"p{index}", TrackSource.CAMERA, "张建国"), video),
            (track(audio, f"p{index}", TrackSource.MICROPHONE, "张建国"), audio),
        )
    meeting.run()
    meeting.end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Composed with everything there is."""
    made = tmp_path_factory.mktemp("recording")
    two_people(made, SECONDS)
    result, _ = composed(made, BRIEF)
    assert set(result.outputs.sizes) == set(Rendition)
    return made


@pytest.fixture(scope="module")
def film(folder: Path) -> Watched:
    return watch(folder / "meeting.mp4")


def test_the_film_begins_with_its_title(film: Watched) -> None:
    card = film.frame_at(1.0)[:720]
    assert (card < 40).mean() > 0.9
    assert 4_000 < (card > 180).sum() < 60_000
    assert np.abs(film.samples[: int((TITLE_SECONDS - 0.1) * RATE)]).max() < 0.01
    assert film.share(RED, TITLE_SECONDS + 0.5) > 0.2


def test_the_film_has_chapters(folder: Path) -> None:
    with av.open(str(folder / "meeting.mp4")) as container:
        chapters = [
            (float(one["start"] * (one["time_base"] or 0)), one["metadata"]["title"])
            for one in container.chapters()
        ]
    assert [title for _, title in chapters] == [BRIEF.title, "二、讨论"]
    assert chapters[1][0] == pytest.approx(TITLE_SECONDS + 7, abs=0.3)


def test_parts_are_joined_without_a_seam(film: Watched) -> None:
    assert np.diff(film.times).max() <= 0.08 + 1e-3
    for seam in (4, 8):
        assert seam in np.round(film.key_frames, 3)
        assert film.share(RED, seam + 0.04) == pytest.approx(film.share(RED, seam + 1.0), abs=0.01)


@pytest.mark.parametrize("rendition", [Rendition.FILM, Rendition.SOUND])
def test_its_loudness_is_what_the_norm_asks_for(folder: Path, rendition: Rendition) -> None:
    assert loudness_of(folder / FILE_NAMES[rendition]) == pytest.approx(TARGET_LUFS, abs=1.0)


def test_who_sits_far_from_the_microphone_is_heard_as_well(film: Watched) -> None:
    near, far = (film.loudness(frequency, 6.0, 12.0) for frequency in (440, 880))
    assert far > near / 2, "it was a tenth"


def test_sound_poster_and_preview_show_the_same(folder: Path) -> None:
    with av.open(str(folder / "sound.m4a")) as container:
        assert not container.streams.video
        assert float(container.duration or 0) / av.time_base == pytest.approx(13.6, abs=0.5)
    assert (folder / "sound.m4a").stat().st_size < 13.6 * 48_000 / 8
    poster = Image.open(folder / "poster.jpg")
    assert poster.size == (1280, 720)
    red = np.asarray(poster)[:, :, 0] > 150
    assert red.mean() > 0.15
    strip = Image.open(folder / "preview.jpg")
    assert strip.size == (6 * 160, 90)
    card, picture = (np.asarray(strip.crop((160 * n, 0, 160 * (n + 1), 90))) for n in (0, 4))
    assert (card > 100).mean() < 0.05 < (picture > 100).mean()


def test_a_player_finds_three_sizes_in_step(folder: Path) -> None:
    hls = folder / "hls"
    master = (hls / "master.m3u8").read_text()
    assert [line for line in master.splitlines() if not line.startswith("#")] == [
        "240p.m3u8", "480p.m3u8", "720p.m3u8",
    ]  # fmt: skip
    lengths = []
    for name, height in (("240p", 240), ("480p", 480), ("720p", 720)):
        playlist = (hls / f"{name}.m3u8").read_text().splitlines()
        assert playlist[-1] == "#EXT-X-ENDLIST"
        lengths.append([line for line in playlist if line.startswith("#EXTINF")])
        assert {line for line in playlist if not line.startswith("#")} == {f"{name}.m4s"}
        with av.open(str(hls / f"{name}.m4s")) as container:
            frames = list(container.decode(video=0))
        first, last = (each.time or 0.0 for each in (frames[0], frames[-1]))
        assert (round((last - first) * 25), frames[0].height) == (339, height)
    assert lengths[0] == lengths[1] == lengths[2]


@pytest.mark.parametrize("name", ["meeting.mp4", "hls/240p.m3u8", "hls/720p.m3u8"])
def test_a_whole_film_is_found_whole_wherever_its_middle_and_its_end_lie(folder: Path, name: str) -> None:
    """FFmpeg seeks in a playlist in another way than in a file; each time at another place between key frames."""
    with av.open(str(folder / name)) as container:
        length = float(container.duration or 0) / av.time_base
        assert length == pytest.approx(SECONDS + TITLE_SECONDS, abs=0.7)
    for kind in ("video", "audio"):
        for begin in np.arange(0.0, length - 1.0, 0.7):
            decode_second(folder / name, kind, float(begin))


def test_the_master_playlist_says_what_a_player_must_decode_and_carry(folder: Path) -> None:
    hls = folder / "hls"
    said = re.findall(
        r'BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),RESOLUTION=(\d+)x(\d+),FRAME-RATE=25.000,CODECS="([^"]+)"\n(\S+)\n',
        (hls / "master.m3u8").read_text(),
    )
    assert len(said) == 3
    for most, average, width, height, codecs, playlist in said:
        with av.open(str(hls / playlist)) as container:
            pictures, sound = container.streams.video[0], container.streams.audio[0]
            assert (pictures.width, pictures.height) == (int(width), int(height))
            # RFC 6381: Main is profile 77, compatible with what constraint_set1 says; level 3.1.
            assert (pictures.codec_context.profile, sound.codec_context.name) == ("Main", "aac")
            assert codecs == "avc1.4d401f,mp4a.40.2"
        parts = re.findall(r'BYTERANGE[:=]"?(\d+)@(\d+)', (hls / playlist).read_text())
        head, *segments = [int(size) for size, _ in parts]
        assert [int(begin) for _, begin in parts] == [sum((head, *segments)[:n]) for n in range(len(parts))]
        assert sum((head, *segments)) == (hls / playlist).with_suffix(".m4s").stat().st_size
        assert int(most) == pytest.approx(max(8 * size / 2 for size in segments[:-1]), abs=1)
        assert int(average) == pytest.approx(sum(8 * size for size in segments) / 13.6, rel=0.01)


def test_every_file_that_is_made_is_one_that_is_served(folder: Path) -> None:
    names = {path.name for path in (folder / "hls").iterdir()}
    assert len(names) == 7, "a playlist and a file of each size, and the master"
    assert {name for name in names if is_hls_file(name)} == names
    assert {content_type(name) for name in names} == {PLAYLIST_TYPE, SEGMENT_TYPE}


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../meeting.mp4", "720p.m3u8/", "720p.m3u8\n", "/etc/passwd", "720p", "master.m3u8.part", "0p.m3u8",
     "720p.mp4", "720p-1.m4s", "720p-٠٠٠٠٠.m4s", "720p-00000.mp4", "720p-00000.m4s\0", "work"],
)  # fmt: skip
def test_no_other_name_is_one(name: str) -> None:
    assert not is_hls_file(name)


@pytest.mark.parametrize(
    ("wishes", "shown"),
    [([(0.0, True)], False), ([(1.2, True)], False), ([(0.3, True), (0.8, False)], True)],
)
def test_whoever_asked_last_not_to_be_in_the_picture_has_a_card_all_the_time(
    tmp_path: Path, wishes: list[tuple[float, bool]], shown: bool
) -> None:
    meeting = Meeting(tmp_path)
    for index, colour in enumerate((RED, GREEN, BLUE)):
        video = Publisher(ntp=index * 100.0).video(solid(colour), 1.5)
        meeting.join((track(video, f"p{index}", TrackSource.CAMERA, "张建国"), video))
    for at, hidden in wishes:
        meeting.run(at)
        meeting.capture.wish("guest:p1", meeting.now_us, hidden=hidden)
    meeting.run()
    meeting.end()
    watched = watch(composed(tmp_path)[1])
    for moment in (0.2, 0.5, 1.0, 1.4):
        assert watched.share(RED, moment) > 0.15
        assert watched.share(BLUE, moment) > 0.15
        assert (watched.share(GREEN, moment) > 0.15) is shown


@pytest.mark.parametrize("clock_set", [timedelta(), timedelta(hours=-1)], ids=["", "set back before"])
@pytest.mark.parametrize(
    ("captured", "recorded", "later", "shown"),
    [
        (False, True, 0.1, False),
        (True, False, 0.1, True),
        (False, True, -0.1, True),
        (True, False, -0.1, False),
        (False, True, 0.0, False),
        (True, False, 0.0, False),
    ],
)
def test_of_what_the_records_and_the_captured_files_know_the_later_word_on_who_is_hidden_holds(
    tmp_path: Path, captured: bool, recorded: bool, later: float, shown: bool, clock_set: timedelta
) -> None:
    """Either may lack the last one: a database refuses, and so does a disk."""
    video = Publisher().video(solid(RED), 0.4)
    meeting = Meeting(tmp_path)
    meeting.join((track(video, "p1", TrackSource.CAMERA), video))
    meeting.run(0.2)
    meeting.clock_set = clock_set
    meeting.run()
    meeting.capture.wish("guest:p1", meeting.now_us, hidden=captured)
    at = meeting.clock() + timedelta(seconds=later)
    meeting.end()
    brief = Brief(wishes=(Wish("guest:p1", recorded, at.isoformat()), Wish("guest:p2", True, at.isoformat())))
    assert read_brief(write_brief(brief)) == brief
    (clip,) = read_story(tmp_path, brief).clips
    assert clip.hidden is not shown


def test_a_composition_that_is_killed_goes_on_where_it_was(tmp_path: Path, film: Watched) -> None:
    two_people(tmp_path, SECONDS)
    brief = Brief(BRIEF.title, BRIEF.organization, BRIEF.date, marks=BRIEF.marks, part_seconds=4.0)
    killed_after(tmp_path, COMPOSING_FOLDER, 2, brief)
    kept = {path: path.stat().st_ino for path in (tmp_path / COMPOSING_FOLDER).glob("720p-0000[01].mp4")}
    assert len(kept) == 2
    shares: list[float] = []
    inodes: dict[Path, int] = {}

    def report(share: float) -> None:
        shares.append(share)
        if not inodes:
            inodes.update({path: path.stat().st_ino for path in kept if path.exists()})

    compose(tmp_path, report, brief)
    assert inodes == kept, "what stood was made again"
    assert shares[0] > 0.15 + 0.8 * 8 / 13.6 - 0.1
    resumed = watch(tmp_path / "meeting.mp4")
    assert len(resumed.frames) == len(film.frames)
    for moment in (1.0, 5.0, 8.04, 9.0, 12.5):
        assert resumed.share(RED, moment) == pytest.approx(film.share(RED, moment), abs=0.01)
        assert resumed.share(GREEN, moment) == pytest.approx(film.share(GREEN, moment), abs=0.01)
    standing = (tmp_path / "meeting.mp4").stat().st_ino
    assert bytes_of(tmp_path / COMPOSING_FOLDER) < 2_000, "nothing but a note of what was made"
    shares.clear()
    compose(tmp_path, report, brief)  # killed before the records knew of it
    assert ((tmp_path / "meeting.mp4").stat().st_ino, shares) == (standing, [])
    (tmp_path / "sound.m4a").unlink()
    compose(tmp_path, report, brief)
    assert shares[0] == 0.0, "what is not there any more is made"


def test_sound_whose_encoding_was_killed_is_encoded_anew_and_mixed_once(tmp_path: Path) -> None:
    recording, work = tmp_path / "recording", tmp_path / "work"
    two_people(recording, 2.0)
    work.mkdir()
    assert list(mix_sound(read_story(recording).clips, 2.0, work)) == pytest.approx([0.0, 0.5])
    mixed = {path.name for path in work.iterdir()}
    assert read_speech(work) is not None
    for name in (FILM_SOUND, POOR_SOUND):
        (work / name).write_bytes(b"half of it")
    even_sound(work)
    whole = {name: (work / name).read_bytes() for name in (FILM_SOUND, POOR_SOUND)}
    for name in whole:
        assert loudness_of(work / name) == pytest.approx(TARGET_LUFS, abs=1.0)
    assert len(mixed & {path.name for path in work.iterdir()}) == len(mixed) - 1, (
        "the mix is kept for nothing"
    )
    even_sound(work)  # the pictures were killed after the sound was whole
    assert {name: (work / name).read_bytes() for name in whole} == whole
    assert read_speech(work) is not None
    (work / POOR_SOUND).unlink()  # killed while it was published
    assert read_speech(work) is None


def test_another_brief_begins_anew(tmp_path: Path) -> None:
    two_people(tmp_path, 3.0)
    brief = Brief(part_seconds=2.0)
    killed_after(tmp_path, COMPOSING_FOLDER, 1, brief)

    def begin(share: float) -> None:
        raise InterruptedError(share)

    with pytest.raises(InterruptedError) as begun:  # the rest is like any other
        compose(tmp_path, begin, replace(brief, date="今天"))
    assert begun.value.args == (0.0,)


def test_a_line_of_the_process_is_a_report(tmp_path: Path) -> None:
    two_people(tmp_path, 1.0)
    done = subprocess.run(
        [sys.executable, "-m", "recordings.compose", "--folder", str(tmp_path)],
        capture_output=True,
        check=True,
    )
    report = parse(done.stdout.splitlines()[-1])
    assert isinstance(report, Finished)
    assert report.outputs.sizes[Rendition.FILM] == (tmp_path / "meeting.mp4").stat().st_size


def test_who_makes_a_film_loads_nothing_of_the_records() -> None:
    """Each composition begins a process, whose start would take three times as long."""
    loaded = "import recordings.compose.__main__, sys; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_disk_that_fills_in_the_middle_keeps_the_film_there_was(tmp_path: Path) -> None:
    two_people(tmp_path, 1.0)
    composed(tmp_path)
    before = (tmp_path / "meeting.mp4").read_bytes()
    with small_files(2_000):
        done = subprocess.run(
            process.command(tmp_path, 0),
            input=write_brief(Brief(title="另一个")),
            capture_output=True,
            check=False,
        )
    assert done.returncode != 0
    assert (tmp_path / "meeting.mp4").read_bytes() == before
