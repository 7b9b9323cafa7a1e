"""What a composition makes of one recording, and how each of it is named on the disk and described in the record."""

import math
import mimetypes
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final


class Rendition(StrEnum):
    """One way to have a recording; the values are the interface's."""

    FILM = "film"  # the whole: H.264 and AAC in one MP4
    SOUND = "sound"  # what was said alone, for poor lines
    POSTER = "poster"  # one picture that stands for the film
    PREVIEW = "preview"  # small pictures of all of it in one, for the player's bar
    HLS = "hls"  # the film in three sizes that a player changes between, in a folder of its own


FILE_NAMES: Final[dict[Rendition, str]] = {
    Rendition.FILM: "meeting.mp4",
    Rendition.SOUND: "sound.m4a",
    Rendition.POSTER: "poster.jpg",
    Rendition.PREVIEW: "preview.jpg",
    Rendition.HLS: "hls",
}


def named(name: str) -> Rendition | None:
    """Which one a file within the recording's folder belongs to; None: to none."""
    top = name.partition("/")[0]
    return next((rendition for rendition, kept_as in FILE_NAMES.items() if kept_as == top), None)


PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"  # RFC 8216 section 10
SEGMENT_TYPE: Final = "video/iso.segment"
# Python's own table depends on the machine, and lacks what HLS needs.
_CONTENT_TYPES: Final = {
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
    ".m3u8": PLAYLIST_TYPE,
    ".m4s": SEGMENT_TYPE,
}

# Folders beside these, of what is being made; nobody needs them afterwards.
COMPOSING_FOLDER: Final = "work"
CONVERTING_FOLDER: Final = "converting"
FETCHING_FOLDER: Final = "fetching"

HLS_MASTER: Final = "master.m3u8"
# Of each size a playlist and its fragmented MP4; earlier compositions wrote the head and each segment as a file.
_HLS_FILE: Final = re.compile(r"[1-9][0-9]{1,3}p(\.m3u8|\.m4s|-init\.mp4|-[0-9]{5,9}\.m4s)")


def is_hls_file(name: str) -> bool:
    """Whether composition writes files of this name into HLS's folder, or did; never true of what leads out of it."""
    return name == HLS_MASTER or _HLS_FILE.fullmatch(name) is not None


def content_type(name: str) -> str:
    """By the ending of a file's name."""
    known = _CONTENT_TYPES.get(PurePosixPath(name).suffix)
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Chapter:
    """Where in the film something begins, in seconds, and what."""

    start_seconds: float
    title: str


@dataclass(frozen=True, slots=True)
class PreviewStrip:
    """How the preview is read: picture `n` shows second `n * interval_seconds`, in rows of `columns` from the left."""

    interval_seconds: float
    columns: int
    count: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a composition left: bytes by rendition, and what players want to know beside them."""

    sizes: dict[Rendition, int]
    chapters: tuple[Chapter, ...] = ()
    preview: PreviewStrip | None = None


def renditions_out(outputs: Outputs) -> list[dict[str, Any]]:
    """As `recordings.renditions` keeps it: one object a rendition, the preview's with its measures."""
    kept: list[dict[str, Any]] = []
    for rendition, size in outputs.sizes.items():
        entry: dict[str, Any] = {"name": rendition.value, "size": size}
        if rendition is Rendition.PREVIEW and outputs.preview is not None:
            entry |= asdict(outputs.preview)
        kept.append(entry)
    return kept


def chapters_out(chapters: Iterable[Chapter]) -> list[dict[str, Any]]:
    """As `recordings.chapters` keeps them."""
    return [asdict(chapter) for chapter in chapters]


def outputs_in(renditions: list[dict[str, Any]], chapters: list[dict[str, Any]]) -> Outputs:
    """What was kept; KeyError, TypeError or ValueError for what `renditions_out` and `chapters_out` do not write."""
    sizes = {Rendition(entry["name"]): int(entry["size"]) for entry in renditions}
    strips = [entry for entry in renditions if entry["name"] == Rendition.PREVIEW]
    return Outputs(
        sizes,
        tuple(Chapter(_seconds(one["start_seconds"]), str(one["title"])) for one in chapters),
        _strip_in(strips[0]) if strips else None,
    )


def _strip_in(kept: dict[str, Any]) -> PreviewStrip:
    counts = {name: int(kept[name]) for name in ("columns", "count", "width", "height")}
    return PreviewStrip(_seconds(kept["interval_seconds"]), **counts)


def _seconds(kept: Any) -> float:
    seconds = float(kept)
    if not 0.0 <= seconds < math.inf:
        raise ValueError("no place in a film")
    return seconds
