"""Films made elsewhere: what is taken, what is refused and why, and what becomes of it."""

import asyncio
import contextlib
import errno
import math
import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import av
import pytest
from av.error import FFmpegError, err_check
from hypothesis import given
from hypothesis import strategies as st

from errors import Kind, Problem
from recordings.compose.brief import Brief
from recordings.compose.composer import NothingToCompose
from recordings.compose.loudness import TARGET_LUFS
from recordings.compose.verify import verify
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, bytes_of
from recordings.renditions import CONVERTING_FOLDER, FILE_NAMES, HLS_MASTER
from recordings.states import Failure
from recordings.uploads import conversion, decoding, files
from recordings.uploads.copying import copy_pictures
from recordings.uploads.damage import Track
from recordings.uploads.inspection import AT_ONCE, Inspector
from recordings.uploads.probe import Refused, probe
from recordings.uploads.rules import MOST_PIXELS, Facts, Refusal, judge, passes_through
from tests.recordings import films
from tests.recordings.killing import killed_after
from tests.recordings.meetings import loudness_of, watch

MakeFile = Callable[[Path], Path]

REFUSED: dict[str, tuple[MakeFile, Refusal]] = {
    "a text": (films.of("今天开会".encode() * 500), Refusal.NOT_A_FILM),
    "nothing": (films.of(b""), Refusal.NOT_A_FILM),
    "the head of an MP4 and nothing behind": (
        films.of(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\xff" * 5000), Refusal.NOT_A_FILM,
    ),
    "half a film": (films.without_its_end, Refusal.NOT_A_FILM),
    "a playlist that names a file of the server": (films.of(films.PLAYLIST * 30), Refusal.NOT_A_FILM),
    "a list of files of the server": (films.of(films.CONCATENATION * 50), Refusal.NOT_A_FILM),
    "a picture": (films.of(b"\x89PNG\r\n\x1a\n" + b"\0" * 5000), Refusal.NOT_A_FILM),
    "a song": (films.sound_alone, Refusal.NO_PICTURE),
    "a huge picture": (
        partial(films.film, container="matroska", codec="mjpeg", size=(8192, 4096), frames=1, sounds=0),
        Refusal.PICTURE_TOO_LARGE,
    ),
    "seven hours": (
        partial(films.film, container="matroska", codec="mjpeg", sounds=0, jump=7 * 3600 * 25),
        Refusal.TOO_LONG,
    ),
    "a broadcast that leads hours away and comes back": (
        lambda path: films.broadcast(path, 0, 7 * 3600 * 25, 0), Refusal.TOO_LONG,
    ),
    "an instant": (partial(films.film, frames=3), Refusal.TOO_SHORT),
    "forty sounds": (partial(films.film, container="matroska", frames=20, sounds=40), Refusal.TOO_MANY_STREAMS),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_film_or_a_trap_is_refused(tmp_path: Path, name: str) -> None:
    make, refusal = REFUSED[name]
    with pytest.raises(Refused) as refused:
        probe(make(tmp_path / "film"))
    assert refused.value.refusal is refusal


async def test_the_probe_is_a_process_of_its_own_and_its_death_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = films.film(tmp_path / "film; rm -rf $(pwd) --")
    inspector = Inspector()
    assert await inspector.inspect(film) is None
    assert await inspector.inspect(films.sound_alone(tmp_path / "song")) is Refusal.NO_PICTURE
    monkeypatch.setattr("recordings.uploads.inspection._SECONDS", 0.0)
    assert await inspector.inspect(film) is Refusal.TOO_COSTLY


async def test_no_more_films_are_looked_at_at_once_than_the_machine_bears(tmp_path: Path) -> None:
    inspector = Inspector()
    slow = [tmp_path / f"{number}" for number in range(AT_ONCE + 1)]
    for path in slow:
        os.mkfifo(path)
    asked = [asyncio.create_task(inspector.inspect(path)) for path in slow]
    # Each process opens its file, and waits for what somebody writes.
    first = [await asyncio.to_thread(path.open, "wb") for path in slow[:AT_ONCE]]
    assert not is_looked_at(slow[-1])
    with pytest.raises(Problem) as refused:
        await inspector.inspect(slow[0])
    assert (refused.value.kind, refused.value.code) == (Kind.UNAVAILABLE, "upload_being_checked")
    for writer in first:
        writer.close()
    last = await asyncio.to_thread(slow[-1].open, "wb")
    assert is_looked_at(slow[-1])
    last.close()
    assert await asyncio.gather(*asked) == [Refusal.NOT_A_FILM] * len(slow)


def is_looked_at(path: Path) -> bool:
    """Whether there is a process to which the path was given."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(path).encode() in command.read_bytes():
                return True
    return False


FACTS = st.builds(
    Facts,
    container=st.sampled_from(["mov,mp4,m4a", "matroska,webm", ""]),
    streams=st.integers(0, 5000),
    seconds=st.floats(allow_nan=True, allow_infinity=True),
    width=st.integers(-1, 1 << 20),
    height=st.integers(-1, 1 << 20),
    video_codec=st.sampled_from(["h264", "vp8", ""]),
    pixel_format=st.sampled_from(["yuv420p", "yuv444p", ""]),
    audio_codec=st.sampled_from(["aac", "opus", None]),
    audio_channels=st.integers(0, 64),
    bits_a_second=st.integers(-1, 1 << 40),
    upright=st.booleans(),
)


@given(FACTS)
def test_whatever_is_taken_is_within_bounds(facts: Facts) -> None:
    if judge(facts) is None:
        assert math.isfinite(facts.seconds)
        assert 0 < facts.width * facts.height <= MOST_PIXELS
        assert facts.streams < 100
        if passes_through(facts):
            assert facts.bits_a_second < 10_000_000


OTHER_FILM = partial(films.film, container="webm", codec="libvpx", size=(180, 320), sounds=0)
IN_THREE_SIZES = Brief(hls_seconds=1.0)


@pytest.mark.parametrize(
    ("make", "brief", "copied"),
    [
        (films.film, Brief(), True),
        (films.film, Brief(hls_seconds=3.0), True),
        (films.film, IN_THREE_SIZES, True),
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


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_a_film_whose_middle_is_broken_says_how_much_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str
) -> None:
    """Elsewhere than where every film is looked at. Of MP4 it does not decode; the others pass over it."""
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    source = films.sounding(tmp_path / "source", 0.1, container=container, seconds=4, noise=True)
    size = source.stat().st_size
    films.overwrite(source, size // 8, bytes(size * 3 // 8))  # a second and a half
    made = conversion.convert(tmp_path, source, lambda _share: None)
    assert made.duration == pytest.approx(4.0, abs=0.1), "what comes after is in the film"
    assert made.failure is Failure.CAPTURE_UNREADABLE
    lost = {loss.kind: loss.seconds for loss in made.losses}
    assert lost == {"pictures": pytest.approx(2.0, abs=0.9), "sound": pytest.approx(2.0, abs=0.9)}
    assert verify(tmp_path / "meeting.mp4", made.duration) > 0


def test_of_a_film_that_is_copied_no_picture_is_taken_over_that_does_not_decode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little it is: a player would end there."""
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    source = films.sounding(tmp_path / "source", 0.1, seconds=8)
    with av.open(str(source)) as container:
        picture = [packet for packet in container.demux(video=0) if packet.size][113]  # where nobody looks
    assert picture.pos is not None
    films.overwrite(source, picture.pos, bytes(picture.size))
    made = conversion.convert(tmp_path, source, lambda _share: None)
    assert (made.failure, made.losses) == (None, ()), "so little is borne without a word"
    with av.open(str(tmp_path / "meeting.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 200


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


def test_a_film_that_was_cut_off_is_as_long_as_it_goes_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its index stands first, whole."""
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    source = films.playable(tmp_path / "film.mp4", frames=100)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 3 // 4])
    made = conversion.convert(tmp_path, source, lambda _share: None)
    assert made.failure is Failure.CAPTURE_UNREADABLE
    ((missing),) = (loss.seconds for loss in made.losses)
    assert missing == pytest.approx(4.0 - made.duration, abs=0.1)
    assert verify(tmp_path / "meeting.mp4", made.duration) > 1.0


def test_a_full_disk_is_no_fault_of_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told as what it is, so that the conversion goes on when there is room."""
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    source = films.film(tmp_path / "source")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError, match="large") as refused:
            conversion.convert(tmp_path, source, lambda _share: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.errno == errno.EFBIG


def test_a_full_disk_is_no_reason_to_encode_anew(tmp_path: Path) -> None:
    """Which takes hours, and more room."""
    source = films.sounding(tmp_path / "source", 0.1, seconds=2, noise=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (source.stat().st_size // 2, before[1]))
    try:
        with pytest.raises(OSError, match="large") as refused:
            copy_pictures(source, 0.0, source, tmp_path / "film.mp4", 2.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.errno == errno.EFBIG


def said_by_ffmpeg(number: int) -> FFmpegError:
    with pytest.raises(FFmpegError) as raised:
        err_check(-number)
    return raised.value


class Undecodable:
    """A packet at whose decoding FFmpeg says this."""

    dts = None

    def __init__(self, error: FFmpegError) -> None:
        self._error = error
        self.stream = SimpleNamespace(index=0)

    def decode(self) -> NoReturn:
        raise self._error


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.ENOSPC, errno.EIO, errno.EMFILE])
def test_what_the_machine_lacks_is_no_fault_of_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Neither where it is opened nor where a packet is decoded; what was made of it stays."""
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    error = said_by_ffmpeg(number)
    container = SimpleNamespace(streams=[None], demux=lambda _streams: [Undecodable(error)])
    with pytest.raises(OSError, match=str(number)) as refused:
        list(decoding._frames(container, {0: Track()}))
    assert refused.value.errno == number

    def refuse(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(av, "open", refuse)
    (tmp_path / "source").write_bytes(b"film")
    with pytest.raises(OSError, match=str(number)) as refused:
        conversion.convert(tmp_path, tmp_path / "source", lambda _share: None)
    assert refused.value.errno == number
    assert (tmp_path / CONVERTING_FOLDER).is_dir()


def test_a_film_that_turns_out_to_be_none_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "limit", lambda *_, **__: None)
    (tmp_path / "source").write_bytes(b"no film" * 1000)
    with pytest.raises(NothingToCompose):
        conversion.convert(tmp_path, tmp_path / "source", lambda _share: None)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@given(st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=10)), max_size=20))
def test_a_file_holds_what_was_acknowledged_in_its_order(chunks: list[tuple[int, bytes]]) -> None:
    path = Path("/dev/shm/upload-test")  # noqa: S108
    path.unlink(missing_ok=True)
    files.make(path)
    expected = b""
    for offset, data in chunks:
        if offset == len(expected):
            expected += data
            assert files.append(path, offset, data) == len(expected)
        else:
            with pytest.raises(files.OutOfPlace) as refused:
                files.append(path, offset, data)
            assert refused.value.offset == len(expected)
    assert path.read_bytes() == expected
    path.unlink()
