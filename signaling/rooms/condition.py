"""How a participant does: two grades, and the troubles by name. Rules over what media and the room know; no clock."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from media.quality import Trouble
from rooms.live.events import Source

RECONNECTING: Final = "reconnecting"  # the connection is lost, the grace period runs
MICROPHONE_SILENT: Final = "microphoneSilent"  # it is on, and sends nothing
CAMERA_SILENT: Final = "cameraSilent"
PICTURE_STARVED: Final = "pictureStarved"  # at least one picture is paused, because nothing fits

# Worst first: who hears nothing, who is not heard, who is not seen, who sees badly. What can be done about it differs
# for each, so a person's row names all he has, in this order.
GRAVITY: Final = (
    RECONNECTING,
    Trouble.NO_PATH.value,
    MICROPHONE_SILENT,
    Trouble.LOSS_UP.value,
    Trouble.LOSS_DOWN.value,
    CAMERA_SILENT,
    PICTURE_STARVED,
    Trouble.BANDWIDTH_DOWN.value,
    Trouble.BANDWIDTH_UP.value,
    Trouble.DELAY.value,
    Trouble.JITTER_UP.value,
)
_RANK: Final = {name: rank for rank, name in enumerate(GRAVITY)}
_SILENT: Final = {Source.MICROPHONE: MICROPHONE_SILENT, Source.CAMERA: CAMERA_SILENT}
FULL: Final = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """Grades 0 (nothing passes) to 5 (good); `troubles` are sorted worst first."""

    up: int
    down: int
    troubles: tuple[str, ...]

    def view(self) -> dict[str, Any]:
        """As clients get it."""
        return {"up": self.up, "down": self.down, "troubles": list(self.troubles)}

    @property
    def gravity(self) -> tuple[int, int]:
        """A key to sort by, worst first."""
        worst = _RANK[self.troubles[0]] if self.troubles else len(GRAVITY)
        return worst, min(self.up, self.down)


def condition(
    *,
    up: Collection[int],
    down: Collection[int],
    network: Collection[Trouble],
    silent: Collection[Source],
    starved: bool,
    reconnecting: bool,
) -> Condition:
    """From the grades of all transports of each direction, and what is wrong.

    `silent` are sources that are on and send nothing. Who has no path sends nothing either: that is no second trouble.
    """
    found = {trouble.value for trouble in network}
    if Trouble.NO_PATH not in network:
        found |= {_SILENT[source] for source in silent if source in _SILENT}
    if starved:
        found.add(PICTURE_STARVED)
    if reconnecting:
        found.add(RECONNECTING)
    return Condition(
        min(up, default=FULL), min(down, default=FULL), tuple(sorted(found, key=_RANK.__getitem__))
    )
