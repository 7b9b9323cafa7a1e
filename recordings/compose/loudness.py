"""Evens the loudness: each voice against the others while mixing, the whole film against EBU R128 at the end."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingMore

RATE: Final = 48_000
Samples = npt.NDArray[np.float32]  # shape (samples, 2)

# EBU R128 gives broadcasters -23 LUFS; films on phones and laptops are heard at -16 (AES TD1008 for speech streams).
TARGET_LUFS: Final = -16.0
# Below this ITU-R BS.1770 counts nothing, so a film of silence has no loudness.
_ABSOLUTE_GATE: Final = -70.0

LEVELS_PER_SECOND: Final = 10
SILENCE_DB: Final = -100.0
# Quieter than this is a room, not a voice.
_VOICE_DB: Final = -50.0
# Where a voice is brought to, as power within a tenth of a second of speech.
_WANTED_DB: Final = -23.0
_MOST_UP_DB: Final = 18.0
_MOST_DOWN_DB: Final = 15.0
# Tenths of a second of speech from which a voice's loudness is known: ten seconds.
_MEMORY: Final = 100
# A gain that moves faster is heard as pumping.
_MOST_CHANGE_DB: Final = 3.0


class Leveller:
    """Brings one voice to the loudness of all others, slowly enough that nobody hears it being done.

    `process` takes one second at a time, so the first words are judged before they are let through.
    """

    def __init__(self) -> None:
        self._power = 0.0  # mean over the speech so far
        self._heard = 0
        self._gain_db: float | None = None

    def process(self, samples: Samples) -> tuple[Samples, npt.NDArray[np.float32]]:
        """The same sound evened, and its level in dB for each tenth of a second."""
        pieces = samples.reshape(LEVELS_PER_SECOND, -1)
        powers = np.einsum("ij,ij->i", pieces, pieces) / pieces.shape[1]
        levels = decibels(powers)
        for power in powers[levels > _VOICE_DB]:
            self._heard += 1
            self._power += (float(power) - self._power) / min(self._heard, _MEMORY)
        before, after = self._step()
        levels = levels + np.float32(after)
        if before == after == 0.0:
            return samples, levels
        ramp = np.linspace(10 ** (before / 20), 10 ** (after / 20), len(samples), endpoint=False)
        return samples * ramp.astype(np.float32)[:, None], levels

    def _step(self) -> tuple[float, float]:
        """The gain in dB at the beginning and at the end of this second."""
        if not self._heard:
            return 0.0, 0.0
        level = 10 * float(np.log10(self._power))
        wanted = min(_MOST_UP_DB, max(-_MOST_DOWN_DB, _WANTED_DB - level))
        if self._gain_db is None:
            self._gain_db = wanted
            return wanted, wanted
        before = self._gain_db
        self._gain_db += min(_MOST_CHANGE_DB, max(-_MOST_CHANGE_DB, wanted - before))
        return before, self._gain_db


def decibels(powers: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Powers (full scale 1) as dB, never below silence."""
    floor = 10 ** (SILENCE_DB / 10)
    result: npt.NDArray[np.float32] = (10 * np.log10(np.maximum(powers, floor))).astype(np.float32)
    return result


class Meter:
    """Integrated loudness by ITU-R BS.1770, as FFmpeg's `ebur128` measures it."""

    def __init__(self) -> None:
        self._graph = av.filter.Graph()
        source = self._graph.add_abuffer(
            sample_rate=RATE, format="flt", layout="stereo", time_base=Fraction(1, RATE)
        )
        meter = self._graph.add("ebur128", "metadata=1")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._position = 0
        self.integrated: float | None = None  # LUFS; None as long as there was nothing but silence

    def add(self, samples: Samples) -> None:
        """The next samples."""
        frame = sound_frame(samples, self._position)
        self._position += len(samples)
        self._graph.push(frame)
        while True:
            try:
                said = self._graph.pull().metadata.get("lavfi.r128.I")
            except (NothingYet, NothingMore):
                return
            if said is not None and float(said) > _ABSOLUTE_GATE:
                self.integrated = float(said)


def sound_frame(samples: Samples, position: int) -> av.AudioFrame:
    """Interleaved floats as FFmpeg takes them."""
    flat = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(flat, format="flt", layout="stereo")
    frame.sample_rate = RATE
    frame.pts = position
    frame.time_base = Fraction(1, RATE)
    return frame
