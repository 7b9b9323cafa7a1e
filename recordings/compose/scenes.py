"""From the story to scenes: runs of frames in which everybody keeps their place. Pure."""

import itertools
import math
from dataclasses import dataclass
from typing import Final

from recordings.compose.layout import Cast, Tile, arrange
from recordings.compose.story import Clip, Interruption, Story
from recordings.tracks import TrackSource

# Frames a second. 25 and not 30: people's cameras give 15 to 30, a sixth less work at the end of the chain, and lamps
# on 50 Hz mains, as in China and Europe, flicker against 30.
FRAME_RATE: Final = 25


@dataclass(frozen=True, slots=True)
class Scene:
    """Frames `begin` up to, not including, `end`; `interruption` instead of tiles where the server was away."""

    begin: int
    end: int
    tiles: tuple[Tile, ...]
    interruption: Interruption | None = None


def frame_at(seconds: float) -> int:
    """The first frame that is shown at or after this time; a microsecond of rounding does not count."""
    return max(0, math.ceil(seconds * FRAME_RATE - 1e-4))


def frame_count(story: Story) -> int:
    """How many frames the film has."""
    return frame_at(story.duration)


def make_scenes(story: Story) -> list[Scene]:
    """The whole film without gaps; neighbours differ."""
    end = frame_count(story)
    edges = {0, end}
    for clip in story.clips:
        edges.update(frame_at(edge) for span in clip.spans for edge in span)
    for interruption in story.interruptions:
        edges.update(frame_at(edge) for edge in interruption.span)
    times = sorted(edge for edge in edges if edge <= end)
    scenes: list[Scene] = []
    for begin, following in itertools.pairwise(times):
        away = next((pause for pause in story.interruptions if _covers(pause.span, begin)), None)
        tiles = () if away else arrange(_cast(story.clips, begin))
        if scenes and (scenes[-1].tiles, scenes[-1].interruption) == (tiles, away):
            scenes[-1] = Scene(scenes[-1].begin, following, tiles, away)
        else:
            scenes.append(Scene(begin, following, tiles, away))
    return scenes


def _cast(clips: tuple[Clip, ...], frame: int) -> Cast:
    there = [clip for clip in clips if any(_covers(span, frame) for span in clip.spans)]
    heard = dict.fromkeys(clip.peer_id for clip in there if clip.source is TrackSource.MICROPHONE)
    return Cast(
        cameras=tuple(clip.key for clip in there if clip.source is TrackSource.CAMERA),
        screens=tuple(clip.key for clip in there if clip.source is TrackSource.SCREEN),
        heard=tuple(heard),
    )


def _covers(span: tuple[float, float], frame: int) -> bool:
    return frame_at(span[0]) <= frame < frame_at(span[1])
