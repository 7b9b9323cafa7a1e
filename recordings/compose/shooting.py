"""Draws the film frame by frame and encodes it in parts; goes on where an earlier attempt stopped."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from recordings.compose.brief import Brief
from recordings.compose.canvas import Canvas
from recordings.compose.film import Size
from recordings.compose.fonts import find_font
from recordings.compose.isolation import Broken
from recordings.compose.layout import Tile
from recordings.compose.lettering import Lettering
from recordings.compose.pictures import PictureReader, Showing
from recordings.compose.scenes import FRAME_RATE, Scene, frame_count, from_frame
from recordings.compose.shots import Shots
from recordings.compose.speech import Speech
from recordings.compose.story import Story
from recordings.compose.texts import FilmTexts
from recordings.compose.work import Work
from recordings.tracks import TrackSource

# Readers begin this long before their pictures are wanted.
_EARLY: Final = FRAME_RATE
# Who speaks is looked up so often: a syllable is about this long.
_GLANCE: Final = FRAME_RATE // 5


class Shooting:
    """`run` leaves every part of every size in the work folder."""

    def __init__(
        self,
        story: Story,
        scenes: Sequence[Scene],
        speech: Speech,
        brief: Brief,
        work: Work,
        sizes: Sequence[Size],
        frames_a_part: int,
    ) -> None:
        self._story = story
        self._scenes = list(scenes)
        self._speech = speech
        self._work = work
        self._sizes = sizes
        self._frames_a_part = frames_a_part
        clips = story.clips
        names = {clip.key: clip.name for clip in clips} | {clip.peer_id: clip.name for clip in clips}
        self._speakers = {
            clip.key: clip.peer_id for clip in clips if clip.source is not TrackSource.SCREEN
        } | {clip.peer_id: clip.peer_id for clip in clips}
        self._canvas = Canvas(Lettering(find_font()), names, brief, FilmTexts(brief.language))

    def run(self, report: Callable[[float], None]) -> None:
        """Tells `report` the share done; OSError of the disk, PutOff where somebody is to try again."""
        total = frame_count(self._story)
        done = self._work.finished_parts(self._sizes)
        scenes = from_frame(self._scenes, done * self._frames_a_part)
        if not scenes:
            return
        with (
            contextlib.closing(_Stage(self._story, scenes, self._work)) as stage,
            Shots(self._work.part, self._sizes, done) as shots,
        ):
            for scene in scenes:
                self._canvas.begin(scene)
                for frame in range(scene.begin, scene.end):
                    stage.set(scene, frame, self._canvas)
                    if frame == scene.begin or frame % _GLANCE == 0:
                        self._canvas.frame_speaker(self._speaking(scene, frame))
                    shots.add(self._canvas.frame())
                    if (frame + 1) % self._frames_a_part == 0 or frame + 1 == total:
                        shots.next_part()
                    if frame % FRAME_RATE == 0:
                        self._work.keep()
                        report(frame / total)
            self._work.keep()

    def _speaking(self, scene: Scene, frame: int) -> Tile | None:
        """Alone in the picture, nobody needs a frame."""
        speaker = self._speech.speaker_at(frame / FRAME_RATE)
        if speaker is None or len(scene.tiles) < 2:  # noqa: PLR2004
            return None
        return next((tile for tile in scene.tiles if self._speakers.get(tile.key or "") == speaker), None)


class _Stage:
    """The readers of all clips: begun shortly before they are seen, ended when they are seen no more.

    A clip that breaks its reader is left out from there on, also by whoever goes on with this film; PutOff where that
    may have been somebody else.
    """

    def __init__(self, story: Story, scenes: Sequence[Scene], work: Work) -> None:
        self._work = work
        self._showings: dict[str, list[Showing]] = {}
        for scene in scenes:
            for tile in scene.tiles:
                if tile.key is not None and tile.label is not None:
                    self._showings.setdefault(tile.key, []).append(Showing(scene.begin, scene.end, tile))
        clips = {clip.key: clip for clip in story.clips if clip.key not in work.unreadable}
        self._waiting = sorted(
            ((clips[key], showings) for key, showings in self._showings.items() if key in clips),
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
                if tile.key in self._work.unreadable and tile.label is not None:
                    canvas.put_unreadable(tile)
        for tile in scene.tiles:
            reader = self._readers.get(tile.key or "")
            if reader is not None:
                self._draw(reader, tile, frame, canvas)

    def _draw(self, reader: PictureReader, tile: Tile, frame: int, canvas: Canvas) -> None:
        key = tile.key or ""
        try:
            picture = reader.advance(frame)
            while reader.undecoded:
                self._work.lose(key, reader.undecoded.pop())
        except Broken as broken:
            self._work.blame(key, broken)
            self._readers.pop(key).close()
            canvas.put_unreadable(tile)
        else:
            if picture is not None and _same_place(picture.tile, tile):
                canvas.put(tile, picture.at, picture.planes)

    def close(self) -> None:
        """End every process."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _dismiss(self, frame: int) -> None:
        over = [key for key in self._readers if self._showings[key][-1].end <= frame]
        for key in over:
            self._readers.pop(key).close()


def _same_place(one: Tile, other: Tile) -> bool:
    return one.picture == other.picture
