"""Where a film can be entered: its beginning, the agenda's items as begun, shared screens, interruptions. Pure."""

import math
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from recordings.compose.brief import Brief
from recordings.compose.story import Story
from recordings.compose.texts import FilmTexts
from recordings.renditions import Chapter
from recordings.tracks import TrackSource

# Nobody jumps to what begins sooner than this after something else.
_APART_SECONDS: Final = 10.0
# A screen shown for less was a mistake, or a glance.
_SHORTEST_SHARE: Final = 10.0
_MOST: Final = 100
_LONGEST_TITLE: Final = 80


def find_chapters(story: Story, brief: Brief, texts: FilmTexts) -> tuple[Chapter, ...]:
    """In order, the first at 0. Where two are close, what people wrote goes before what happened by itself."""
    kept: list[Chapter] = []
    for begin, title in (*_said(story, brief), *_seen(story, texts)):
        near = any(abs(begin - chapter.start_seconds) < _APART_SECONDS for chapter in kept)
        if near or not _APART_SECONDS <= begin < story.duration:
            continue
        kept.append(Chapter(round(begin, 2), _short(title)))
    first = Chapter(0.0, _short(brief.title or texts.say("beginning")))
    return (first, *sorted(kept, key=lambda chapter: chapter.start_seconds)[: _MOST - 1])


def _said(story: Story, brief: Brief) -> Iterator[tuple[float, str]]:
    """Items in the order in which they were said to begin, which they keep however the clock was set in between."""
    moments = [datetime.fromisoformat(mark.at) for mark in brief.marks]
    heard = _heard(story, moments)
    earliest = 0.0
    for index, (mark, at, place) in enumerate(zip(brief.marks, moments, heard, strict=True)):
        begin = place
        if begin is None:
            by_clock = _by_clock(story, at)
            latest = next((later for later in heard[index:] if later is not None), math.inf)
            begin = min(max(math.inf if by_clock is None else by_clock, earliest), latest)
        if begin < math.inf:
            earliest = max(earliest, begin)
            yield begin, mark.title


def _seen(story: Story, texts: FilmTexts) -> Iterator[tuple[float, str]]:
    for interruption in story.interruptions:
        yield interruption.span[0], texts.say("interrupted", length=texts.length(interruption.seconds))
    for clip in story.clips:
        if clip.source is TrackSource.SCREEN:
            for begin, end in clip.spans:
                if end - begin >= _SHORTEST_SHARE:
                    yield begin, texts.say("shares", name=clip.name)


def _heard(story: Story, moments: Sequence[datetime]) -> list[float | None]:
    """Where each moment is, as far as capture noted it.

    Several can have one time: a room's own stands still while a clock that was set back catches up with it.
    """
    places: dict[datetime, deque[float]] = defaultdict(deque)
    for stretch in story.stretches:
        for at, place in stretch.marks:
            places[at].append(place)
    return [places[at].popleft() if places[at] else None for at in moments]


def _by_clock(story: Story, at: datetime) -> float | None:
    """Where the server's clock puts a moment; what was not captured is where capture went on, None after all of it."""
    later: float | None = None
    for stretch in reversed(story.stretches):
        passed = (at - stretch.started_at).total_seconds()
        if passed >= 0:
            return stretch.begin + passed if passed < stretch.end - stretch.begin else later
        later = stretch.begin
    return later


def _short(title: str) -> str:
    line = " ".join(title.split())
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"
