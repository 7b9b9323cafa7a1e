"""What is lost of a finished film is made of the film, and nothing else is made again."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from recordings.compose.brief import Brief, read_brief, write_brief
from recordings.compose.mending import Unmendable, fingerprint, mend
from recordings.compose.report import Finished
from recordings.compose.verify import SOUND, verify
from recordings.compose.work import Work
from recordings.folders import SOURCE_FOLDER, bytes_of
from recordings.renditions import COMPOSING_FOLDER, FILE_NAMES, Rendition
from recordings.states import Failure
from tests.recordings.killed_composition import mend_until_something_new
from tests.recordings.killing import in_a_process
from tests.recordings.meetings import composed
from tests.recordings.refused_mending import mend_on_full_disks, mend_without_files, mend_without_links
from tests.recordings.test_renditions import BRIEF, two_people

Break = Callable[[Path], None]
FILM, HLS = FILE_NAMES[Rendition.FILM], FILE_NAMES[Rendition.HLS]


def mended(folder: Path, standing: Finished) -> Finished:
    return mend(folder, standing, lambda _share: None)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    folder = tmp_path_factory.mktemp("recording")
    two_people(folder, 3.0)
    made, _ = composed(folder, BRIEF)
    return folder, made


@pytest.fixture
def standing(film: tuple[Path, Finished], tmp_path: Path) -> tuple[Path, Finished]:
    return shutil.copytree(film[0], tmp_path / "recording"), film[1]


def cut(name: str) -> Break:
    return lambda folder: os.truncate(folder / name, 1000)


def gone(name: str) -> Break:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("breaks", "same"),
    [
        ([gone("poster.jpg"), cut("preview.jpg")], "sound.m4a"),
        ([gone("sound.m4a"), cut("hls/240p.m4s"), gone("hls/master.m3u8")], "hls/480p.m4s"),
        ([gone("hls/720p.m3u8"), cut("hls/480p.m4s")], "hls/240p.m4s"),
    ],
)
def test_no_more_than_what_is_lost_is_made(
    standing: tuple[Path, Finished], breaks: list[Break], same: str
) -> None:
    folder, before = standing
    for each in breaks:
        each(folder)
    kept = [(folder / name).stat().st_ino for name in (FILM, same)]
    master = folder / "hls/master.m3u8"
    made = mended(folder, before)
    assert [(folder / name).stat().st_ino for name in (FILM, same)] == kept
    assert {one: bytes_of(folder / FILE_NAMES[one]) for one in Rendition} == made.outputs.sizes
    assert replace(made, outputs=before.outputs) == before
    verify(folder / "sound.m4a", before.duration, SOUND)
    assert master.read_text().count("#EXT-X-STREAM-INF") == 3
    lengths = []
    for size in ("240p", "480p", "720p"):
        verify(folder / f"hls/{size}.m3u8", before.duration)
        playlist = (folder / f"hls/{size}.m3u8").read_text().splitlines()
        lengths.append([line for line in playlist if line.startswith("#EXTINF")])
    assert lengths[0] == lengths[1] == lengths[2], "players change between them"
    with Image.open(folder / "poster.jpg") as poster:
        assert poster.size == (1280, 720)
    assert before.outputs.preview == made.outputs.preview


def test_of_a_film_that_does_not_play_everything_is_made_anew_where_it_can_be(
    standing: tuple[Path, Finished], tmp_path: Path
) -> None:
    folder, before = standing
    gone("poster.jpg")(folder)
    whole = (folder / FILM).read_bytes()
    half = len(whole) // 2
    (folder / FILM).write_bytes(whole[:half] + bytes(len(whole) - half))
    with pytest.raises(Unmendable, match="the film is not whole"):
        mended(folder, before)
    shutil.rmtree(folder / "segment-0001")
    gone("sound.m4a")(folder)
    stream = shutil.copytree(folder / HLS, tmp_path / HLS)
    made = mended(folder, before)
    assert made.failure is None, "its stream has the same pictures and sound"
    verify(folder / FILM, before.duration)
    verify(folder / "sound.m4a", before.duration, SOUND)
    (folder / FILM).write_bytes(whole[:half] + bytes(len(whole) - half))
    gone("sound.m4a")(folder)
    shutil.rmtree(folder / HLS)
    stream.rename(folder / HLS)
    cut(f"{HLS}/720p.m4s")(folder)
    made = mended(folder, before)
    assert made.failure is Failure.FILES_MISSING
    assert Rendition.SOUND not in made.outputs.sizes
    assert (folder / FILM).stat().st_size == made.outputs.sizes[Rendition.FILM], "what there is of it stays"


def lost_in_part(folder: Path) -> None:
    """Something of every kind, of the sizes the smallest."""
    for each in (gone("sound.m4a"), gone("poster.jpg"), cut("preview.jpg"), cut("hls/240p.m4s")):
        each(folder)


def test_a_mending_killed_before_each_change_of_its_folder_goes_on_to_the_whole_film(
    standing: tuple[Path, Finished], tmp_path: Path
) -> None:
    folder, before = standing
    for each in (gone("sound.m4a"), gone("poster.jpg"), cut("preview.jpg"), gone("hls/master.m3u8")):
        each(folder)
    log = tmp_path / "log"
    log.write_text("")
    film = (folder / FILM).stat().st_ino
    while (code := in_a_process(mend_until_something_new, folder, log, before)) != 0:
        assert code == -signal.SIGKILL
        assert (folder / FILM).stat().st_ino == film
        if (folder / "sound.m4a").exists():
            verify(folder / "sound.m4a", before.duration, SOUND)
        assert len(list((folder / HLS).glob("*"))) in {0, 6, 7}
    changes = log.read_text().splitlines()
    assert set(changes) == {
        "rmdir work", "mkdir work", "mkdir hls", "link #p.m3u8", "link #p.m4s", "rename finished.json.part",
        "rename sound.m4a", "rename poster.jpg", "rename preview.jpg", "rmdir hls", "rename hls",
    }  # fmt: skip
    placed = changes.index("rename sound.m4a")
    assert "mkdir hls" not in changes[placed:], "what is made is not made again"
    made = mended(folder, before)
    assert {one: bytes_of(folder / FILE_NAMES[one]) for one in Rendition} == made.outputs.sizes
    for size in ("240p", "480p", "720p"):
        verify(folder / f"hls/{size}.m3u8", before.duration)


def test_a_mending_on_a_full_disk_says_so_and_takes_nothing_away(standing: tuple[Path, Finished]) -> None:
    folder, before = standing
    lost_in_part(folder)
    sizes = before.outputs.sizes
    limits = [0, 100, 5_000, sizes[Rendition.SOUND] - 1, (folder / "hls/480p.m4s").stat().st_size // 3]
    assert in_a_process(mend_on_full_disks, folder, before, limits) == 0


def test_a_mending_that_may_open_no_more_files_says_so_and_takes_nothing_away(
    standing: tuple[Path, Finished],
) -> None:
    folder, before = standing
    lost_in_part(folder)
    shutil.rmtree(folder / "segment-0001")  # what cannot be made would be left out for good
    assert in_a_process(mend_without_files, folder, before, 4) == 0


def test_a_disk_without_hard_links_has_a_copy(standing: tuple[Path, Finished]) -> None:
    folder, before = standing
    gone("hls/240p.m4s")(folder)
    kept = (folder / "hls/720p.m4s").stat().st_ino
    assert in_a_process(mend_without_links, folder, before) == 0
    assert (folder / "hls/720p.m4s").stat().st_ino != kept
    verify(folder / "hls/720p.m3u8", before.duration)


def test_what_an_attempt_that_died_has_left_is_used_by_nobody(standing: tuple[Path, Finished]) -> None:
    folder, before = standing
    for each in (gone("poster.jpg"), gone("hls/240p.m4s")):
        each(folder)
    work = Work(folder / COMPOSING_FOLDER, fingerprint(before))
    (work.folder / "sound.m4a").write_bytes(b"half")  # that it was lost, and is there again
    (work.folder / HLS).mkdir()
    made = mended(folder, before)
    assert made.outputs.sizes[Rendition.SOUND] == bytes_of(folder / "sound.m4a")
    verify(folder / "sound.m4a", before.duration, SOUND)
    verify(folder / "hls/240p.m3u8", before.duration)


def test_sizes_of_an_uploaded_film_are_made_of_what_was_uploaded(standing: tuple[Path, Finished]) -> None:
    folder, before = standing
    (folder / SOURCE_FOLDER).mkdir()
    gone("hls/240p.m4s")(folder)
    with pytest.raises(Unmendable, match="hls"):
        mended(folder, before)


def test_a_brief_tells_of_the_film_that_stands(film: tuple[Path, Finished]) -> None:
    brief = replace(BRIEF, standing=film[1])
    assert read_brief(write_brief(brief)) == brief
    assert read_brief(write_brief(Brief())) == Brief()
    with pytest.raises(ValueError, match="no brief"):
        read_brief(write_brief(Brief()).replace(b"{", b'{"standing": "{}", ', 1))
