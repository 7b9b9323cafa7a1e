"""What was to be seen and heard when: all segments of a recording on the one time line of the composed film."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from recordings.capture.journal import JOURNAL_NAME, SEGMENT_PREFIX
from recordings.compose.brief import Brief
from recordings.compose.isolation import Broken
from recordings.compose.scan import Scan, Span, scan_files
from recordings.compose.segments import SegmentRecord, TrackRecord, read_segment
from recordings.compose.timeline import TimeMap, TrackClock, build_time_maps
from recordings.losses import Loss, bounded
from recordings.states import Failure
from recordings.tracks import TrackSource
from recordings.viewing.coverage import union

# A camera silent for this long is off; until then its last picture stands. Screens stand still for as long as nobody
# scrolls, and browsers then send next to nothing, so a screen is there until it is closed.
_CAMERA_PAUSE: Final = 5.0
# A packet's picture stands until the next one: about this long where there is none.
_LAST_PICTURE: Final = 0.04
# A file counts in ticks of 0.1 ms, and no two frames have the same.
_ROUNDING: Final = 0.01
# What an interruption of the server is shown as, however long it took.
INTERRUPTION_SECONDS: Final = 3.0
TITLE_SECONDS: Final = 4.0
_NO_BRIEF: Final = Brief()
_JOURNAL: Final = "journal"  # what is lost where a segment's cannot be read

Blame = Callable[[str, Broken], None]
"""Told which track's file has broken whoever looked through it; what it raises ends the reading."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One track; `when` maps seconds of its file to seconds of the film, `spans` is when it is to be seen or heard.

    All of it can be handed to another process.
    """

    key: str
    path: Path
    source: TrackSource
    peer_id: str
    name: str
    when: Callable[[float], float]
    spans: tuple[Span, ...]
    keys: tuple[float, ...] = ()  # seconds of the file at which decoding can begin
    hidden: bool = False  # the person asked not to be in the picture
    lost: tuple[Span, ...] = ()  # seconds of the file of which nothing can be had, their ends not included
    person: str = ""  # the key of whose it is

    @property
    def is_unseen(self) -> bool:
        """Whether it is the camera of who asked not to be in the picture, which nobody misses."""
        return self.hidden and self.source is TrackSource.CAMERA

    @property
    def seconds(self) -> float:
        """How long it is to be seen or heard."""
        return sum(end - begin for begin, end in self.spans)

    def is_lost(self, at: float) -> bool:
        """Whether nothing can be had of this second of the file."""
        return any(begin < at < end for begin, end in self.lost)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the film shows from `begin` to `end` happened from `started_at` on, by the server's clock as last set.

    `marks` are moments of that clock of which capture knows where in the film they are, even where somebody set the
    clock meanwhile.
    """

    started_at: datetime
    begin: float
    end: float
    marks: tuple[tuple[datetime, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Interruption:
    """The server was away for `seconds`, which the film shows as `span`."""

    span: Span
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """The whole of it; `failure` where capture was stopped.

    `losses` are files of which there is nothing, `uncaptured` what never came into one, or from somewhere on not.
    """

    clips: tuple[Clip, ...]
    interruptions: tuple[Interruption, ...]
    duration: float
    failure: Failure | None
    title: Span | None = None  # of the title card
    stretches: tuple[Stretch, ...] = ()
    losses: tuple[Loss, ...] = ()
    uncaptured: tuple[Loss, ...] = ()


def segment_folders(folder: Path) -> list[Path]:
    """The segments of a recording's folder, in the order they were captured."""
    return sorted(path.parent for path in folder.glob(f"{SEGMENT_PREFIX}*/{JOURNAL_NAME}"))


def _nobody_asks(_key: str, _broken: Broken) -> None:
    """What breaks whoever looks through it is left out."""


def read_story(folder: Path, brief: Brief = _NO_BRIEF, blame: Blame = _nobody_asks) -> Story:
    """Read the segments under `folder`; without any media its duration is 0."""
    clips: list[Clip] = []
    stretches: list[Stretch] = []
    interruptions: list[Interruption] = []
    failure: Failure | None = None
    losses: list[Loss] = []
    uncaptured: list[Loss] = []
    title = (0.0, TITLE_SECONDS) if brief.title else None
    end = title[1] if title else 0.0
    last: tuple[SegmentRecord, float] | None = None  # and when it ended, in its own seconds
    segments = [(path, read_segment(path)) for path in segment_folders(folder)]
    hidden = _hidden([segment for _, segment in segments if segment is not None], brief)
    for path, segment in segments:
        if segment is None:
            losses.append(Loss(path.name, _JOURNAL, "not to be read", spans=((end, end),)))
            continue
        found, unreadable = _tracks(segment, blame)
        failure = failure or segment.failure
        if not found:
            losses += _unreadable(unreadable, _NOTHING_SHOWN, hidden)
            uncaptured += _uncaptured(segment, _NOTHING_SHOWN, hidden)
            continue
        begin = min(track.begin for track in found)
        shift = end - begin
        if last is not None:
            away = segment.seconds_after(*last, begin)
            shown = min(max(away, 0.0), INTERRUPTION_SECONDS)
            interruptions.append(Interruption((end, end + shown), max(away, shown)))
            shift += shown
        clips += [track.clip(shift, _key(track.record), hidden) for track in found]
        finish = max(track.end for track in found)
        end = finish + shift
        part = _Shown(begin, finish, shift)
        losses += _unreadable(unreadable, part, hidden)
        uncaptured += _uncaptured(segment, part, hidden)
        marks = tuple((at, min(max(seconds, begin), finish) + shift) for at, seconds in segment.marks)
        stretches.append(Stretch(segment.shown_at(begin), begin + shift, end, marks))
        last = (segment, finish)
    if not clips:
        end = 0.0
    return Story(
        tuple(clips), tuple(interruptions), end, failure, title, tuple(stretches), tuple(losses), tuple(uncaptured)
    )  # fmt: skip


def _hidden(segments: Sequence[SegmentRecord], brief: Brief) -> frozenset[str]:
    """Who asked not to be in the picture. The last wish holds for the whole meeting, what came before it included.

    Neither the records nor the captured files need know of it: a database or a full disk may have refused it. Of two at
    the same moment the one to be hidden holds.
    """
    last: dict[str, tuple[datetime, bool]] = {}
    for segment in segments:
        last |= segment.wishes
    for wish in brief.wishes:
        recorded = datetime.fromisoformat(wish.at), wish.hidden
        last[wish.person] = max(recorded, last.get(wish.person, recorded))
    return frozenset(person for person, (_, hidden) in last.items() if hidden)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of a segment is in the film, in the segment's seconds; `shift` later there."""

    begin: float
    end: float
    shift: float

    def in_film(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """The same in seconds of the film, without what lies outside."""
        cut = ((max(begin, self.begin), min(end, self.end)) for begin, end in spans)
        return bounded((begin + self.shift, end + self.shift) for begin, end in cut if begin < end)


_NOTHING_SHOWN: Final = _Shown(0.0, 0.0, 0.0)


def _is_missed(source: TrackSource, person_key: str, hidden: frozenset[str]) -> bool:
    """Nobody misses the camera of who asked not to be in the picture."""
    return source is not TrackSource.CAMERA or person_key not in hidden


def _uncaptured(segment: SegmentRecord, shown: _Shown, hidden: frozenset[str]) -> list[Loss]:
    return [
        Loss(
            f"{segment.folder.name}/{lost.number}", lost.source.value, lost.cause, name=lost.display_name,
            spans=shown.in_film([(lost.at, shown.end)]), person=lost.person_key,
        )
        for lost in segment.lost
        if _is_missed(lost.source, lost.person_key, hidden)
    ]  # fmt: skip


def _unreadable(
    tracks: Iterable[tuple[TrackRecord, str]], shown: _Shown, hidden: frozenset[str]
) -> list[Loss]:
    """All of them, from when to when they were to be seen or heard as far as the journal knows."""
    losses: list[Loss] = []
    for record, cause in tracks:
        spans: list[Span] = [(record.begun, shown.end if record.closed is None else record.closed)]
        for paused, resumed in record.pauses:
            spans = [piece for span in spans for piece in _without(span, paused, resumed)]
        if _is_missed(record.source, record.person_key, hidden):
            losses.append(
                Loss(
                    _key(record),
                    record.source.value,
                    cause,
                    name=record.display_name,
                    spans=shown.in_film(spans),
                    person=record.person_key,
                )
            )
    return losses


@dataclass(frozen=True, slots=True)
class _Found:
    """A track in which there is something; times are seconds of its segment."""

    record: TrackRecord
    when: TimeMap
    spans: tuple[Span, ...]
    keys: tuple[float, ...]
    lost: tuple[Span, ...]

    @property
    def begin(self) -> float:
        return self.spans[0][0]

    @property
    def end(self) -> float:
        return max(end for _, end in self.spans)

    def clip(self, shift: float, key: str, hidden: frozenset[str]) -> Clip:
        record = self.record
        spans = tuple((begin + shift, end + shift) for begin, end in self.spans)
        return Clip(
            key,
            record.path,
            record.source,
            record.peer_id,
            record.display_name,
            self.when.later(shift),
            spans,
            self.keys,
            record.person_key in hidden,
            self.lost,
            record.person_key,
        )


def _tracks(segment: SegmentRecord, blame: Blame) -> tuple[list[_Found], list[tuple[TrackRecord, str]]]:
    """The segment's tracks in the order in which they began, and those that could not be read, with the cause."""
    records = sorted(segment.tracks.values(), key=lambda record: record.number)
    maps = build_time_maps(
        [TrackClock(record.peer_id, tuple(record.anchors), tuple(record.reports)) for record in records]
    )
    # Where nothing that could be written ever came (no key frame, or silence from the start), there is no file.
    there = [(record, when) for record, when in zip(records, maps, strict=True) if record.path.exists()]
    gone = [record for record in records if record.written and not record.path.exists()]
    contents = scan_files(
        [(record.path, _pause(record)) for record, _ in there],
        lambda index, broken: blame(_key(there[index][0]), broken),
    )
    found: list[_Found] = []
    unreadable = [(record, "there is no file") for record in gone]
    for (record, when), content in zip(there, contents, strict=True):
        if content is not None and content.packets and when is not None:
            lost = _lost(record, content)
            found.append(_Found(record, when, _spans(record, when, content), content.keys, lost))
        elif content.packets if content is not None else record.path.stat().st_size:
            cause = "not to be read" if content is None else "nothing is known of its clock"
            unreadable.append((record, cause))
    return found, unreadable


def _key(record: TrackRecord) -> str:
    return f"{record.path.parent.name}/{record.number}"


def _lost(record: TrackRecord, contents: Scan) -> tuple[Span, ...]:
    """What is torn out of the file, and what the journal knows of and is not there any more.

    Pictures are lost until the next key frame: what comes before it would be drawn onto others than it was meant for.
    Where none comes any more, that is better than nothing.
    """
    torn = list(contents.torn)
    end = max(finish for _, finish in contents.runs)
    if record.written - end > _ROUNDING:
        torn.append((end, record.written))
    if record.source.is_video:
        torn = [
            (begin, next((key for key in contents.keys if key >= finish), finish)) for begin, finish in torn
        ]
    return union(span for span in torn if span[0] < span[1])


def _pause(record: TrackRecord) -> float:
    return _CAMERA_PAUSE if record.source is TrackSource.CAMERA else math.inf


def _spans(record: TrackRecord, when: TimeMap, contents: Scan) -> tuple[Span, ...]:
    """When the track is there: its runs of packets, less its pauses; all but cameras are there until closed."""
    spans = [(when(begin), when(end) + _LAST_PICTURE) for begin, end in contents.runs]
    if record.source is not TrackSource.CAMERA and record.closed is not None:
        spans[-1] = (spans[-1][0], max(spans[-1][1], record.closed))
    if not record.source.is_video:
        return tuple(spans)  # who is muted is still there
    for paused, resumed in record.pauses:
        spans = [piece for span in spans for piece in _without(span, paused, resumed)]
    return tuple(spans) or ((when(contents.runs[0][0]), when(contents.runs[0][0]) + _LAST_PICTURE),)


def _without(span: Span, begin: float, end: float | None) -> Sequence[Span]:
    finish = math.inf if end is None else end
    pieces = ((span[0], min(span[1], begin)), (max(span[0], finish), span[1]))
    return [piece for piece in pieces if piece[0] < piece[1]]
