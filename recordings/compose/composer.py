"""Runs one composition from the captured folder to finished, verified files."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from recordings.capture.disk import sync
from recordings.compose import hls
from recordings.compose.brief import Brief
from recordings.compose.chapters import find_chapters
from recordings.compose.film import LARGE, Size, frames_in, join, sizes_of
from recordings.compose.isolation import Broken, Interrupted
from recordings.compose.report import Finished
from recordings.compose.scenes import FRAME_RATE, Scene, frame_count, make_scenes
from recordings.compose.shooting import Shooting
from recordings.compose.sound import even_sound, mix_sound, read_speech, undecoded_sound, unreadable_among
from recordings.compose.speech import Speech
from recordings.compose.stills import make_poster, make_preview, poster_frame
from recordings.compose.story import Story, read_story, segment_folders
from recordings.compose.texts import FilmTexts
from recordings.compose.verify import SOUND, verify
from recordings.compose.work import PutOff, Work, composition
from recordings.folders import bytes_of
from recordings.losses import Loss, bounded
from recordings.renditions import COMPOSING_FOLDER, FILE_NAMES, Outputs, Rendition
from recordings.states import Failure
from recordings.viewing.coverage import total, union

# Where the time goes, of one: mixing, the pictures (and the sound's encoding beside them), and joining both.
_SOUND_SHARE: Final = 0.10
_PICTURES_SHARE: Final = 0.85
# Of one track nobody misses as much as a kill costs capture, nor a thousandth of hours.
_BEARABLE_SECONDS: Final = 1.0
_BEARABLE_SHARE: Final = 0.001
_MIX: Final = "mix"  # stands for everybody who is heard


class NothingToCompose(ValueError):  # noqa: N818 - it says what was found
    """There is no media in the folder; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


def compose(folder: Path, report: Callable[[float], None], brief: Brief | None = None) -> Finished:
    """Compose the recording in `folder`: every rendition appears beside the segments, whole or not at all.

    What an earlier attempt at the very same composition has finished is taken over, be it all of it. `report` is told
    the share done, 0..1. Raises NothingToCompose, PutOff, OSError of the disk, ValueError where the film does not play.
    """
    brief = brief or Brief()
    if not segment_folders(folder):
        raise NothingToCompose(Failure.NOTHING_CAPTURED)
    work = Work(folder / COMPOSING_FOLDER, composition(folder, brief))
    story = read_story(folder, brief, work.blame)
    if story.duration <= 0:
        work.remove()
        raise NothingToCompose(_failure(story, story.losses) or Failure.NOTHING_CAPTURED)
    made = finished_before(folder, work) or _compose(story, brief, work, report)
    publish(folder, work, made)
    return made


def _compose(story: Story, brief: Brief, work: Work, report: Callable[[float], None]) -> Finished:
    speech = _speech(story, work, report)
    scenes = make_scenes(story, speech)
    sizes = sizes_of(story.duration, brief)
    frames_a_part = frames_in(brief.part_seconds)
    with ThreadPoolExecutor(1, "sound") as beside:
        evened = beside.submit(even_sound, work.folder)
        Shooting(story, scenes, speech, brief, work, sizes, frames_a_part).run(
            lambda share: report(_SOUND_SHARE + _PICTURES_SHARE * share)
        )
        evened.result()
    outputs = _finish(story, scenes, brief, work, sizes, frames_a_part)
    losses = _losses(story, work)
    report(0.99)
    told = {loss.track for loss in story.uncaptured}
    every = (*story.uncaptured, *(loss for loss in losses if loss.track not in told))
    return Finished(frame_count(story) / FRAME_RATE, outputs, _failure(story, losses), every)


def _failure(story: Story, unreadable: Sequence[Loss]) -> Failure | None:
    """What is told first: that capture stood still, then what is broken, then what never came to it."""
    if story.failure is not None:
        return story.failure
    if unreadable:
        return Failure.CAPTURE_UNREADABLE
    return Failure.TRACK_LOST if story.uncaptured else None


def _losses(story: Story, work: Work) -> tuple[Loss, ...]:
    """What of the captured files the film lacks, as far as people would miss it."""
    undecoded = undecoded_sound(work.folder)
    losses = [replace(loss, cause=work.unreadable.get(loss.track, loss.cause)) for loss in story.losses]
    for clip in story.clips:
        lost = union([*clip.lost, *work.lost(clip.key), *undecoded.get(clip.key, ())])
        if clip.is_unseen:
            continue
        if clip.key in work.unreadable:
            cause, spans = work.unreadable[clip.key], bounded(clip.spans)
            losses.append(Loss(clip.key, clip.source.value, cause, None, clip.name, spans, clip.person))
        elif is_missed(total(lost), clip.seconds):
            spans = bounded((clip.when(begin), clip.when(end)) for begin, end in lost)
            losses.append(
                Loss(clip.key, clip.source.value, "damaged", total(lost), clip.name, spans, clip.person)
            )
    return tuple(losses)


def is_missed(seconds: float, of: float) -> bool:
    """Whether people would miss so much of a track that is so long."""
    return seconds > max(_BEARABLE_SECONDS, _BEARABLE_SHARE * of)


def _speech(story: Story, work: Work, report: Callable[[float], None]) -> Speech:
    if read_speech(work.folder) is None:
        _mix(story, work, lambda share: report(_SOUND_SHARE * share))
    speech = read_speech(work.folder)
    if speech is None:
        raise ValueError("the mix was lost")
    return speech


def _mix(story: Story, work: Work, report: Callable[[float], None]) -> None:
    """Where that breaks, without the clips that break a process which reads them alone.

    PutOff where it was interrupted for the first time, or one that reads a clip alone was.
    """
    while True:
        clips = [clip for clip in story.clips if not clip.source.is_video and clip.key not in work.unreadable]
        try:
            with closing(mix_sound(clips, frame_count(story) / FRAME_RATE, work.folder)) as mixing:
                for share in mixing:
                    report(share)
        except Broken as broken:
            if isinstance(broken, Interrupted) and work.suspect(_MIX, str(broken)):
                raise PutOff(f"{_MIX}: {broken}") from broken
            found = unreadable_among(clips)
            if not found:
                raise ValueError(f"mixing broke, but none of its clips alone: {broken}") from broken
            for key, cause in found.items():
                work.blame(key, cause)
        else:
            return


def _finish(
    story: Story, scenes: list[Scene], brief: Brief, work: Work, sizes: Sequence[Size], frames_a_part: int
) -> Outputs:
    """Make every rendition in the work folder from parts and sound, and look at the film."""
    frames = frame_count(story)
    seconds = frames / FRAME_RATE
    chapters = find_chapters(story, brief, FilmTexts(brief.language))
    paths = {rendition: work.folder / name for rendition, name in FILE_NAMES.items()}
    reels = {
        size: work.reel(size, work.folder / hls.sound_of(size), frames_a_part, frames, seconds)
        for size in sizes
    }
    film = paths[Rendition.FILM]
    join(reels[LARGE], film, "mp4", {"movflags": "+faststart"}, chapters)
    verify(film, seconds)
    verify(paths[Rendition.SOUND], seconds, SOUND)
    sync(film)
    make_poster(film, poster_frame(scenes) / FRAME_RATE, paths[Rendition.POSTER])
    preview = make_preview(film, seconds, paths[Rendition.PREVIEW])
    made = [Rendition.FILM, Rendition.SOUND, Rendition.POSTER, Rendition.PREVIEW]
    if len(sizes) > 1:
        hls.package(reels, paths[Rendition.HLS])
        made.append(Rendition.HLS)
    return Outputs({rendition: bytes_of(paths[rendition]) for rendition in made}, chapters, preview)


def finished_before(folder: Path, work: Work) -> Finished | None:
    """What an earlier attempt has made to its end, be it in its places or in the work folder yet; None for nothing."""
    made = work.finished
    if made is None:
        return None
    for rendition, size in made.outputs.sizes.items():
        if bytes_of(_where(folder, work, rendition)) != size:
            return None
    try:
        verify(_where(folder, work, Rendition.FILM), made.duration)
    except (OSError, ValueError):
        return None
    return made


def _where(folder: Path, work: Work, rendition: Rendition) -> Path:
    waiting = work.folder / FILE_NAMES[rendition]
    return waiting if waiting.exists() else folder / FILE_NAMES[rendition]


def publish(folder: Path, work: Work, made: Finished) -> None:
    """Put the finished files in their places, the film last: where it stands, everything stands.

    Whoever is killed meanwhile, or before the records know of it, has it done by the next attempt.
    """
    work.finish(made)
    for rendition, name in FILE_NAMES.items():
        if rendition not in made.outputs.sizes:
            _remove(folder / name)
    for rendition in sorted(made.outputs.sizes, key=lambda rendition: rendition is Rendition.FILM):
        waiting, place = work.folder / FILE_NAMES[rendition], folder / FILE_NAMES[rendition]
        if not waiting.exists():
            continue
        if place.is_dir():
            shutil.rmtree(place)
        waiting.replace(place)
    sync(folder)
    work.clear()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
