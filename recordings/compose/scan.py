"""Looks through a captured file without decoding: from when to when there is something in it, and what is torn."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError

from recordings.compose.isolation import SILENCE_SECONDS, Broken, Isolated
from recordings.faults import raise_if_starved

Wanted = Sequence[tuple[Path, float]]
Span = tuple[float, float]
# More than the elements before a file's first frame take, and than those between two frames (`capture.matroska`):
# what else stands there is nothing that capture wrote.
_LONGEST_HEAD: Final = 4096
_LONGEST_BETWEEN: Final = 64
# Of a block before its frame, counted from where FFmpeg says that the packet is.
_BLOCK_HEAD: Final = 4
# A sector that a disk never wrote. Nothing that was compressed holds so many zeros in a row.
_SECTOR: Final = bytes(512)


@dataclass(frozen=True, slots=True)
class Scan:
    """Runs of packets, in seconds of the track, with no pause longer than was asked for within a run."""

    runs: tuple[Span, ...]
    packets: int
    keys: tuple[float, ...]  # where decoding can begin
    torn: tuple[Span, ...] = ()  # from the last packet before to the first after something that is none


def scan_files(
    wanted: Wanted, blame: Callable[[int, Broken], None], silence: float = SILENCE_SECONDS
) -> list[Scan | None]:
    """`scan` of each file with its longest pause; None where it cannot be opened, or kills or keeps whoever tries.

    Of the latter `blame` is told which one it was and how; what it raises ends the scan.
    """
    found: list[Scan | None] = []
    while len(found) < len(wanted):
        with closing(Isolated(_scans, wanted[len(found) :], silence=silence)) as scans:
            try:
                for (contents,) in scans:
                    found.append(contents)
            except Broken as broken:
                blame(len(found), broken)
                found.append(None)
    return found


def _scans(wanted: Wanted) -> Iterator[tuple[Scan | None]]:
    for path, longest_pause in wanted:
        try:
            yield (scan(path, longest_pause),)
        except (FFmpegError, OSError, ValueError, IndexError) as error:
            raise_if_starved(error)
            yield (None,)


def scan(path: Path, longest_pause: float) -> Scan:
    """Read every packet's time; FFmpegError, OSError, ValueError or IndexError where the file cannot be opened.

    What is torn is passed over: reading goes on with the next cluster, two seconds later at most.
    """
    runs: list[Span] = []
    packets = 0
    keys: list[float] = []
    torn: list[Span] = []
    is_torn = False
    read = 0  # bytes of the file
    last = 0.0  # second of the track that was read
    with av.open(str(path)) as container:
        stream = container.streams[0]
        time_base = float(stream.time_base or 0)
        try:
            for packet in container.demux(stream):
                if packet.pts is None or not packet.size:
                    continue
                begin = packet.pos or 0
                is_torn = is_torn or begin - read > (_LONGEST_BETWEEN if packets else _LONGEST_HEAD)
                read = begin + _BLOCK_HEAD + packet.size
                if packet.size > len(_SECTOR) and _SECTOR in bytes(packet):
                    is_torn = True
                    continue
                at = packet.pts * time_base
                if is_torn:
                    torn.append((last, at))
                is_torn, last = False, at
                packets += 1
                if packet.is_keyframe:
                    keys.append(at)
                if runs and at - runs[-1][1] <= longest_pause:
                    runs[-1] = (runs[-1][0], max(at, runs[-1][1]))
                else:
                    runs.append((at, at))
        except FFmpegError as error:
            raise_if_starved(error)
            # What came before stands; the journal knows how much it was.
    return Scan(tuple(runs), packets, tuple(keys), tuple(torn))
