"""Looks through a captured file without decoding: from when to when there is something in it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError

from recordings.compose.isolation import SILENCE_SECONDS, Broken, Isolated

Wanted = Sequence[tuple[Path, float]]


@dataclass(frozen=True, slots=True)
class Scan:
    """Runs of packets, in seconds of the track, with no pause longer than was asked for within a run."""

    runs: tuple[tuple[float, float], ...]
    packets: int
    keys: tuple[float, ...]  # where decoding can begin


def scan_files(wanted: Wanted, silence: float = SILENCE_SECONDS) -> list[Scan | None]:
    """`scan` of each file with its longest pause; None where it cannot be opened, or kills or keeps whoever tries."""
    found: list[Scan | None] = []
    while len(found) < len(wanted):
        with closing(Isolated(_scans, wanted[len(found) :], silence=silence)) as scans:
            try:
                for (contents,) in scans:
                    found.append(contents)
            except Broken:
                found.append(None)
    return found


def _scans(wanted: Wanted) -> Iterator[tuple[Scan | None]]:
    for path, longest_pause in wanted:
        try:
            yield (scan(path, longest_pause),)
        except (FFmpegError, OSError, ValueError, IndexError):
            yield (None,)


def scan(path: Path, longest_pause: float) -> Scan:
    """Read every packet's time; FFmpegError, OSError, ValueError or IndexError where the file cannot be opened.

    A file that is damaged in the middle or cut off gives what comes before.
    """
    runs: list[tuple[float, float]] = []
    packets = 0
    keys: list[float] = []
    with av.open(str(path)) as container:
        stream = container.streams[0]
        time_base = float(stream.time_base or 0)
        try:
            for packet in container.demux(stream):
                if packet.pts is None or not packet.size:
                    continue
                packets += 1
                at = packet.pts * time_base
                if packet.is_keyframe:
                    keys.append(at)
                if runs and at - runs[-1][1] <= longest_pause:
                    runs[-1] = (runs[-1][0], max(at, runs[-1][1]))
                else:
                    runs.append((at, at))
        except FFmpegError:
            pass  # what came before stands
    return Scan(tuple(runs), packets, tuple(keys))
