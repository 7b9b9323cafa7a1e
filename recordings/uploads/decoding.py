"""Decodes whatever a film is, to its end: pictures, sound that begins with them, and what is not to be had."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.error import BlockingIOError as NothingYet
from av.error import FFmpegError, InvalidDataError

from recordings.compose.loudness import RATE, Samples
from recordings.compose.scan import Span
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.sound import Mix
from recordings.faults import blame_machine
from recordings.uploads.damage import Track, lost
from recordings.uploads.frames import Frames
from recordings.uploads.probe import Refused, film_stream, open_film, tame
from recordings.uploads.rules import LONGEST_SECONDS, Refusal

# Sound this far from its place is put right; less is the rounding of containers.
_OUT_OF_PLACE: Final = RATE // 10
# So many packets in a row that do not decode are a damaged rest.
_MOST_ERRORS: Final = 500
# So many frames of a kind in a row that lie before what came already are one too: a stream may repeat itself for ever.
_MOST_STALE: Final = 25_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A film that has been decoded to its end: its frames, the second of its own time at which the first appears.

    `pictures_lost` and `sound_lost`: seconds, by its own time.
    """

    frames: int
    begin: float
    pictures_lost: tuple[Span, ...]
    sound_lost: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames / FRAME_RATE


def decode(
    source: Path, pictures: Frames, mix: Mix, expected: float, report: Callable[[float], None]
) -> Decoded:
    """Give away the pictures of the whole film, and its sound; tells the share of the `expected` seconds, 0..1.

    Raises Refused for a film that goes on for longer than any may, OSError of the machine. Both contexts are the
    caller's.
    """
    with open_film(source) as container:
        video = film_stream(container)
        audio = tame(container.streams.audio[0]) if container.streams.audio else None
        seen, heard = Track(), Track()
        sound, goes_on = _Sound(mix), _GoingOn()
        begin: float | None = None
        for frame in _frames(
            container, {video.index: seen, audio.index: heard} if audio else {video.index: seen}
        ):
            if frame.time is None:
                continue
            if begin is None:
                begin = frame.time
            at = frame.time - begin
            if at > LONGEST_SECONDS:
                raise Refused(Refusal.TOO_LONG)
            if not goes_on.after(type(frame), at):
                break
            if isinstance(frame, av.VideoFrame):
                seen.frame(frame.time, 1 / FRAME_RATE)
                pictures.add(frame, at)
                report(min(1.0, at / expected) if expected > 0 else 0.0)
            else:
                heard.frame(frame.time, frame.samples / frame.sample_rate)
                sound.add(frame, at)
        pictures.hold(sound.seconds)
        if not pictures.count:
            raise Refused(Refusal.NO_PICTURE)
        pictures.finish()
        sound.finish(pictures.count * RATE // FRAME_RATE)
    return Decoded(pictures.count, begin or 0.0, lost(seen, heard), lost(heard, seen))


def _frames(container: Any, tracks: Mapping[int, Track]) -> Any:
    """Every frame that decodes, in the order of the file; each track, by its stream's number, hears of the others."""
    errors = 0
    for packet in packets_of(container, [container.streams[number] for number in tracks]):
        track = tracks[packet.stream.index]
        at = None if packet.dts is None else float(packet.dts * packet.time_base)
        try:
            yield from packet.decode()
            errors = 0
        except FFmpegError as error:
            blame_machine(error)  # without memory nothing more would decode
            errors += 1
        if at is not None:
            track.packet(at, decodes=not errors)
        if errors > _MOST_ERRORS:
            break
    for track in tracks.values():
        track.finish()


def packets_of(container: Any, streams: list[Any]) -> Any:
    """Every packet that the container can read, also after some that it cannot."""
    for _ in range(_MOST_ERRORS):
        try:
            yield from container.demux(streams)
        except (InvalidDataError, NothingYet):  # as FFmpeg says of a broadcast that lacks a piece
            continue
        return


class _GoingOn:
    """Whether time still passes in a film. Pictures and sound have each their own: some hold one after the other."""

    def __init__(self) -> None:
        self._furthest: dict[type, float] = {}
        self._stale = 0

    def after(self, kind: type, at: float) -> bool:
        """Whether so much has not come in vain yet, with a frame of this kind."""
        if at > self._furthest.get(kind, -math.inf):
            self._furthest[kind] = at
            self._stale = 0
        else:
            self._stale += 1
        return self._stale <= _MOST_STALE


class _Sound:
    """Sound at its place from the first picture on, silence where there is none."""

    def __init__(self, mix: Mix) -> None:
        self._mix = mix
        self._shape: tuple[str, str, int] | None = None  # of what the resampler takes
        self._resampler = _resampler()
        self._count = 0

    @property
    def seconds(self) -> float:
        """How long it lasts so far."""
        return self._count / RATE

    def add(self, frame: av.AudioFrame, at: float) -> None:
        place = round(at * RATE)
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # as television's does between a film and what comes after it
            self._shape, self._resampler = shape, _resampler()
        for resampled in self._resampler.resample(frame):
            samples = resampled.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)
            if place - self._count > _OUT_OF_PLACE:
                self._silence(place - self._count)
            if self._count - place > _OUT_OF_PLACE:
                samples = samples[min(len(samples), self._count - place) :]
            self._put(samples)
            place += resampled.samples

    def finish(self, samples: int) -> None:
        """Fill up to the film's end."""
        self._silence(max(0, samples - self._count))

    def _silence(self, samples: int) -> None:
        while samples > 0:
            piece = min(samples, RATE)
            self._put(np.zeros((piece, 2), np.float32))
            samples -= piece

    def _put(self, samples: Samples) -> None:
        if not len(samples):
            return
        self._count += len(samples)
        self._mix.add(samples)


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout="stereo", rate=RATE)
