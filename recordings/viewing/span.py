"""The stretch of the wall clock that a report may count. Pure.

Nobody watches two recordings at once: time that was spent on another one is not there to be spent again, nor is what
had been carried over from before it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from recordings.viewing.coverage import LONGEST_REPORT

# A clock is set right by less than this now and then, and nobody gets that time twice. A moment further ahead was
# written by a clock that was wrong: waiting for it to come would count nothing for as long as it was wrong.
_AHEAD: Final = timedelta(seconds=LONGEST_REPORT)


@dataclass(frozen=True, slots=True)
class Span:
    """It begins at `begin` and ends now; `unbroken` where what was carried over from before still counts."""

    begin: datetime
    unbroken: bool


def span(reported_at: datetime, elsewhere: datetime | None, now: datetime) -> Span:
    """Since the last report, or since time was last spent `elsewhere`, on another recording: a believable moment."""
    begin = believable(reported_at, now)
    if elsewhere is None or elsewhere < begin:
        return Span(begin, unbroken=True)
    return Span(elsewhere, unbroken=False)


def latest_believable(now: datetime) -> datetime:
    """A moment that was noted and is later than this cannot have been yet."""
    return now + _AHEAD


def believable(moment: datetime, now: datetime) -> datetime:
    """A moment that was noted; `now` for one that cannot have been yet."""
    return now if moment > latest_believable(now) else moment
