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
from recordings.compose.verify import verify
from recordings.compose.work import Work, conversion
from recordings.folders import bytes_of
from recordings.renditions import CONVERTING_FOLDER, FILE_NAMES, Outputs, Rendition
from recordings.states import Failure
from recordings.uploads.encoding import Pictures, encode
from recordings.uploads.probe import Refused, film_stream, limit, open_film, probe
from recordings.uploads.rules import Refusal, passes_through

# A seek in a film with fewer key frames shows nothing for too long.
_LONGEST_WITHOUT_KEY_FRAME: Final = 10.0
_CPU_SECONDS: Final = 48 * 3600


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
    seconds = _copied(source, film) if passes_through(facts) else None
    sizes = sizes_of(facts.seconds if seconds is None else seconds, brief.hls_seconds)
    if seconds is None or len(sizes) > 1:
        length = frames_in(brief.part_seconds)
        reels = _encoded(source, work, sizes, length, facts.seconds, lambda share: report(0.95 * share))
        if seconds is None:
            join(reels[LARGE], film, "mp4", {"movflags": "+faststart"}, ())
            seconds = verify(film, reels[LARGE].seconds)
        if len(sizes) > 1:
            hls.package(reels, paths[Rendition.HLS])
            made.append(Rendition.HLS)
    else:
        _sound(film, paths[Rendition.SOUND])
    make_poster(film, seconds / 3, paths[Rendition.POSTER])
    preview = make_preview(film, seconds, paths[Rendition.PREVIEW])
    outputs = Outputs({rendition: bytes_of(paths[rendition]) for rendition in made}, (), preview)
    report(0.99)
    return Finished(seconds, outputs, None)


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


def _copied(source: Path, film: Path) -> float | None:
    """The film's own packets with the index first; None where it must be encoded anew after all."""
    try:
        with (
            open_film(source) as container,
            av.open(str(film), "w", format="mp4", options={"movflags": "+faststart"}) as out,
        ):
            video, audio = film_stream(container), container.streams.audio[0]
            _remux(container, out, (video, audio))
        with av.open(str(film)) as container:
            seconds = float(container.duration or 0) / av.time_base
        return verify(film, seconds)
    except (FFmpegError, ValueError) as error:
        if isinstance(error, Refused) and error.refusal is Refusal.NO_PICTURE:
            raise
        return None


def _sound(film: Path, sound: Path) -> None:
    with (
        av.open(str(film)) as container,
        av.open(str(sound), "w", format="mp4", options={"movflags": "+faststart"}) as out,
    ):
        _remux(container, out, (container.streams.audio[0],))


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
