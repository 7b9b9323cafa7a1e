"""The film's sound as a whole: mixed once, measured, brought to its loudness and encoded, beside who spoke when."""

import json
import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np
from av.error import FFmpegError

from recordings.compose.isolation import SILENCE_SECONDS, Broken, Isolated
from recordings.compose.loudness import RATE, TARGET_LUFS, Meter, Samples, sound_frame
from recordings.compose.mixer import BLOCK, Heard, Limiter, Second, read_seconds, together
from recordings.compose.scan import Span
from recordings.compose.speech import Speech, Turn, find_turns
from recordings.compose.story import Clip
from recordings.compose.voices import listen

FILM_SOUND: Final = "film-sound.m4a"
POOR_SOUND: Final = "sound.m4a"
_HEARD: Final = "heard.json"
_MIX: Final = "mix.flac"
# The mix is kept in 16 bits with this much room above full scale: several evened voices at once may go beyond it.
_ROOM: Final = 0.25
# More would lift the noise of a room in which nobody said much.
_MOST_GAIN: Final = 10 ** (20 / 20)
# The limiter takes something away; what is further off than this is corrected, so often at most.
_CLOSE_LU: Final = 0.3
_CORRECTIONS: Final = 2
# FFmpeg's quick coder needs half the time for them that its thorough one does, and a sixth more bits.
_CODER: Final = {"aac_coder": "fast"}
_FILM_BITS: Final = 112_000
# Speech on one channel: a line that carries a telephone call carries this.
_POOR_BITS: Final = 40_000
_NOTHING: Final = np.zeros((RATE, 2), np.float32)


def mix_sound(clips: Sequence[Clip], seconds: float, work: Path) -> Generator[float]:
    """Mix everybody into one file in `work`; note, last, how loud it is, who speaks when, and what was not to be had.

    Clips are decoded in as many processes as there are cores. Tells the share done, 0..1, with every second; raises
    OSError of the disk, and Broken where one of the clips breaks whoever decodes it.
    """
    heard = Heard()
    total = max(1, round(seconds * RATE))
    with ExitStack() as stack:
        readers = [
            stack.enter_context(closing(Isolated[Second](read_seconds, group, -(-total // RATE))))
            for group in _shared_out(clips, len(os.sched_getaffinity(0)))
        ]
        mix = stack.enter_context(Mix(work))
        for position in range(0, total, RATE):
            second = together([next(reader) for reader in readers])
            heard.add(second)
            mixed = (_NOTHING if second.samples is None else second.samples)[: total - position]
            mix.add(mixed)
            yield position / total
    mix.note(turns=find_turns(heard.levels()), undecoded=heard.undecoded())


class Mix:
    """All that is heard, on its way into one file in `work`: a context, as that file is."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._meter = Meter()
        self._file = SoundFile(work / _MIX, "flac", "flac", "s16")

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.__exit__(kind)

    def add(self, samples: Samples) -> None:
        """The next samples."""
        self._meter.add(samples)
        self._file.add(samples * _ROOM)

    def note(self, **others: object) -> None:
        """Write down, when the file stands, how loud it is, for `even_sound`, and what else is known of it."""
        part = self._work / f"{_HEARD}.part"
        noted = {"loudness": self._meter.integrated, **others}
        part.write_text(json.dumps(noted, ensure_ascii=False), encoding="utf-8")
        part.replace(self._work / _HEARD)


def _shared_out(clips: Sequence[Clip], most: int) -> list[Sequence[Clip]]:
    """Up to so many groups that have about equally much to decode."""
    ordered = sorted(clips, key=lambda clip: sum(end - begin for begin, end in clip.spans), reverse=True)
    return [ordered[first::most] for first in range(min(most, len(ordered)))]


def unreadable_among(clips: Sequence[Clip], silence: float = SILENCE_SECONDS) -> dict[str, Broken]:
    """Keys of those that break a process which decodes nothing else, and how."""
    found: dict[str, Broken] = {}
    for clip in clips:
        with closing(Isolated[None](listen, clip, silence=silence)) as listening:
            try:
                deque(listening, maxlen=0)
            except Broken as broken:
                found[clip.key] = broken
    return found


def read_speech(work: Path) -> Speech | None:
    """Who speaks when in the mix; None where it has not come to its end, or there is nothing left to encode or join."""
    made = all((work / name).exists() for name in (FILM_SOUND, POOR_SOUND))
    if not made and not (work / _MIX).exists():
        return None  # killed while the finished files were put in their places
    try:
        turns = _heard(work)["turns"]
        return Speech([Turn(float(begin), float(end), str(peer)) for begin, end, peer in turns])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def undecoded_sound(work: Path) -> dict[str, list[Span]]:
    """By the keys of clips, seconds of their files that are missing in the mix."""
    return {
        key: [(float(begin), float(end)) for begin, end in spans]
        for key, spans in _heard(work)["undecoded"].items()
    }


def even_sound(work: Path) -> None:
    """Make FILM_SOUND and POOR_SOUND of the mix, at the loudness that is wanted; nothing where they are made already.

    OSError of the disk. The pictures do not wait for it: what it makes is wanted when they are joined with it.
    """
    mix = work / _MIX
    if not mix.exists():
        return
    _even(mix, _heard(work)["loudness"], work)
    mix.unlink()


def make_poor_sound(film: Path, path: Path) -> None:
    """What POOR_SOUND is, out of the finished film, which has its loudness; OSError of the disk, FFmpegError."""
    with _poor(path) as file:
        for samples in _blocks(film):
            file.add(samples)


def _poor(path: Path) -> "SoundFile":
    return SoundFile(path, "ipod", "aac", "fltp", _POOR_BITS, "mono")


def _renditions(work: Path) -> "tuple[SoundFile, SoundFile]":
    return (
        SoundFile(work / FILM_SOUND, "ipod", "aac", "fltp", _FILM_BITS),
        _poor(work / POOR_SOUND),
    )


def _heard(work: Path) -> dict[str, Any]:
    heard: dict[str, Any] = json.loads((work / _HEARD).read_bytes())
    return heard


def _even(mix: Path, loudness: float | None, work: Path) -> None:
    """Encode the mix at the loudness that is wanted; silence stays as it is."""
    gain = 1.0
    wanted = TARGET_LUFS
    for _ in range(1 + _CORRECTIONS):
        if loudness is not None:
            gain = min(_MOST_GAIN, gain * 10 ** ((wanted - loudness) / 20))
        loudness = _encode(mix, gain / _ROOM, work)
        if loudness is None or gain == _MOST_GAIN or abs(loudness - wanted) < _CLOSE_LU:
            return


def _encode(mix: Path, gain: float, work: Path) -> float | None:
    """Both renditions with this gain, limited; answers their loudness."""
    meter = Meter()
    with ExitStack() as stack:
        files = [stack.enter_context(file) for file in _renditions(work)]
        for limited in _limited(mix, gain):
            meter.add(limited)
            for file in files:
                file.add(limited)
    return meter.integrated


def _limited(mix: Path, gain: float) -> Iterator[Samples]:
    """The mix with its gain, never too loud, exactly as long as it was."""
    limiter = Limiter()
    late = BLOCK  # the limiter gives everything one block later
    length = 0
    for samples in _blocks(mix):
        length += len(samples)
        padded = np.zeros((-(-len(samples) // BLOCK) * BLOCK, 2), np.float32)
        padded[: len(samples)] = samples * np.float32(gain)
        limited = limiter.process(padded)
        yield limited[late:]
        late = 0
    if length:
        rest = limiter.process(np.zeros((BLOCK, 2), np.float32))
        yield rest[: BLOCK - -length % BLOCK]


def _blocks(mix: Path) -> Iterator[Samples]:
    """The mix in pieces of a second; the last may be shorter."""
    fifo = av.AudioFifo()
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE)
    with av.open(str(mix)) as container:
        for frame in container.decode(audio=0):
            for even in resampler.resample(frame):
                even.pts = None
                fifo.write(even)
            while (block := fifo.read(RATE)) is not None:
                yield _floats(block)
    if (block := fifo.read(RATE, partial=True)) is not None:
        yield _floats(block)


def _floats(block: av.AudioFrame) -> Samples:
    return block.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)


class SoundFile:
    """One file of sound, whole or none at all: whoever raises inside leaves nothing."""

    def __init__(
        self,
        path: Path,
        container: str,
        codec: str,
        sample_format: str,
        bits: int = 0,
        layout: str = "stereo",
    ) -> None:
        self._path = path
        aac = codec == "aac"
        self._container = av.open(
            str(path), "w", format=container, options={"movflags": "+faststart"} if aac else {}
        )
        stream: Any = self._container.add_stream(
            codec, rate=RATE, layout=layout, options=_CODER if aac else {}
        )
        self._stream = stream
        self._stream.format = sample_format
        if bits:
            self._stream.bit_rate = bits
        self._stream.time_base = Fraction(1, RATE)
        self._resampler = av.AudioResampler(
            format=sample_format, layout=layout, rate=RATE, frame_size=self._frame_size()
        )
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._encode(self._resampler.resample(None))
                self._container.mux(self._stream.encode(None))
        finally:
            try:
                self._container.close()
            except (FFmpegError, OSError):
                if kind is None:
                    raise
        if kind is None:
            with self._path.open("rb") as file:
                os.fsync(file.fileno())

    def add(self, samples: Samples) -> None:
        """The next samples."""
        if len(samples):
            self._encode(self._resampler.resample(sound_frame(samples, self._position)))
            self._position += len(samples)

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._container.mux(self._stream.encode(frame))

    def _frame_size(self) -> int:
        self._stream.codec_context.open(strict=False)
        return int(self._stream.codec_context.frame_size)
