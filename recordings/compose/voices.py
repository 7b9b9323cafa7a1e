"""Decodes one track's sound and puts it where it belongs on the film's time line."""

from collections.abc import Iterator
from typing import Final

import av
import numpy as np
from av.error import FFmpegError

from recordings.compose.loudness import RATE, Samples
from recordings.compose.scan import Span
from recordings.compose.story import Clip
from recordings.faults import raise_if_starved

# Nearer than this a packet simply follows the one before: its time is only as exact as clocks and rounding are.
_LOOSE: Final = RATE * 2 // 1000
# Shorter than the shortest packet of Opus, longer than a rounding: something is missing, and stays silent.
_GAP_SECONDS: Final = 0.002
# Further than this the clocks have leapt; in between, a few samples more or less a packet make up for it.
_LEAP: Final = RATE * 40 // 1000
_PACKETS_A_SECOND: Final = 50
_FORMAT: Final = "flt"
_LAYOUT: Final = "stereo"
# 5 of 960 samples are half a per cent, which nobody hears.
_STRETCH: Final = 5 / 960


class Voice:
    """Read forward only."""

    def __init__(self, clip: Clip) -> None:
        self._undecoded: list[Span] = []
        self._pieces = _placed(clip, self._undecoded)
        self._piece: tuple[int, Samples] | None = None

    def mix_into(self, buffer: Samples, begin: int) -> bool:
        """Add what sounds from sample `begin` of the film on to the buffer; whether there was anything."""
        end = begin + len(buffer)
        found = False
        while True:
            if self._piece is None:
                self._piece = next(self._pieces, None)
            if self._piece is None or self._piece[0] >= end:
                return found
            start, samples = self._piece
            skipped = max(0, begin - start)
            part = samples[skipped : end - start]
            found = found or len(part) > 0
            offset = start + skipped - begin
            buffer[offset : offset + len(part)] += part
            if start + len(samples) > end:
                return found
            self._piece = None

    def take_undecoded(self) -> list[Span]:
        """Seconds of the track that could not be had since the last time."""
        taken = self._undecoded.copy()
        self._undecoded.clear()
        return taken


def listen(clip: Clip) -> Iterator[None]:
    """Decode all of it for nothing but to see whether it can be done; None with every second or so."""
    for number, _ in enumerate(_decode(clip, [])):
        if number % _PACKETS_A_SECOND == 0:
            yield None


def _placed(clip: Clip, undecoded: list[Span]) -> Iterator[tuple[int, Samples]]:
    """Pieces with their first sample on the film's time line, which never overlap."""
    cursor: int | None = None
    expected = 0.0  # where in the track the next packet begins if none is missing
    for at, samples in _decode(clip, undecoded):
        wanted = round(clip.when(at) * RATE)
        piece = samples
        if cursor is None or at - expected > _GAP_SECONDS or abs(wanted - cursor) > _LEAP:
            start = wanted if cursor is None else max(cursor, wanted)
            piece = samples[start - wanted :]
        else:
            start = cursor
            if abs(wanted - cursor) > _LOOSE:
                piece = stretched(samples, wanted - cursor)
        cursor, expected = start + len(piece), at + len(samples) / RATE
        if len(piece):
            yield start, piece


def stretched(samples: Samples, wanted: int) -> Samples:
    """The same sound with up to `wanted` samples more, or fewer where negative, within what nobody hears."""
    most = max(1, int(len(samples) * _STRETCH))
    length = len(samples) + max(-most, min(most, wanted))
    places = np.linspace(0, len(samples) - 1, length)
    before = places.astype(np.intp)
    after = np.minimum(before + 1, len(samples) - 1)
    share = (places - before).astype(np.float32)[:, None]
    return samples[before] * (1 - share) + samples[after] * share


def _decode(clip: Clip, undecoded: list[Span]) -> Iterator[tuple[float, Samples]]:
    """(seconds of the track, samples) packet by packet; what does not decode is noted in `undecoded`."""
    decoder = av.CodecContext.create("libopus", "r")
    at = 0.0
    try:
        with av.open(str(clip.path)) as container:
            stream = container.streams.audio[0]
            decoder.extradata = stream.codec_context.extradata
            decoder.options = {"request_sample_fmt": _FORMAT}
            time_base = float(stream.time_base or 0)
            resampler = av.AudioResampler(format=_FORMAT, layout=_LAYOUT, rate=RATE)
            for packet in container.demux(stream):
                if packet.pts is None or not packet.size:
                    continue
                at = packet.pts * time_base
                try:
                    frames = decoder.decode(packet)
                except FFmpegError as error:  # a gap of one packet
                    raise_if_starved(error)
                    undecoded.append((at, at + 1 / _PACKETS_A_SECOND))
                    continue
                for frame in frames:
                    for even in [frame] if _is_even(frame) else resampler.resample(frame):
                        samples = even.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)
                        yield at, samples
                        at += len(samples) / RATE
    except (FFmpegError, IndexError) as error:  # what came before stands
        raise_if_starved(error)
        undecoded.append((at, max(at, clip.seconds)))


def _is_even(frame: av.AudioFrame) -> bool:
    """Whether the decoder gives what is wanted already, as that of Opus does of stereo."""
    return (frame.format.name, frame.layout.name, frame.sample_rate) == (_FORMAT, _LAYOUT, RATE)
