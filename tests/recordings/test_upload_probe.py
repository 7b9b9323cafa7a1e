"""Of which files a film is made, and why of others not."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.uploads.probe import Refused, probe
from recordings.uploads.rules import MOST_PIXELS, Facts, Refusal, judge, passes_through
from tests.recordings import films

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
