"""What a film really holds: the colours in its pictures and the tones in its sound."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

# Codecs and the way from RGB to YUV and back shift a colour by this much at most, per channel.
COLOUR_TOLERANCE = 45
SOUND_HERTZ = 48_000

Colour = tuple[int, int, int]


def colour_shares(film: Path, at: float, colours: dict[str, Colour]) -> dict[str, float]:
    """The share of the picture at `at` seconds that has each colour, 0..1."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            if frame.time >= at:
                pixels = frame.to_ndarray(format="rgb24").astype(np.int16)
                return {name: _share(pixels, colour) for name, colour in colours.items()}
    raise AssertionError(f"the film has no picture at {at} s")


def _share(pixels: NDArray[np.int16], colour: Colour) -> float:
    near = np.abs(pixels - np.array(colour, dtype=np.int16)).max(axis=2) <= COLOUR_TOLERANCE
    return float(near.mean())


def tone_strengths(film: Path, start: float, seconds: float, hertz: dict[str, int]) -> dict[str, float]:
    """How much each tone stands out of the rest of the spectrum: its magnitude over the median."""
    first = int(start * SOUND_HERTZ)
    part = sound(film)[first : first + int(seconds * SOUND_HERTZ)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    frequencies = np.fft.rfftfreq(len(part), 1 / SOUND_HERTZ)
    rest = float(np.median(spectrum)) + 1e-9
    return {
        name: float(spectrum[np.abs(frequencies - tone) < 5].max()) / rest for name, tone in hertz.items()
    }


def sound(film: Path) -> NDArray[np.float32]:
    """All of the sound, mono, at `SOUND_HERTZ`, full scale 1."""
    with av.open(str(film)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_HERTZ)
        chunks = [
            resampled.to_ndarray()[0]
            for frame in container.decode(container.streams.audio[0])
            for resampled in resampler.resample(frame)
        ]
    return np.concatenate(chunks).astype(np.float32)


def duration(film: Path) -> float:
    """In seconds."""
    with av.open(str(film)) as container:
        assert container.duration is not None
        return container.duration / av.time_base
