"""How long a recording is kept, and when it may go: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from rooms.meetings.states import MeetingKind

FOR_EVER: Final = 0
LONGEST_DAYS: Final = 36_500
# What the officers have between seeing it coming and losing it, however short a new rule is, and whatever the clock
# says meanwhile: it runs out with the server's own time, in which they can see it (`recordings.upkeep.uptime`).
NOTICE: Final = timedelta(days=14)
# When it is shown beforehand.
WARNING: Final = timedelta(days=30)
NIGHT_BEGINS: Final = 1
NIGHT_ENDS: Final = 5


@dataclass(frozen=True, slots=True)
class Keeping:
    """What one organization says: days in general and by kind; None and absent kinds say nothing."""

    days: int | None = None
    by_kind: Mapping[MeetingKind, int] = field(default_factory=dict)


def keep_days(kind: MeetingKind, nearest_first: Sequence[Keeping], default: int) -> int:
    """The days a recording of this kind is kept, FOR_EVER (0) without end.

    The nearest organization that says anything about the kind or about all counts, and of what it says the kind goes
    before the general.
    """
    for keeping in nearest_first:
        if kind in keeping.by_kind:
            return keeping.by_kind[kind]
        if keeping.days is not None:
            return keeping.days
    return default


def due_at(ended_at: datetime, days: int) -> datetime | None:
    """When the rule lets a recording go; None: never."""
    return None if days <= FOR_EVER else ended_at + timedelta(days=days)


def notice_left(warned_uptime: int | None, uptime: int) -> timedelta:
    """What is left of NOTICE, from the server's uptime now and when it was announced; None: it is not."""
    if warned_uptime is None:
        return NOTICE
    return max(timedelta(), NOTICE - timedelta(seconds=uptime - warned_uptime))


def deletes_at(due: datetime | None, left: timedelta, now: datetime) -> datetime | None:
    """When it will really be deleted: not before the rule says, nor before what is `notice_left`. None: never."""
    return None if due is None else max(due, now + left)


def must_warn(due: datetime | None, now: datetime) -> bool:
    """Whether the time to show it beforehand has come."""
    return due is not None and now >= due - WARNING


def may_go(due: datetime | None, left: timedelta, now: datetime) -> bool:
    """Whether the rule deletes it now. A clock set back, or a rule made longer, only keeps it longer."""
    return due is not None and now >= due and not left


def is_night(local: datetime) -> bool:
    """When what costs the disk is done."""
    return NIGHT_BEGINS <= local.hour < NIGHT_ENDS
