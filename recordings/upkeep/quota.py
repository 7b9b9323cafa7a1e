"""How full an organization's room is: pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Past the quota recording goes on for so much more; then no new meeting is scheduled with a recording.
RESERVE: Final = 1.1


class Fullness(StrEnum):
    """What is said about it; the values are the interface's."""

    FINE = "fine"
    FILLING = "filling"  # 80 %
    NEARLY_FULL = "nearly_full"  # 90 %
    FULL = "full"  # 100 %: living on the reserve
    EXHAUSTED = "exhausted"  # the reserve is used up: new meetings are refused a recording


WARNS_FROM: Final = 0.8
"""The share of a quota from which on something is said."""

_STEPS: Final = (
    (RESERVE, Fullness.EXHAUSTED),
    (1.0, Fullness.FULL),
    (0.9, Fullness.NEARLY_FULL),
    (WARNS_FROM, Fullness.FILLING),
)


@dataclass(frozen=True, slots=True)
class Room:
    """`used` and `quota` in bytes; no quota: as much as the disk has."""

    used: int
    quota: int | None

    @property
    def share(self) -> float | None:
        """0.. of the quota, None without one."""
        return self.used / self.quota if self.quota else None

    @property
    def fullness(self) -> Fullness:
        """The highest step reached."""
        share = self.share
        if share is None:
            return Fullness.FINE
        return next((fullness for step, fullness in _STEPS if share >= step), Fullness.FINE)
