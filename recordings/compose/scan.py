"""Looks through a captured file without decoding: from when to when there is something in it."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError


@dataclass(frozen=True, slots=True)
class Scan:
    """Runs of packets, in seconds of the track, with no pause longer than was asked for within a run."""

    runs: tuple[tuple[float, float], ...]
    packets: int
    keys: tuple[float, ...]  # where decoding can begin


def scan(path: Path, longest_pause: float) -> Scan:
    """Read every packet's time; OSError (av's errors are such, or ValueError) where the file cannot be opened.

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
