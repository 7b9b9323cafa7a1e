"""What a film made elsewhere lacks: told of the film, and never of the machine that was in the way."""

import errno
import resource
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import av
import pytest
from av.error import FFmpegError, err_check

from recordings.compose.verify import verify
from recordings.renditions import CONVERTING_FOLDER
from recordings.states import Failure
from recordings.uploads import conversion, decoding
from recordings.uploads.copying import copy_pictures
from recordings.uploads.damage import Track
from recordings.uploads.probe import probe
from tests.recordings import films


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
        probe(tmp_path / "source")
    assert refused.value.errno == number
    with pytest.raises(OSError, match=str(number)) as refused:
        conversion.convert(tmp_path, tmp_path / "source", lambda _share: None)
    assert refused.value.errno == number
    assert (tmp_path / CONVERTING_FOLDER).is_dir()
