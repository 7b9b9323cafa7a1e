"""What a watcher gets, in tables."""

import pytest

from rooms.live.commands import Role
from rooms.live.events import Source
from signaling.streams.choice import Candidate, picture, sound

HOST, GUEST = Role.HOST, Role.PARTICIPANT


def candidate(name: str, role: Role = GUEST, *, paused: bool = False) -> Candidate:
    """`peer camera` and the like."""
    peer, source = name.split()
    return Candidate(name, peer, role, Source(source), paused)


ROOM = [
    candidate("li camera"),
    candidate("li microphone"),
    candidate("chen camera", HOST),
    candidate("chen microphone", HOST),
]
SCREEN = [candidate("wang screen"), candidate("wang screenAudio")]


@pytest.mark.parametrize(
    ("candidates", "speaker", "wanted", "current", "seen", "heard"),
    [
        ([], None, None, None, None, None),
        (ROOM, None, None, None, "chen camera", "chen microphone"),
        (ROOM, "li", None, None, "li camera", "li microphone"),
        (ROOM, None, None, "li", "li camera", "li microphone"),
        (ROOM, "gone", None, "gone", "chen camera", "chen microphone"),
        (ROOM + SCREEN, None, None, None, "wang screen", "wang screenAudio"),
        (ROOM + SCREEN, "li", None, None, "wang screen", "li microphone"),
        (ROOM + SCREEN, "chen", "li", None, "li camera", "li microphone"),
        (ROOM, "li", "nobody", None, None, None),
        ([candidate("li camera", paused=True), ROOM[2]], "li", None, "li", "chen camera", None),
    ],
)
def test_the_picture_and_the_sound(
    candidates: list[Candidate],
    speaker: str | None,
    wanted: str | None,
    current: str | None,
    seen: str | None,
    heard: str | None,
) -> None:
    now = (f"{current} camera", f"{current} microphone")
    assert picture(candidates, speaker, wanted, now[0]) == seen
    assert sound(candidates, speaker, wanted, now[1]) == heard
