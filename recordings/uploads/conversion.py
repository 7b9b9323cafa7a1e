"""Makes of an uploaded film what composition makes of a meeting: the same MP4, its sound, its pictures, its sizes."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

from recordings.compose import hls
from recordings.compose.brief import Brief
from recordings.compose.composer import Composed, NothingToCompose, publish
from recordings.compose.film import LARGE, Reel, Size, join, sizes_of
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.shots import Shots
from recordings.compose.sound import renditions_of_sound
from recordings.compose.stills import make_poster, make_preview
from recordings.compose.verify import verify
from recordings.folders import bytes_of
from recordings.renditions import CONVERTING_FOLDER, FILE_NAMES, Outputs, Rendition
from recordings.states import Failure
from recordings.uploads.encoding import encode
from recordings.uploads.probe import Refused, film_stream, limit, open_film, probe
from recordings.uploads.rules import Refusal, passes_through

# A seek in a film with fewer key frames shows nothing for too long.
_LONGEST_WITHOUT_KEY_FRAME: Final = 10.0
_CPU_SECONDS: Final = 48 * 3600


def convert(
    folder: Path, source: Path, report: Callable[[float], None], brief: Brief | None = None
) -> Composed:
    """Every rendition appears in `folder`, whole or not at all; progress 0..1 is told.

    Raises NothingToCompose for a file that is no film, OSError of the disk, ValueError where the result does not play.
    """
    limit(_CPU_SECONDS, may_write=True)
    work = folder / CONVERTING_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        return _convert(folder, source, work, report, brief or Brief())
    except (Refused, FFmpegError) as error:
        raise NothingToCompose(Failure.CAPTURE_UNREADABLE) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _convert(
    folder: Path, source: Path, work: Path, report: Callable[[float], None], brief: Brief
) -> Composed:
    facts = probe(source)
    paths = {rendition: work / name for rendition, name in FILE_NAMES.items()}
    film = paths[Rendition.FILM]
    made = [Rendition.FILM, Rendition.SOUND, Rendition.POSTER, Rendition.PREVIEW]
    seconds = _copied(source, film) if passes_through(facts) else None
    sizes = sizes_of(facts.seconds if seconds is None else seconds, brief.hls_seconds)
    if seconds is None or len(sizes) > 1:
        reels = _encoded(source, work, sizes, facts.seconds, lambda share: report(0.95 * share))
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
    publish(folder, work, outputs)
    return Composed(seconds, outputs, None)


def _encoded(
    source: Path, work: Path, sizes: Sequence[Size], expected: float, report: Callable[[float], None]
) -> dict[Size, Reel]:
    """The whole film as one part of each size, with the sound for each; POOR_SOUND is the rendition of sound too."""

    def place(_number: int, size: Size) -> Path:
        return work / f"{size.name}.mp4"

    frames = encode(source, Shots(place, sizes), renditions_of_sound(work), expected, report)
    seconds = frames / FRAME_RATE
    return {size: Reel([(0, place(0, size))], work / hls.sound_of(size), seconds) for size in sizes}


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
