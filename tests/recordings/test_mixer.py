"""Voices on the time line, mixed without clipping."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from recordings.capture.codecs.frames import Frame
from recordings.capture.codecs.registry import find_codec
from recordings.capture.matroska import MatroskaTrack
from recordings.compose.loudness import RATE, Samples
from recordings.compose.mixer import BLOCK, Limiter
from recordings.compose.story import Clip
from recordings.compose.voices import _placed, stretched
from recordings.tracks import TrackSource
from tests.recordings.publishers import encode_audio, sine


def tone(seconds: float, loudness: float, frequency: float = 440.0) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    mono = (loudness * np.sin(2 * np.pi * frequency * times)).astype(np.float32)
    return np.stack([mono, mono], axis=1)


def through(samples: Samples) -> Samples:
    """Past the limiter, its delay taken away."""
    limiter = Limiter()
    out = limiter.process(samples)
    return np.concatenate([out[BLOCK:], limiter.process(np.zeros((BLOCK, 2), np.float32))])


def test_what_is_not_too_loud_is_left_alone() -> None:
    samples = tone(0.5, 0.5)
    assert np.array_equal(through(samples), samples)


@pytest.mark.parametrize("loudness", [1.0, 3.0, 9.0])
def test_nine_people_who_shout_do_not_clip(loudness: float) -> None:
    limited = through(np.concatenate([tone(0.3, 0.1), tone(0.5, loudness), tone(0.3, 0.1)]))
    assert np.abs(limited).max() <= 0.9
    # A limiter and not a wall: the tone stays one.
    loud = limited[int(0.5 * RATE) : int(0.7 * RATE), 0]
    spectrum = np.abs(np.fft.rfft(loud * np.hanning(len(loud))))
    around = spectrum[80:97].sum()
    assert around / spectrum.sum() > 0.95


def test_it_is_as_loud_as_before_soon_after() -> None:
    limited = through(np.concatenate([tone(0.2, 5.0), tone(2.0, 0.3)]))
    assert np.abs(limited[-RATE // 2 :]).max() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(("wanted", "length"), [(3, 963), (200, 965), (-2, 958), (-200, 955)])
def test_stretching_is_bounded_and_inaudible(wanted: int, length: int) -> None:
    samples = tone(0.02, 0.5)
    changed = stretched(samples, wanted)
    assert len(changed) == length
    assert np.abs(np.diff(changed[:, 0])).max() < np.abs(np.diff(samples[:, 0])).max() * 1.05


@pytest.mark.parametrize("pace", [0.997, 1.0, 1.0002, 1.003])
def test_a_clock_that_drifts_is_followed_without_gaps(tmp_path: Path, pace: float) -> None:
    codec = find_codec("opus")
    assert codec is not None
    frames = [Frame(data, key=True) for _, data in encode_audio(sine(440), 5.0)]
    file = MatroskaTrack(tmp_path / "a.mkv", codec, RATE, frames[0])
    for index, frame in enumerate(frames):
        file.add(frame, index * 960)
    file.close()
    clip = Clip(
        "a", tmp_path / "a.mkv", TrackSource.MICROPHONE, "p", "p", lambda at: 7.0 + at * pace, ((7.0, 12.0),)
    )
    pieces = list(_placed(clip, []))
    assert len(pieces) == 250
    for index, (start, _) in enumerate(pieces):
        assert start / RATE == pytest.approx(7.0 + index * 0.02 * pace, abs=0.0025)
    assert all(start + len(piece) == after for (start, piece), (after, _) in itertools.pairwise(pieces))


def test_silence_stays_silence() -> None:
    assert not through(np.zeros((RATE, 2), np.float32)).any()
