"""Who speaks when, from the levels of everybody's voice. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recordings.compose.loudness import LEVELS_PER_SECOND, SILENCE_DB

Levels = npt.NDArray[np.float32]  # dB, LEVELS_PER_SECOND of them a second

# Evened voices are near -23 dB; coughs and papers are over before half a second has been averaged.
_SPEAKS_DB: Final = -38.0
_AVERAGED: Final = LEVELS_PER_SECOND // 2
# Somebody who speaks into another's sentence has to be this much louder to be framed.
_LOUDER_DB: Final = 6.0
# A pause for breath is not the end of a turn.
_BREATH: Final = 2 * LEVELS_PER_SECOND


class Turn(NamedTuple):
    """From `begin` to `end`, in seconds of the film, `peer_id` is the one who speaks."""

    begin: float
    end: float
    peer_id: str


def find_turns(levels: Mapping[str, Levels]) -> tuple[Turn, ...]:
    """The turns in order; they never overlap."""
    if not levels:
        return ()
    peers = list(levels)
    length = max(len(one) for one in levels.values())
    table = np.full((len(peers), length), SILENCE_DB, np.float32)
    for row, peer in enumerate(peers):
        table[row, : len(levels[peer])] = averaged(levels[peer])
    loudest = table.argmax(axis=0)
    turns: list[Turn] = []
    holder, begin, heard = -1, 0, 0  # since when, and when last
    for at in range(length):
        first = int(loudest[at])
        level = float(table[first, at])
        if holder >= 0 and table[holder, at] > max(_SPEAKS_DB, level - _LOUDER_DB):
            heard = at
        elif level > _SPEAKS_DB:
            if holder >= 0:
                turns.append(_turn(begin, at, peers[holder]))
            holder, begin, heard = first, at, at
        elif holder >= 0 and at - heard >= _BREATH:
            turns.append(_turn(begin, heard + 1, peers[holder]))
            holder = -1
    if holder >= 0:
        turns.append(_turn(begin, heard + 1, peers[holder]))
    return tuple(turns)


def averaged(levels: Levels) -> Levels:
    """Each level with those around it, so that one loud tenth of a second is no speech."""
    if len(levels) < _AVERAGED:
        return levels
    return np.convolve(levels, np.full(_AVERAGED, 1 / _AVERAGED, np.float32), "same").astype(np.float32)


def _turn(begin: int, end: int, peer_id: str) -> Turn:
    return Turn(begin / LEVELS_PER_SECOND, end / LEVELS_PER_SECOND, peer_id)


class Speech:
    """Answers who speaks at a moment, and who has spoken most within a time."""

    def __init__(self, turns: Sequence[Turn] = ()) -> None:
        self.turns = tuple(turns)
        self._begins = [turn.begin for turn in self.turns]

    def speaker_at(self, seconds: float) -> str | None:
        """The peer whose turn it is."""
        index = bisect_right(self._begins, seconds) - 1
        if index < 0 or self.turns[index].end <= seconds:
            return None
        return self.turns[index].peer_id

    def loudest(self, begin: float, end: float) -> tuple[str, ...]:
        """Those who spoke between two moments, most first."""
        spoken: dict[str, float] = {}
        for turn in self.turns[max(0, bisect_right(self._begins, begin) - 1) :]:
            if turn.begin >= end:
                break
            shared = min(turn.end, end) - max(turn.begin, begin)
            if shared > 0:
                spoken[turn.peer_id] = spoken.get(turn.peer_id, 0.0) + shared
        return tuple(sorted(spoken, key=lambda peer: -spoken[peer]))
