"""Runs one composition from the captured folder to the finished, verified file."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recordings.compose.canvas import Canvas
from recordings.compose.film import Film
from recordings.compose.fonts import find_font
from recordings.compose.layout import Tile
from recordings.compose.lettering import Lettering
from recordings.compose.mixer import Mixer
from recordings.compose.pictures import PictureReader, Showing
from recordings.compose.scenes import FRAME_RATE, Scene, frame_count, make_scenes
from recordings.compose.story import Story, read_story
from recordings.compose.verify import verify
from recordings.compose.voices import RATE
from recordings.states import Failure

PART_SUFFIX: Final = ".part"
_SAMPLES_PER_FRAME: Final = RATE // FRAME_RATE
# Threads begin this long before their pictures are wanted.
_EARLY: Final = FRAME_RATE


@dataclass(frozen=True, slots=True)
class Composed:
    """What came of it; `failure` where it is playable but something is known to be missing."""

    duration: float
    size: int
    failure: Failure | None


class NothingToCompose(ValueError):  # noqa: N818 - it says what was found
    """There is no media in the folder; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


def compose(folder: Path, output: Path, report: Callable[[float], None]) -> Composed:
    """Compose the recording in `folder` into `output`, which appears whole or not at all.

    `report` is told the share done, 0..1. Raises NothingToCompose, OSError of the disk, ValueError where the
    finished file does not play.
    """
    story = read_story(folder)
    if story.duration <= 0:
        raise NothingToCompose(story.failure or Failure.NOTHING_CAPTURED)
    part = output.with_name(output.name + PART_SUFFIX)
    part.unlink(missing_ok=True)
    try:
        _shoot(story, part, report)
        duration = verify(part, frame_count(story) / FRAME_RATE)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return Composed(duration, output.stat().st_size, story.failure)


def _shoot(story: Story, part: Path, report: Callable[[float], None]) -> None:
    scenes = make_scenes(story)
    names = {clip.key: clip.name for clip in story.clips} | {clip.peer_id: clip.name for clip in story.clips}
    canvas = Canvas(Lettering(find_font()), names)
    mixer = Mixer(story.clips)
    stage = _Stage(story, scenes)
    film = Film(part)
    finished = False
    try:
        total = frame_count(story)
        for scene in scenes:
            canvas.begin(scene)
            for frame in range(scene.begin, scene.end):
                stage.set(scene, frame, canvas)
                film.add_picture(canvas.frame())
                film.add_sound(mixer.read(_SAMPLES_PER_FRAME))
                if frame % FRAME_RATE == 0:
                    report(frame / total)
        film.finish()
        finished = True
    finally:
        stage.close()
        if not finished:
            film.abandon()


class _Stage:
    """The readers of all clips: begun shortly before they are seen, ended when they are seen no more."""

    def __init__(self, story: Story, scenes: list[Scene]) -> None:
        self._showings: dict[str, list[Showing]] = {}
        for scene in scenes:
            for tile in scene.tiles:
                if tile.key is not None and tile.label is not None:
                    self._showings.setdefault(tile.key, []).append(Showing(scene.begin, scene.end, tile))
        clips = {clip.key: clip for clip in story.clips}
        self._waiting = sorted(
            ((clips[key], showings) for key, showings in self._showings.items()),
            key=lambda item: item[1][0].begin,
            reverse=True,
        )
        self._readers: dict[str, PictureReader] = {}

    def set(self, scene: Scene, frame: int, canvas: Canvas) -> None:
        """Put every picture that changes at this frame onto the canvas."""
        while self._waiting and self._waiting[-1][1][0].begin <= frame + _EARLY:
            clip, showings = self._waiting.pop()
            self._readers[clip.key] = PictureReader(clip, showings)
        if frame == scene.begin:
            self._dismiss(frame)
        for tile in scene.tiles:
            reader = self._readers.get(tile.key or "")
            picture = reader.advance(frame) if reader is not None else None
            if picture is not None and _same_place(picture.tile, tile):
                canvas.put(tile, picture.at, picture.image)

    def close(self) -> None:
        """End every thread."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _dismiss(self, frame: int) -> None:
        over = [key for key in self._readers if self._showings[key][-1].end <= frame]
        for key in over:
            self._readers.pop(key).close()


def _same_place(one: Tile, other: Tile) -> bool:
    return one.picture == other.picture
