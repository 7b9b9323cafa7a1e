"""Who comes first where bandwidth is short, as long as the client says nothing itself (`setPriority`).

It belongs here: media knows no sources, and every client, whoever wrote it, should show a shared page before faces.
"""

from typing import Final

from rooms.live.events import Source

_SCREEN: Final = 200
_SPEAKER: Final = 150
_CAMERA: Final = 100


def default_priority(source: Source, *, speaking: bool) -> int:
    """1..255: a shared screen, then who speaks, then everybody else. Sound takes no part: it is never paused."""
    if source is Source.SCREEN:
        return _SCREEN
    return _SPEAKER if speaking and source is Source.CAMERA else _CAMERA
