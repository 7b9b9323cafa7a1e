"""All voices in one, and a limiter that keeps them within what the medium holds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from recordings.compose.loudness import LEVELS_PER_SECOND, RATE, SILENCE_DB, Leveller, Samples
from recordings.compose.scan import Span
from recordings.compose.speech import Levels
from recordings.compose.story import Clip
from recordings.compose.voices import Voice
from recordings.tracks import TrackSource
from recordings.viewing.coverage import union

# Samples over which loudness is judged: 10 ms, shorter than a syllable, longer than a period of a deep voice.
BLOCK: Final = RATE // 100
_CEILING: Final = 0.89  # -1 dBFS: AAC may swing a little beyond what it was given
_RELEASE: Final = 0.04  # of the way back to full loudness a block: about a quarter of a second
_QUIET: Final = np.full(LEVELS_PER_SECOND, SILENCE_DB, np.float32)


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


class Second(NamedTuple):
    """What sounds within a second, None where nothing does; how loud the own voice of each peer is meanwhile.

    What a shared screen says is nobody's voice. `undecoded`: by the keys of clips, seconds of their files that were
    wanted now and could not be decoded.
    """

    samples: Samples | None
    levels: Mapping[str, Levels]
    undecoded: Mapping[str, Sequence[Span]]


class Mixer:
    """Reads all clips with sound side by side from the beginning, a second at a time, each voice evened."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        waiting = [clip for clip in clips if not clip.source.is_video]
        self._waiting = sorted(waiting, key=lambda clip: clip.spans[0][0], reverse=True)
        self._voices: list[_Speaking] = []
        self._position = 0

    def read(self) -> Second:
        """The next second of everybody; it may be louder than the medium holds."""
        begin, self._position = self._position, self._position + RATE
        while self._waiting and self._waiting[-1].spans[0][0] < self._position / RATE + 1.0:
            self._voices.append(_Speaking(self._waiting.pop()))
        self._voices = [one for one in self._voices if one.end > begin / RATE]
        return together([one.second(begin) for one in self._voices])


def read_seconds(clips: Sequence[Clip], count: int) -> Iterator[Second]:
    """So many seconds of these clips from the beginning."""
    mixer = Mixer(clips)
    for _ in range(count):
        yield mixer.read()


def together(parts: Sequence[Second]) -> Second:
    """The same second of several, in one."""
    sounding = [part.samples for part in parts if part.samples is not None]
    levels: dict[str, Levels] = {}
    for part in parts:
        for peer, level in part.levels.items():
            levels[peer] = np.maximum(levels[peer], level) if peer in levels else level
    undecoded = {key: spans for part in parts for key, spans in part.undecoded.items()}
    return Second(sum(sounding[1:], sounding[0]) if sounding else None, levels, undecoded)


class Heard:
    """What is known of everybody up to now, beside the sound itself."""

    def __init__(self) -> None:
        self._voices: dict[str, list[Levels]] = {}
        self._undecoded: dict[str, list[Span]] = {}
        self._seconds = 0

    def add(self, second: Second) -> None:
        """The next one."""
        for peer, level in second.levels.items():
            voice = self._voices.setdefault(peer, [])
            voice += [_QUIET] * (self._seconds - len(voice))
            voice.append(level)
        for key, spans in second.undecoded.items():
            self._undecoded.setdefault(key, []).extend(spans)
        self._seconds += 1

    def levels(self) -> dict[str, Levels]:
        """By peer, how loud the own voice was, up to the last second in which there was anything of it."""
        return {peer: np.concatenate(voice) for peer, voice in self._voices.items()}

    def undecoded(self) -> dict[str, tuple[Span, ...]]:
        """By the keys of clips, seconds of their files that could not be decoded."""
        return {key: union(spans) for key, spans in self._undecoded.items()}


class _Speaking:
    """A clip that is being read, until a little after its end."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.voice = Voice(clip)
        self.leveller = Leveller()
        self.end = clip.spans[-1][1] + 1.0

    def second(self, begin: int) -> Second:
        """From this sample of the film on."""
        sound = np.zeros((RATE, 2), np.float32)
        sounds = self.voice.mix_into(sound, begin)
        key, undecoded = self.clip.key, self.voice.take_undecoded()
        lost = {key: undecoded} if undecoded else {}
        if not sounds:
            return Second(None, {}, lost)
        even, levels = self.leveller.process(sound)
        voice = self.clip.source is TrackSource.MICROPHONE
        return Second(even, {self.clip.peer_id: levels} if voice else {}, lost)
