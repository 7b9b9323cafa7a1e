"""Long meetings that cost little: a short piece of picture or sound is encoded once and sent again and again.

Every ten seconds a person's picture turns white and the microphone beeps, both at the same moment of the person's life,
each person at a time of its own.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import numpy as np

from tests.recordings.av1 import Colour
from tests.recordings.publishers import (
    BLACK,
    WHITE,
    Publisher,
    Stream,
    encode_audio,
    encode_video,
    packetized,
    sine,
)

PERIOD: Final = 10
FPS: Final = 5
PULSE_SECONDS: Final = 0.4
# An Opus packet of nothing but its first byte (20 ms of CELT): what DTX sends now and then (RFC 6716, section 2.1.9).
QUIET_PACKET: Final = bytes([0xF8])
# Browsers' DTX sends one of 20 packets.
DTX_SECONDS: Final = 0.4
TONE: Final = 1_000.0


def flashing(person: Publisher, minutes: float, at: float, *, pace: float = 0.0) -> Stream:
    """A camera that turns white `at` seconds after the beginning of every ten."""
    piece = encode_video(_flash(at), PERIOD, "vp8", (160, 90), FPS, frozenset({0}))
    frames = itertools.chain.from_iterable(itertools.repeat(piece, _periods(minutes)))
    return person.stream("vp8", packetized("vp8", FPS, frames), pace=pace)


def beeping(person: Publisher, minutes: float, at: float, *, pace: float = 0.0) -> Stream:
    """A microphone that never stops sending and beeps at the same moments."""
    piece = encode_audio(_beep(at), PERIOD, 40)
    payloads = (
        (number * PERIOD + second, [data]) for number in range(_periods(minutes)) for second, data in piece
    )
    return person.stream("opus", payloads, pace=pace)


def silent_but_at(person: Publisher, seconds: float, beep: float, *, dtx: bool) -> Stream:
    """A microphone that says nothing from its first second until it beeps at `beep`, and then nothing again.

    With `dtx` a packet comes now and then meanwhile, without it none at all.
    """
    return person.stream("opus", _silence(seconds, beep, dtx=dtx))


def _silence(seconds: float, beep: float, *, dtx: bool) -> Iterator[tuple[float, list[bytes]]]:
    spoken = encode_audio(_beep(0.0), 1.0)
    yield from ((second, [data]) for second, data in spoken)
    if dtx:
        yield from ((step * DTX_SECONDS, [QUIET_PACKET]) for step in range(3, int(beep / DTX_SECONDS)))
    yield from ((beep + second, [data]) for second, data in spoken)
    if dtx:
        first = int((beep + 2) / DTX_SECONDS)
        yield from ((step * DTX_SECONDS, [QUIET_PACKET]) for step in range(first, int(seconds / DTX_SECONDS)))


@cache
def _flash(at: float) -> Callable[[float], Colour]:
    return lambda second: WHITE if at <= second < at + PULSE_SECONDS else BLACK


@cache
def _beep(at: float) -> Callable[[np.ndarray], np.ndarray]:
    tone = sine(TONE, 0.8)
    return lambda seconds: np.where((seconds >= at) & (seconds < at + PULSE_SECONDS), tone(seconds), 0)


def _periods(minutes: float) -> int:
    return round(minutes * 60 / PERIOD)
