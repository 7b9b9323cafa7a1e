"""What becomes of a film made elsewhere."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import pytest

from recordings.compose.brief import Brief
from recordings.compose.composer import NothingToCompose
from recordings.compose.loudness import TARGET_LUFS
from recordings.compose.verify import verify
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, bytes_of
from recordings.renditions import CONVERTING_FOLDER, FILE_NAMES, HLS_MASTER
from recordings.uploads import conversion, decoding
from recordings.uploads.probe import Refused
from recordings.uploads.rules import MOST_PIXELS, Refusal
from tests.recordings import films
from tests.recordings.killing import killed_after
from tests.recordings.meetings import loudness_of, watch

MakeFile = Callable[[Path], Path]


OTHER_FILM = partial(films.film, container="webm", codec="libvpx", size=(180, 320), sounds=0)
IN_THREE_SIZES = Brief(hls_seconds=1.0)


@pytest.mark.parametrize(
    ("make", "brief", "copied"),
    [
        (films.film, Brief(), True),
        (films.film, Brief(hls_seconds=3.0), True),
        (films.film, IN_THREE_SIZES, True),
        (films.turned, Brief(), False),
        (OTHER_FILM, Brief(), False),
        (OTHER_FILM, IN_THREE_SIZES, False),
    ],
)
def test_a_film_becomes_what_a_meeting_becomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: MakeFile, brief: Brief, *, copied: bool
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)  # this process has more to do
    source = make(tmp_path / "source")
    folder = tmp_path / "recording"
    folder.mkdir()
    shares: list[float] = []
    composed = conversion.convert(folder, source, shares.append, brief)
    assert verify(folder / "meeting.mp4", 2.0) == pytest.approx(composed.duration)
    assert (composed.failure, composed.losses) == (None, ())
    names = {"meeting.mp4", "poster.jpg", "preview.jpg", "sound.m4a"} | (
        {"hls"} if brief is IN_THREE_SIZES else set()
    )
    assert {path.name for path in folder.iterdir()} == names | {CONVERTING_FOLDER}, (
        "with a note of what was made"
    )
    assert {rendition: bytes_of(folder / FILE_NAMES[rendition]) for rendition in composed.outputs.sizes} == (
        composed.outputs.sizes
    )
    assert {FILE_NAMES[rendition] for rendition in composed.outputs.sizes} == names
    if brief is IN_THREE_SIZES:
        sizes = [line for line in (folder / "hls" / HLS_MASTER).read_text().splitlines() if line[0] != "#"]
        assert sizes == ["240p.m3u8", "480p.m3u8", "720p.m3u8"]
        for name in sizes:
            with av.open(str(folder / "hls" / name)) as container:
                assert sum(1 for _ in container.decode(video=0)) == 50
        media = folder / "hls" / "240p.m4s"
        films.overwrite(media, media.stat().st_size * 3 // 4, bytes(200))
        with pytest.raises(ValueError, match=r"play|decode"):
            verify(media.with_suffix(".m3u8"), 2.0)
    assert shares == sorted(shares)
    with av.open(str(folder / "sound.m4a")) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(2.0, abs=0.1)
    assert (pictures_of(folder / "meeting.mp4") == pictures_of(source)) == copied
    with av.open(str(folder / "meeting.mp4")) as container:
        last = list(container.decode(video=0))[-1].to_ndarray(format="gray")
    if not copied:
        assert last.shape == (720, 1280)
        assert last[360, 100] < 30, "black beside an upright picture"
        assert last[360, 640] > 150


def pictures_of(film: Path) -> list[bytes]:
    """As they are encoded."""
    with av.open(str(film)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize(
    ("amplitude", "container", "brief"),
    [(0.03, "mp4", IN_THREE_SIZES), (0.7, "mp4", Brief()), (0.03, "matroska", Brief())],
    ids=["quiet and copied", "loud and copied", "quiet and encoded"],
)
def test_its_sound_is_as_loud_as_that_of_meetings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amplitude: float, container: str, brief: Brief
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    source = films.sounding(tmp_path / "source", amplitude, container=container, seconds=2)
    conversion.convert(tmp_path, source, lambda _share: None, brief)
    assert abs(loudness_of(source) - TARGET_LUFS) > 5, "there is something to be done"
    files = ["meeting.mp4", "sound.m4a", *(["hls/720p.m3u8"] if brief is IN_THREE_SIZES else [])]
    for made in files:
        assert loudness_of(tmp_path / made) == pytest.approx(TARGET_LUFS, abs=1.0), made


def test_the_last_picture_stays_while_there_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = films.film(tmp_path / "source.mkv", container="matroska", echo=45)
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    film = tmp_path / "meeting.mp4"
    seconds = conversion.convert(tmp_path, source, lambda _share: None).duration
    assert seconds == pytest.approx(3.8, abs=0.1)
    assert verify(film, seconds) == pytest.approx(seconds, abs=0.1)


def test_a_film_that_becomes_another_on_its_way_is_converted_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As television's does; a picture larger than any may be is none, however small the first ones were."""
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    huge = (4096, 4096)
    assert huge[0] * huge[1] > MOST_PIXELS
    source = films.changing(
        tmp_path / "source",
        [
            ((320, 180), 60, "mono"),
            ((480, 360), 110, "stereo"),
            (huge, 230, "stereo"),
            ((180, 320), 170, "mono"),
        ],
    )
    seconds = conversion.convert(tmp_path, source, lambda _share: None).duration
    assert seconds == pytest.approx(4.0, abs=0.1)
    watched = watch(tmp_path / "meeting.mp4")
    middles = [int(watched.frame_at(at)[360, 640]) for at in (0.5, 1.5, 2.5, 3.5)]
    assert middles == pytest.approx([60, 110, 110, 170], abs=6)
    assert watched.frame_at(3.5)[360, 100] < 30 < watched.frame_at(1.5)[360, 200], "upright after lying"
    assert all(watched.loudness(440, second + 0.2, second + 0.9) > 0.1 for second in range(4))


def test_a_film_that_goes_on_for_longer_than_it_says_is_refused_where_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    monkeypatch.setattr(decoding, "LONGEST_SECONDS", 1.0)
    source = films.film(tmp_path / "source.mkv", container="matroska")
    folder = tmp_path / "recording"
    folder.mkdir()
    with pytest.raises(NothingToCompose) as refused:
        conversion.convert(folder, source, lambda _share: None)
    assert isinstance(refused.value.__cause__, Refused)
    assert refused.value.__cause__.refusal is Refusal.TOO_LONG
    assert not list(folder.iterdir())


def test_a_broadcast_that_repeats_itself_for_ever_comes_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    monkeypatch.setattr(decoding, "_MOST_STALE", 200)  # two and a half times over
    source = films.broadcast(tmp_path / "source", 0, 0, 0, 0, 250)
    assert conversion.convert(tmp_path, source, lambda _share: None).duration == pytest.approx(2.0, abs=0.3)


def test_a_conversion_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    source = tmp_path / SOURCE_FOLDER / SOURCE_NAME
    source.parent.mkdir()
    films.film(source, "webm", "libvpx", sounds=0, frames=125)
    brief = Brief(part_seconds=2.0)
    killed_after(tmp_path, CONVERTING_FOLDER, 1, brief)
    part = tmp_path / CONVERTING_FOLDER / "720p-00000.mp4"
    kept, found = part.stat().st_ino, set[int]()
    converted = conversion.convert(tmp_path, source, lambda _share: found.add(part.stat().st_ino), brief)
    assert found == {kept}, "what stood was made again"
    assert converted.duration == 5.0
    with av.open(str(tmp_path / "meeting.mp4")) as container:
        shown = [int(frame.to_ndarray()[360, 640]) for frame in container.decode(video=0)]
    assert shown == pytest.approx([20 + number * 4 % 200 for number in range(125)], abs=12)


def test_a_film_that_turns_out_to_be_none_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    (tmp_path / "source").write_bytes(b"no film" * 1000)
    with pytest.raises(NothingToCompose):
        conversion.convert(tmp_path, tmp_path / "source", lambda _share: None)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
