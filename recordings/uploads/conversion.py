"""Makes of an uploaded film what composition makes of a meeting: the same MP4, its sound, its pictures, its sizes.

After a kill it goes on where it was: the source is decoded again from its beginning, but no part is encoded twice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

from recordings.compose import hls
from recordings.compose.brief import Brief
from recordings.compose.composer import NothingToCompose, finished_before, publish
from recordings.compose.film import LARGE, Reel, Size, frames_in, join, sizes_of
from recordings.compose.report import Finished
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.shots import Shots
from recordings.compose.sound import renditions_of_sound
from recordings.compose.stills import make_poster, make_preview
from recordings.compose.verify import SOUND, verify
from recordings.compose.work import Work, conversion
from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, bytes_of
from recordings.losses import Loss
from recordings.renditions import CONVERTING_FOLDER, FILE_NAMES, Outputs, Rendition
from recordings.states import Failure
from recordings.uploads.encoding import Pictures, encode
from recordings.uploads.probe import Refused, film_stream, limit, open_film, probe
from recordings.uploads.rules import Refusal, passes_through

# A seek in a film with fewer key frames shows nothing for too long.
_LONGEST_WITHOUT_KEY_FRAME: Final = 10.0
_CPU_SECONDS: Final = 48 * 3600
# Containers round, and some only guess how long they are.
_BEARABLE_SECONDS: Final = 1.0
_BEARABLE_SHARE: Final = 0.02


def convert(
    folder: Path, source: Path, report: Callable[[float], None], brief: Brief | None = None
) -> Finished:
    """Every rendition appears in `folder`, whole or not at all; progress 0..1 is told.

    Raises NothingToCompose for a file that is no film, OSError of the disk, ValueError where the result does not play.
    """
    limit(_CPU_SECONDS, may_write=True)
    brief = brief or Brief()
    work = Work(folder / CONVERTING_FOLDER, conversion(source, brief))
    try:
        made = finished_before(folder, work) or _convert(source, work, report, brief)
    except (Refused, FFmpegError) as error:
        work.remove()
        raise NothingToCompose(Failure.CAPTURE_UNREADABLE) from error
    publish(folder, work, made)
    return made


def _convert(source: Path, work: Work, report: Callable[[float], None], brief: Brief) -> Finished:
    facts = probe(source)
    paths = {rendition: work.folder / name for rendition, name in FILE_NAMES.items()}
    film = paths[Rendition.FILM]
    made = [Rendition.FILM, Rendition.SOUND, Rendition.POSTER, Rendition.PREVIEW]
    seconds = _copied(source, film, facts.seconds) if passes_through(facts) else None
    sizes = sizes_of(facts.seconds if seconds is None else seconds, brief.hls_seconds)
    if seconds is None or len(sizes) > 1:
        length = frames_in(brief.part_seconds)
        reels = _encoded(source, work, sizes, length, facts.seconds, lambda share: report(0.95 * share))
        if seconds is None:
            join(reels[LARGE], film, "mp4", {"movflags": "+faststart"}, ())
            seconds = verify(film, reels[LARGE].seconds)
        verify(paths[Rendition.SOUND], reels[LARGE].seconds, SOUND)
        if len(sizes) > 1:
            hls.package(reels, paths[Rendition.HLS])
            made.append(Rendition.HLS)
    else:
        verify(paths[Rendition.SOUND], _sound(film, paths[Rendition.SOUND]), SOUND)
    make_poster(film, seconds / 3, paths[Rendition.POSTER])
    preview = make_preview(film, seconds, paths[Rendition.PREVIEW])
    outputs = Outputs({rendition: bytes_of(paths[rendition]) for rendition in made}, (), preview)
    report(0.99)
    losses = _losses(facts.seconds, seconds)
    return Finished(seconds, outputs, Failure.CAPTURE_UNREADABLE if losses else None, losses)


def _losses(promised: float, seconds: float) -> tuple[Loss, ...]:
    """What the file says that it holds, and does not: one that was cut off still has its whole index."""
    missing = promised - seconds
    if missing <= max(_BEARABLE_SECONDS, _BEARABLE_SHARE * promised):
        return ()
    return (Loss(SOURCE_NAME, SOURCE_FOLDER, "it ends early", missing),)


def _encoded(
    source: Path, work: Work, sizes: Sequence[Size], frames_a_part: int, expected: float,
    report: Callable[[float], None],
) -> dict[Size, Reel]:  # fmt: skip
    """The whole film in parts of each size, with the sound for each; POOR_SOUND is the rendition of sound too."""
    done = work.finished_parts(sizes)
    pictures = Pictures(Shots(work.part, sizes, done), frames_a_part, done * frames_a_part)
    frames = encode(source, pictures, renditions_of_sound(work.folder), expected, report)
    seconds = frames / FRAME_RATE
    return {
        size: work.reel(size, work.folder / hls.sound_of(size), frames_a_part, frames, seconds)
        for size in sizes
    }


def _copied(source: Path, film: Path, seconds: float) -> float | None:
    """The film's own packets with the index first; None where it must be encoded anew after all.

    Such is one that does not come out as long as the source says that it is, in seconds.
    """
    try:
        with (
            open_film(source) as container,
            av.open(str(film), "w", format="mp4", options={"movflags": "+faststart"}) as out,
        ):
            video, audio = film_stream(container), container.streams.audio[0]
            _remux(container, out, (video, audio))
        return verify(film, seconds)
    except (FFmpegError, ValueError) as error:
        if isinstance(error, Refused) and error.refusal is Refusal.NO_PICTURE:
            raise
        return None


def _sound(film: Path, sound: Path) -> float:
    """What is heard in the film, as a file of its own; answers its length in seconds."""
    with (
        av.open(str(film)) as container,
        av.open(str(sound), "w", format="mp4", options={"movflags": "+faststart"}) as out,
    ):
        stream = container.streams.audio[0]
        _remux(container, out, (stream,))
        return float((stream.duration or 0) * (stream.time_base or 0))


def _remux(container: Any, out: Any, streams: tuple[Any, ...]) -> None:
    targets = {stream.index: out.add_stream_from_template(stream) for stream in streams}
    last_key = 0.0
    for packet in container.demux(streams):
        if packet.dts is None:
            continue
        if packet.stream.type == "video":
            time = float(packet.dts * packet.time_base)
            if time - last_key > _LONGEST_WITHOUT_KEY_FRAME:
                raise ValueError("too few key frames")
            last_key = time if packet.is_keyframe else last_key
        packet.stream = targets[packet.stream.index]
        out.mux(packet)
