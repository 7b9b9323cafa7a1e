"""Reads a segment's journal into records. Total: what is not as it should be is left out."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from recordings.capture.journal import read_lines
from recordings.compose.timeline import Point, Report
from recordings.states import Failure
from recordings.tracks import TrackSource

_MICROSECONDS: Final = 1_000_000
_NTP_FRACTION: Final = 1 << 32
_MAXIMUM_NUMBER: Final = 1 << 63
_HIGHEST_CLOCK_RATE: Final = 1_000_000


@dataclass(slots=True)
class TrackRecord:
    """A track as the journal tells it; times are seconds of the segment, positions seconds of the track."""

    number: int
    path: Path
    source: TrackSource
    peer_id: str
    display_name: str
    person_key: str
    clock_rate: int
    begun: float
    closed: float | None = None
    pauses: list[tuple[float, float | None]] = field(default_factory=list)
    anchors: list[Point] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    written: float = 0.0  # up to here there were frames in the file, as far as the journal goes


@dataclass(frozen=True, slots=True)
class LostTrack:
    """What capture could not take, from the beginning or from somewhere on; `cause` is in English."""

    number: int
    source: TrackSource
    person_key: str
    display_name: str
    cause: str
    at: float  # seconds of the segment: since then


@dataclass(slots=True)
class SegmentRecord:
    """One run of capture."""

    folder: Path
    started_at: datetime
    start_us: int
    boot: str = ""  # of the system: within one `us` goes on from segment to segment
    tracks: dict[int, TrackRecord] = field(default_factory=dict)
    ended: float | None = None  # None: cut off by a kill
    failure: Failure | None = None
    # person -> what the server's clock showed when he spoke last of his picture, and whether it is to be hidden
    wishes: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    clock_set: tuple[datetime, float] | None = None  # last: what the server's clock showed, and when
    marks: list[tuple[datetime, float]] = field(
        default_factory=list
    )  # as the records have it, and when that was
    lost: list[LostTrack] = field(default_factory=list)  # one for all of a kind of one person, for one cause

    def shown_at(self, seconds: float) -> datetime:
        """What the server's clock showed in the end, at this second or later; what it was set to counts."""
        shown, since = self.clock_set or (self.started_at, 0.0)
        return shown + timedelta(seconds=seconds - since)

    def seconds_after(self, other: "SegmentRecord", ended: float, begin: float) -> float:
        """How long after `ended` of the other segment this one's `begin` is, each in its own seconds.

        Clocks are set, also while the server is down, so the monotonic one tells wherever it was not begun anew.
        """
        if self.boot and self.boot == other.boot:
            return (self.start_us - other.start_us) / _MICROSECONDS + begin - ended
        return (self.started_at + timedelta(seconds=begin) - other.shown_at(ended)).total_seconds()


def read_segment(folder: Path) -> SegmentRecord | None:
    """The folder's segment, None where its journal cannot be read or does not even begin."""
    segment: SegmentRecord | None = None
    try:
        for line in read_lines(folder):
            try:
                if segment is None:
                    segment = _begin(folder, line)
                else:
                    _apply(segment, line)
            except (KeyError, TypeError, ValueError, OverflowError):
                continue
    except OSError:
        return segment
    return segment


def _begin(folder: Path, line: dict[str, Any]) -> SegmentRecord | None:
    if line["event"] != "segment":
        return None
    return SegmentRecord(folder, _moment(line["startedAt"]), _integer(line["us"]), str(line.get("boot", "")))


def _apply(segment: SegmentRecord, line: dict[str, Any]) -> None:
    event = line["event"]
    if event == "track":
        record = _track(segment, line)
        segment.tracks.setdefault(record.number, record)
    elif event == "picture":
        at = segment.shown_at(_seconds(segment, line))
        segment.wishes[str(line["personKey"])] = at, line["hidden"] is True
    elif event == "mark":
        segment.marks.append((_moment(line["at"]), _seconds(segment, line)))
    elif event == "clock":
        segment.clock_set = (_moment(line["at"]), _seconds(segment, line))
    elif event == "lost":
        _lose(
            segment,
            LostTrack(
                _integer(line["track"]),
                TrackSource(line["source"]),
                str(line["personKey"]),
                str(line["displayName"]),
                str(line["cause"]),
                _seconds(segment, line),
            ),
        )
    elif event == "end":
        segment.failure = Failure(line["failure"]) if "failure" in line else None
        segment.ended = _seconds(segment, line) if "us" in line else None
    else:
        _note(segment.tracks[_integer(line["track"])], event, _seconds(segment, line), line)


def _lose(segment: SegmentRecord, lost: LostTrack) -> None:
    """A camera that cannot be captured is told of once, however often it is turned on."""
    if all(replace(known, number=lost.number, at=lost.at) != lost for known in segment.lost):
        segment.lost.append(lost)


def _note(track: TrackRecord, event: str, at: float, line: dict[str, Any]) -> None:
    if event == "anchor":
        track.anchors.append(Point(_position(track, line), at))
        track.written = max(track.written, _integer(line.get("written", 0)) / track.clock_rate)
    elif event == "report":
        ntp = _integer(line["ntp"]) / _NTP_FRACTION
        track.reports.append(Report(_position(track, line), ntp, at))
    elif event == "paused" and not (track.pauses and track.pauses[-1][1] is None):
        track.pauses.append((at, None))
    elif event == "resumed" and track.pauses and track.pauses[-1][1] is None:
        track.pauses[-1] = (track.pauses[-1][0], at)
    elif event == "closed":
        track.closed = at


def _track(segment: SegmentRecord, line: dict[str, Any]) -> TrackRecord:
    name = str(line["file"])
    if Path(name).name != name:
        raise ValueError("a media file lies beside its journal")
    clock_rate = _integer(line["clockRate"])
    if not 0 < clock_rate <= _HIGHEST_CLOCK_RATE:
        raise ValueError("no clock rate")
    begun = _seconds(segment, line)
    return TrackRecord(
        number=_integer(line["track"]),
        path=segment.folder / name,
        source=TrackSource(line["source"]),
        peer_id=str(line["peerId"]),
        display_name=str(line["displayName"]),
        person_key=str(line.get("personKey") or f"member:{line.get('memberId')}"),
        clock_rate=clock_rate,
        begun=begun,
        pauses=[(begun, None)] if line.get("paused") else [],
    )


def _seconds(segment: SegmentRecord, line: dict[str, Any]) -> float:
    return (_integer(line["us"]) - segment.start_us) / _MICROSECONDS


def _position(track: TrackRecord, line: dict[str, Any]) -> float:
    return _integer(line["position"]) / track.clock_rate


def _moment(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a moment without a zone")
    return at


def _integer(value: Any) -> int:
    if type(value) is not int or abs(value) >= _MAXIMUM_NUMBER:
        raise ValueError("no integer")
    return value
