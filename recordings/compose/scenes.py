"""From the story to scenes: runs of frames in which everybody keeps their place. Pure."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from recordings.compose.layout import Cast, Tile, arrange
from recordings.compose.speech import Speech
from recordings.compose.story import Clip, Interruption, Story
from recordings.tracks import TrackSource

# Frames a second. 25 and not 30: people's cameras give 15 to 30, a sixth less work at the end of the chain, and lamps
# on 50 Hz mains, as in China and Europe, flicker against 30.
FRAME_RATE: Final = 25
# Where there is not room for all, who is shown is chosen anew so often: changes are rests for the eye, not flicker.
_TURN_FRAMES: Final = 20 * FRAME_RATE
_SILENCE: Final = Speech()


@dataclass(frozen=True, slots=True)
class Scene:
    """Frames `begin` up to, not including, `end`; `interruption` or `title` is what is shown instead of tiles."""

    begin: int
    end: int
    tiles: tuple[Tile, ...]
    interruption: Interruption | None = None
    title: bool = False


def frame_at(seconds: float) -> int:
    """The first frame that is shown at or after this time; a microsecond of rounding does not count."""
    return max(0, math.ceil(seconds * FRAME_RATE - 1e-4))


def frame_count(story: Story) -> int:
    """How many frames the film has."""
    return frame_at(story.duration)


def make_scenes(story: Story, speech: Speech = _SILENCE) -> list[Scene]:
    """The whole film without gaps; neighbours differ."""
    end = frame_count(story)
    edges = {0, end}
    if story.title is not None:
        edges.add(frame_at(story.title[1]))
    for clip in story.clips:
        edges.update(frame_at(edge) for span in clip.spans for edge in span)
    for interruption in story.interruptions:
        edges.update(frame_at(edge) for edge in interruption.span)
    times = sorted(edge for edge in edges if edge <= end)
    scenes: list[Scene] = []
    for begin, following in itertools.pairwise(times):
        for scene in _scenes_between(story, speech, begin, following):
            last = scenes[-1] if scenes else None
            if last and replace(last, begin=scene.begin, end=scene.end) == scene:
                scenes[-1] = replace(last, end=scene.end)
            else:
                scenes.append(scene)
    return scenes


def from_frame(scenes: Sequence[Scene], frame: int) -> list[Scene]:
    """What is left of the scenes from a frame on."""
    return [replace(scene, begin=max(scene.begin, frame)) for scene in scenes if scene.end > frame]


def _scenes_between(story: Story, speech: Speech, begin: int, end: int) -> Iterator[Scene]:
    """Between two edges nobody comes or goes; where there is not room for all, those who speak take turns."""
    if story.title is not None and _covers(story.title, begin):
        yield Scene(begin, end, (), title=True)
        return
    away = next((pause for pause in story.interruptions if _covers(pause.span, begin)), None)
    if away is not None:
        yield Scene(begin, end, (), away)
        return
    there = [clip for clip in story.clips if any(_covers(span, begin) for span in clip.spans)]
    step = _TURN_FRAMES if _cast(there, ()).crowded else end - begin
    for at in range(begin, end, step):
        until = min(at + step, end)
        loudest = speech.loudest(at / FRAME_RATE, until / FRAME_RATE)
        yield Scene(at, until, arrange(_cast(there, loudest)))


def _cast(there: Sequence[Clip], loudest: Sequence[str]) -> Cast:
    """Who asked not to be in the picture stands among the pictures with a card, whether the camera was on or not."""
    hidden = {clip.peer_id for clip in there if clip.hidden}
    people: dict[str, str] = {}  # key of the tile -> peer
    for clip in there:
        if clip.source is TrackSource.SCREEN or clip.source is TrackSource.SCREEN_AUDIO:
            continue
        if clip.peer_id in hidden:
            people[clip.peer_id] = clip.peer_id
        elif clip.source is TrackSource.CAMERA:
            people[clip.key] = clip.peer_id
    heard = dict.fromkeys(
        clip.peer_id for clip in there if clip.source is TrackSource.MICROPHONE or clip.hidden
    )
    order = {peer: place for place, peer in enumerate(loudest)}
    speaking = [key for key, peer in people.items() if peer in order]
    return Cast(
        cameras=tuple(people) if len(people) > len(hidden) else (),
        screens=tuple(clip.key for clip in there if clip.source is TrackSource.SCREEN),
        heard=tuple(heard),
        cards=frozenset(hidden),
        loudest=(*sorted(speaking, key=lambda key: order[people[key]]), *loudest),
    )


def _covers(span: tuple[float, float], frame: int) -> bool:
    return frame_at(span[0]) <= frame < frame_at(span[1])
