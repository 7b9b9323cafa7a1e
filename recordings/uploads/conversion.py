"""Makes of an uploaded film what composition makes of a meeting: the same MP4, its sound, its pictures, its sizes.

Pictures that every browser plays are taken over as they are, whole or not at all; sound is always made anew, as loud as
that of meetings. All of the film is decoded in either case, so that whatever does not decode is known.

After a kill it goes on where it was: the source is decoded again from its beginning, but no part is encoded twice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from av.error import FFmpegError

from recordings.compose import hls
from recordings.compose.brief import Brief
from recordings.compose.composer import NothingToCompose, finished_before, is_missed, publish
from recordings.compose.film import LARGE, Reel, Size, frames_in, join, sizes_of
from recordings.compose.report import Finished
from recordings.compose.shots import Shots
from recordings.compose.sound import FILM_SOUND, Mix, even_sound
from recordings.compose.stills import make_poster, make_preview
from recordings.compose.texts import FilmTexts
from recordings.compose.verify import SOUND, verify
from recordings.compose.work import Work, conversion
from recordings.faults import blame_machine
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, bytes_of
from recordings.losses import Loss, bounded
from recordings.renditions import CONVERTING_FOLDER, FILE_NAMES, Outputs, Rendition
from recordings.states import Failure
from recordings.uploads.copying import copy_pictures
from recordings.uploads.decoding import Decoded, decode
from recordings.uploads.frames import Frames, Onlooker, Pictures
from recordings.uploads.probe import Refused, limit, probe
from recordings.uploads.rules import Facts, passes_through
from recordings.uploads.subtitles import read_subtitles
from recordings.viewing.coverage import total

_CPU_SECONDS: Final = 48 * 3600
# Containers round, and some only guess how long they are.
_BEARABLE_SECONDS: Final = 1.0
_BEARABLE_SHARE: Final = 0.02


def convert(
    folder: Path, source: Path, report: Callable[[float], None], brief: Brief | None = None
) -> Finished:
    """Every rendition appears in `folder`, whole or not at all; progress 0..1 is told.

    Raises NothingToCompose for a file that is no film, OSError of the machine, ValueError where what it made does not
    play.
    """
    limit(_CPU_SECONDS, may_write=True)
    brief = brief or Brief()
    work = Work(folder / CONVERTING_FOLDER, conversion(source, brief))
    try:
        made = finished_before(folder, work) or _convert(source, work, report, brief)
    except (Refused, FFmpegError) as error:
        blame_machine(error)  # it was a film when it was looked at
        if isinstance(error, OSError):  # of the disk, as FFmpeg was told it
            raise
        work.remove()
        raise NothingToCompose(Failure.CAPTURE_UNREADABLE) from error
    publish(folder, work, made)
    return made


def _convert(source: Path, work: Work, report: Callable[[float], None], brief: Brief) -> Finished:
    facts = probe(source)
    sizes = sizes_of(facts.seconds, brief)
    copies = passes_through(facts)
    encodes = not copies or len(sizes) > 1
    paths = {rendition: work.folder / name for rendition, name in FILE_NAMES.items()}
    film = paths[Rendition.FILM]
    decoded = _decoded(source, work, sizes if encodes else (), brief, facts, report)
    seconds = None
    if copies and not decoded.pictures_lost:  # players end where a picture does not decode
        sound = work.folder / FILM_SOUND
        seconds = copy_pictures(source, decoded.begin, sound, film, facts.seconds)
    if seconds is None and not encodes:
        decoded = _decoded(source, work, sizes, brief, facts, lambda _share: None)
    reels = _reels(work, sizes, brief, decoded)
    if seconds is None:
        join(reels[LARGE], film, "mp4", {"movflags": "+faststart"}, ())
        seconds = verify(film, decoded.seconds)
    verify(paths[Rendition.SOUND], decoded.seconds, SOUND)
    made = [Rendition.FILM, Rendition.SOUND, Rendition.POSTER, Rendition.PREVIEW]
    if len(sizes) > 1:
        hls.package(reels, paths[Rendition.HLS])
        made.append(Rendition.HLS)
    make_poster(film, seconds / 3, paths[Rendition.POSTER])
    preview = make_preview(film, seconds, paths[Rendition.PREVIEW])
    outputs = Outputs({rendition: bytes_of(paths[rendition]) for rendition in made}, (), preview)
    report(0.99)
    losses = _losses(facts.seconds, seconds, decoded)
    unnamed = FilmTexts(brief.language).say("subtitles")
    captions = read_subtitles(source, decoded.begin, seconds, unnamed)
    return Finished(seconds, outputs, Failure.CAPTURE_UNREADABLE if losses else None, losses, captions)


def _decoded(
    source: Path, work: Work, sizes: Sequence[Size], brief: Brief, facts: Facts, report: Callable[[float], None]
) -> Decoded:  # fmt: skip
    """The whole film in parts of each size, or of none, and its sound at the loudness that films have."""
    frames_a_part = frames_in(brief.part_seconds)
    frames: Frames = Onlooker()
    if sizes:
        done = work.finished_parts(sizes)
        frames = Pictures(Shots(work.part, sizes, done), frames_a_part, done * frames_a_part)
    with frames, Mix(work.folder) as mix:
        decoded = decode(source, frames, mix, facts.seconds, lambda share: report(0.9 * share))
    mix.note()
    even_sound(work.folder)
    return decoded


def _reels(work: Work, sizes: Sequence[Size], brief: Brief, decoded: Decoded) -> dict[Size, Reel]:
    frames_a_part = frames_in(brief.part_seconds)
    return {
        size: work.reel(
            size, work.folder / hls.sound_of(size), frames_a_part, decoded.frames, decoded.seconds
        )
        for size in sizes
    }


def _losses(promised: float, seconds: float, decoded: Decoded) -> tuple[Loss, ...]:
    """What people would miss of what the file says that it holds: one that was cut off still has its whole index."""
    losses = [
        Loss(
            SOURCE_NAME,
            kind,
            "damaged",
            total(lost),
            spans=bounded((begin - decoded.begin, end - decoded.begin) for begin, end in lost),
        )
        for kind, lost in (("pictures", decoded.pictures_lost), ("sound", decoded.sound_lost))
        if is_missed(total(lost), promised)
    ]
    missing = promised - seconds
    if missing > max(_BEARABLE_SECONDS, _BEARABLE_SHARE * promised):
        losses.append(Loss(SOURCE_NAME, SOURCE_FOLDER, "it ends early", missing, spans=((seconds, seconds),)))
    return tuple(losses)
