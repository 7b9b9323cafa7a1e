"""Looks at an uploaded file. Runs in a process of its own, with bounds that the kernel holds: see `limit`."""

import math
import resource
from pathlib import Path
from typing import Any, Final

import av
from av.error import FFmpegError

from recordings.faults import blame_machine
from recordings.uploads.rules import MOST_PIXELS, MOST_STREAMS, Facts, Refusal, judge

# What cameras, phones and editors write. Playlists and scripts, which name other files and addresses, are not among
# them, and no protocol but the disk's is spoken.
_OPTIONS: Final = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv",
    "protocol_whitelist": "file",
    "max_streams": str(4 * MOST_STREAMS),
    "probesize": "20000000",
    "analyzeduration": "10000000",
}
_MEMORY_BYTES: Final = 3 * 1024**3
_LOOKED_AT: Final = 10  # frames that must decode


class Refused(ValueError):  # noqa: N818 - what is said of the file
    """The file is not taken."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


def limit(cpu_seconds: int, *, may_write: bool) -> None:
    """Bound this process: memory, processor time, and for a mere look, writing.

    Who takes too much time is told so by SIGXCPU: SIGKILL is what the machine sends that has no memory.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not may_write:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def open_film(path: Path) -> Any:
    """The file as a container; raises Refused, OSError of the machine."""
    try:
        return av.open(f"file:{path}", options=_OPTIONS, metadata_errors="ignore")
    except (FFmpegError, ValueError, OverflowError) as error:
        blame_machine(error)
        raise Refused(Refusal.NOT_A_FILM) from error


def tame(stream: Any) -> Any:
    """A stream whose decoder takes no larger picture than the first was allowed to be."""
    if stream.codec_context.is_open:
        return stream
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    stream.codec_context.thread_count = 2
    return stream


def probe(path: Path) -> Facts:
    """What the file is, some of its pictures decoded; raises Refused, OSError or MemoryError of the machine."""
    with open_film(path) as container:
        facts = _facts(container)
        refusal = judge(facts)
        if refusal is not None:
            raise Refused(refusal)
        _decode_some(container)
    return facts


def _facts(container: Any) -> Facts:
    videos = [one for one in container.streams.video if not _is_cover(one)]
    audio = container.streams.audio[0] if container.streams.audio else None
    if not videos:
        return Facts(container.format.name, len(container.streams), 0, 0, 0, "", "", None, 0, 0, upright=True)
    video = videos[0]
    return Facts(
        container=container.format.name,
        streams=len(container.streams),
        seconds=_seconds(container, video),
        width=video.width or 0,
        height=video.height or 0,
        video_codec=video.codec_context.name,
        pixel_format=video.pix_fmt or "",
        audio_codec=audio.codec_context.name if audio else None,
        audio_channels=audio.channels if audio else 0,
        bits_a_second=container.bit_rate or 0,
        upright=(video.sample_aspect_ratio in {None, 0, 1}) and not _turned(container, video),
    )


def film_stream(container: Any) -> Any:
    """The stream of pictures that is the film, and not a cover; raises Refused."""
    for stream in container.streams.video:
        if not _is_cover(stream):
            return tame(stream)
    raise Refused(Refusal.NO_PICTURE)


def _is_cover(stream: Any) -> bool:
    return "attached_pic" in str(stream.disposition)


def _seconds(container: Any, video: Any) -> float:
    if container.duration:
        return float(container.duration) / av.time_base
    if video.duration and video.time_base:
        return float(video.duration * video.time_base)
    return math.inf if container.format.name in {"mpegts", "mpeg"} else 0.0


def _turned(container: Any, video: Any) -> bool:
    """Phones write pictures lying down and say so; only a decoded one tells."""
    if video.width * video.height > MOST_PIXELS:
        return False
    try:
        frame = next(container.decode(tame(video)), None)
    except (FFmpegError, ValueError) as error:
        blame_machine(error)
        raise Refused(Refusal.NOT_A_FILM) from error
    container.seek(0)
    return frame is not None and bool(frame.rotation)


def _decode_some(container: Any) -> None:
    decoded = 0
    try:
        for _ in container.decode(film_stream(container)):
            decoded += 1
            if decoded == _LOOKED_AT:
                return
    except (FFmpegError, ValueError) as error:
        blame_machine(error)
        if not decoded:
            raise Refused(Refusal.NOT_A_FILM) from error
    if not decoded:
        raise Refused(Refusal.NO_PICTURE)
