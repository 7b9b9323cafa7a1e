"""Makes what is lost of a finished film out of what there is of it: nothing of what was captured is looked at again.

Of the film all else is made. It itself is had of its stream's largest size, which has the same pictures and sound.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError

from recordings.capture.disk import sync
from recordings.compose import hls
from recordings.compose.composer import finished_before, publish
from recordings.compose.film import LARGE, SMALLER, Reel, Size, join
from recordings.compose.report import Finished, write
from recordings.compose.scenes import FRAME_RATE
from recordings.compose.shots import Shots
from recordings.compose.sound import FILM_SOUND, POOR_SOUND, make_poor_sound
from recordings.compose.stills import make_poster, make_preview
from recordings.compose.story import segment_folders
from recordings.compose.verify import SOUND, verify
from recordings.compose.work import Work
from recordings.faults import passes
from recordings.folders import SOURCE_FOLDER, bytes_of
from recordings.renditions import COMPOSING_FOLDER, FILE_NAMES, Rendition
from recordings.states import Failure

# The film first, of which the others are made; sound next: the smallest size takes it.
_IN_ORDER: Final = (
    Rendition.FILM, Rendition.SOUND, Rendition.POSTER, Rendition.PREVIEW, Rendition.HLS,
)  # fmt: skip


class Unmendable(Exception):  # noqa: N818 - it says what was found
    """The film is not whole, or what is lost cannot be made of it, and there is what all can be made anew of."""


def mend(folder: Path, standing: Finished, report: Callable[[float], None]) -> Finished:
    """What the records say of the film in `folder`, when all of it is there again; `report` is told the share, 0..1.

    What cannot be had of the film is left out, as Failure.FILES_MISSING, where nothing is left to make all anew of;
    Unmendable where there is. OSError where the machine is in the way, MemoryError too: that says nothing of the film.
    """
    can_be_made_anew = bool(segment_folders(folder)) or (folder / SOURCE_FOLDER).is_dir()
    film = folder / FILE_NAMES[Rendition.FILM]
    plays = _is_whole(film, standing)
    if can_be_made_anew and not plays:
        raise Unmendable("the film is not whole")
    work = Work(folder / COMPOSING_FOLDER, fingerprint(standing))
    made = finished_before(folder, work)
    if made is None:
        work.begin_anew()  # an attempt that died leaves files that end anywhere
        sizes = standing.outputs.sizes
        lost = [one for one in _IN_ORDER if one in sizes and bytes_of(folder / FILE_NAMES[one]) != sizes[one]]
        if not plays and Rendition.FILM not in lost:
            lost.insert(0, Rendition.FILM)
        made = _mend(folder, work, standing, lost, report, can_be_made_anew=can_be_made_anew)
    publish(folder, work, made)
    return made


def fingerprint(standing: Finished) -> str:
    """Of what is made of that film, and of no other."""
    return sha256(f"mending\n{write(standing)}".encode()).hexdigest()


def _mend(
    folder: Path, work: Work, standing: Finished, lost: Sequence[Rendition], report: Callable[[float], None],
    *, can_be_made_anew: bool,
) -> Finished:  # fmt: skip
    made = standing
    for number, rendition in enumerate(lost):
        report(number / len(lost))
        try:
            made = _make(rendition, folder, work, made)
        except (FFmpegError, ValueError) as error:
            if passes(error):
                raise
            if can_be_made_anew:
                raise Unmendable(f"{rendition.value}: {error}") from error
            work.drop(FILE_NAMES[rendition])
            made = _without(rendition, folder, made)
    return made


def _is_whole(film: Path, standing: Finished) -> bool:
    try:
        verify(film, standing.duration)
    except (FileNotFoundError, ValueError):
        return False
    return bytes_of(film) == standing.outputs.sizes[Rendition.FILM]


def _make(rendition: Rendition, folder: Path, work: Work, made: Finished) -> Finished:
    film, path = _film(folder, work), work.folder / FILE_NAMES[rendition]
    outputs, preview = made.outputs, made.outputs.preview
    if rendition is Rendition.FILM:
        _make_film(folder, made, path)
    elif rendition is Rendition.SOUND:
        make_poor_sound(film, path)
        verify(path, None, SOUND)
    elif rendition is Rendition.POSTER:
        make_poster(film, made.duration / 3, path)
    elif rendition is Rendition.PREVIEW:
        preview = make_preview(film, made.duration, path)
    else:
        _make_sizes(folder, work, made.duration)
    sizes = {**outputs.sizes, rendition: bytes_of(path)}
    return replace(made, outputs=replace(outputs, sizes=sizes, preview=preview))


def _film(folder: Path, work: Work) -> Path:
    """Made just now, or as it was."""
    made = work.folder / FILE_NAMES[Rendition.FILM]
    return made if made.exists() else folder / FILE_NAMES[Rendition.FILM]


def _make_film(folder: Path, made: Finished, path: Path) -> None:
    """Of the stream's largest size, nothing encoded again; ValueError where that does not play, or is not there."""
    playlist = folder / FILE_NAMES[Rendition.HLS] / f"{LARGE.name}.m3u8"
    try:
        verify(playlist, made.duration)
    except FileNotFoundError as error:
        raise ValueError("there is no stream") from error
    media = playlist.with_suffix(".m4s")
    with av.open(str(media)) as container:
        pictures = container.streams.video[0]
        late = float((pictures.start_time or 0) * (pictures.time_base or 0))
    # In a stream nothing is decoded before second 0, so all of it is shown later by what decoding is ahead of showing.
    options = {"movflags": "+faststart", "output_ts_offset": f"{-late:.6f}"}
    join(Reel([(0, media)], media, made.duration), path, "mp4", options, made.outputs.chapters)
    verify(path, made.duration)
    sync(path)


def _without(rendition: Rendition, folder: Path, made: Finished) -> Finished:
    """Of the film there has to be something; Unmendable where there is nothing."""
    outputs = made.outputs
    sizes = {one: size for one, size in outputs.sizes.items() if one is not rendition}
    if rendition is Rendition.FILM:
        sizes[rendition] = bytes_of(folder / FILE_NAMES[rendition])
        if not sizes[rendition]:
            raise Unmendable("there is no film")
    preview = None if rendition is Rendition.PREVIEW else outputs.preview
    return replace(
        made, failure=Failure.FILES_MISSING, outputs=replace(outputs, sizes=sizes, preview=preview)
    )


def _make_sizes(folder: Path, work: Work, seconds: float) -> None:
    """Those that do not play; the others are taken over.

    ValueError for an uploaded film, whose pictures may be the uploader's: they have no key frame where players change.
    """
    if (folder / SOURCE_FOLDER).is_dir():
        raise ValueError("sizes of an uploaded film are made of what was uploaded")
    before, after = folder / FILE_NAMES[Rendition.HLS], work.folder / FILE_NAMES[Rendition.HLS]
    after.mkdir()
    every = (LARGE, *SMALLER)
    lost = [size for size in every if not _taken_over(size, before, after, seconds)]
    film = _film(folder, work)
    _encode([size for size in lost if size is not LARGE], film, work, seconds)
    waiting = work.folder / POOR_SOUND  # where it was lost too
    poor = waiting if waiting.exists() else folder / POOR_SOUND
    for size in lost:
        pictures = film if size is LARGE else work.part(0, size)
        sound = film if hls.sound_of(size) == FILM_SOUND else poor
        hls.write_size(Reel([(0, pictures)], sound, seconds), size, after)
    hls.write_master(every, after)


def _taken_over(size: Size, before: Path, after: Path, seconds: float) -> bool:
    names = (f"{size.name}.m3u8", f"{size.name}.m4s")
    try:
        verify(before / names[0], seconds)
    except (OSError, ValueError):
        return False
    for name in names:
        _link(before / name, after / name)
    return True


def _link(old: Path, new: Path) -> None:
    """The same file by another name; a copy on a disk that knows no such thing."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


def _encode(sizes: Sequence[Size], film: Path, work: Work, seconds: float) -> None:
    """The film's pictures as one part of each size; the film leaves out frames that are the ones before again."""
    if not sizes:
        return
    shown = 0
    with av.open(str(film)) as container, Shots(work.part, sizes) as shots:
        for frame in container.decode(video=0):
            for _ in range(round(float(frame.time or 0) * FRAME_RATE) - shown):
                shots.add(None)
                shown += 1
            shots.add(frame)
            shown += 1
        for _ in range(round(seconds * FRAME_RATE) - shown):
            shots.add(None)
        shots.next_part()
