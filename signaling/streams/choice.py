"""What a watcher sees and hears, who has one picture and one sound: pure.

The picture: a shared screen (the newest), else who speaks, else a host's camera, else the first camera there is. The
sound: who speaks, else a host's microphone, else the first; beside a shared screen with sound of its own, and nobody
speaking, the screen's. A watcher who asked for one participant gets that one's screen or camera, and microphone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rooms.live.commands import Role
from rooms.live.events import Source


@dataclass(frozen=True, slots=True)
class Candidate:
    """A producer that could be watched, oldest first in every list of them."""

    producer_id: str
    peer_id: str
    role: Role
    source: Source
    paused: bool


def picture(
    candidates: Sequence[Candidate], speaker: str | None, wanted: str | None, current: str | None
) -> str | None:
    """The producer to show; `current` stays where nothing better is there, so that nothing flickers."""
    cameras = _own(candidates, Source.CAMERA, wanted)
    screens = _own(candidates, Source.SCREEN, wanted)
    if screens:
        return screens[-1].producer_id
    return _best(cameras, speaker, current)


def sound(
    candidates: Sequence[Candidate], speaker: str | None, wanted: str | None, current: str | None
) -> str | None:
    """The producer to play."""
    microphones = _own(candidates, Source.MICROPHONE, wanted)
    if not any(one.peer_id == speaker for one in microphones):
        screens = _own(candidates, Source.SCREEN_AUDIO, wanted)
        if screens:
            return screens[-1].producer_id
    return _best(microphones, speaker, current)


def _own(candidates: Sequence[Candidate], source: Source, wanted: str | None) -> list[Candidate]:
    """Those of one source that are not paused, of the wanted participant where one is named."""
    return [
        one
        for one in candidates
        if one.source is source and not one.paused and (wanted is None or one.peer_id == wanted)
    ]


def _best(found: Sequence[Candidate], speaker: str | None, current: str | None) -> str | None:
    rules = (
        lambda one: one.peer_id == speaker,
        lambda one: one.producer_id == current,
        lambda one: one.role is Role.HOST,
    )
    for rule in rules:
        for one in found:
            if rule(one):
                return one.producer_id
    return found[0].producer_id if found else None
