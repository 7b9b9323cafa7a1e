"""All voices in one, never louder than the medium holds."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from recordings.compose.story import Clip
from recordings.compose.voices import RATE, Samples, Voice

# Samples over which loudness is judged: 10 ms, shorter than a syllable, longer than a period of a deep voice.
BLOCK: Final = RATE // 100
_CEILING: Final = 0.89  # -1 dBFS: AAC may swing a little beyond what it was given
_RELEASE: Final = 0.04  # of the way back to full loudness a block: about a quarter of a second


class Limiter:
    """Turns down before it gets too loud and back up slowly. Keeps one block back to see what is coming."""

    def __init__(self) -> None:
        self._held = np.zeros((BLOCK, 2), np.float32)
        self._gain = 1.0
        self._wanted = 1.0  # of the held block

    def process(self, samples: Samples) -> Samples:
        """As many samples as came in, one block late; `len(samples)` is a multiple of the block."""
        delayed = np.concatenate([self._held, samples])
        blocks = delayed.reshape(-1, BLOCK, 2)
        peaks = np.abs(blocks[1:]).max(axis=(1, 2))
        ramps = np.empty((len(peaks), BLOCK), np.float32)
        for index, peak in enumerate(peaks):
            following = min(1.0, _CEILING / float(peak)) if peak > 0 else 1.0
            # Where this block ends, neither it nor the next may be too loud.
            target = min(self._wanted, following, self._gain + (1.0 - self._gain) * _RELEASE)
            ramps[index] = np.linspace(self._gain, target, BLOCK, endpoint=False)
            self._gain, self._wanted = target, following
        self._held = delayed[-BLOCK:]
        limited: Samples = (blocks[:-1] * ramps[:, :, None]).reshape(-1, 2)
        return np.clip(limited, -1.0, 1.0)


class Mixer:
    """Reads all clips with sound side by side; `read` goes forward from the film's beginning."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        waiting = [clip for clip in clips if not clip.source.is_video]
        self._waiting = sorted(waiting, key=lambda clip: clip.spans[0][0], reverse=True)
        self._voices: list[tuple[float, Voice]] = []  # with the time of its end
        self._limiter = Limiter()
        self._position = -BLOCK  # the limiter is one block late, so the film begins one block early

    def read(self, count: int) -> Samples:
        """The next `count` samples, a multiple of the block."""
        if self._position < 0:
            self._mix(BLOCK)
        return self._mix(count)

    def _mix(self, count: int) -> Samples:
        # The first block goes in alone: what comes out for it is the limiter's empty first block.
        begin = self._position + BLOCK
        self._position += count
        end_seconds = (begin + count) / RATE
        while self._waiting and self._waiting[-1].spans[0][0] < end_seconds + 1.0:
            clip = self._waiting.pop()
            self._voices.append((clip.spans[-1][1] + 1.0, Voice(clip)))
        self._voices = [(end, voice) for end, voice in self._voices if end > begin / RATE]
        buffer = np.zeros((count, 2), np.float32)
        for _, voice in self._voices:
            voice.mix_into(buffer, begin)
        return self._limiter.process(buffer)
