"""What a film may be: bounds, and what is said of one that is out of them. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MEBIBYTE: Final = 1024 * 1024
# One chunk is held in memory; a phone on a village's line sends four mebibytes in half a minute.
CHUNK_BYTES: Final = 4 * MEBIBYTE
SMALLEST_BYTES: Final = 1024
OPEN_UPLOADS: Final = 3  # of one account

FINGERPRINT_LENGTH: Final = 64
FINGERPRINT: Final = re.compile(rf"[0-9A-Za-z-]{{1,{FINGERPRINT_LENGTH}}}")
"""By what an uploader knows a file again; it is compared, and means nothing else here."""

LONGEST_SECONDS: Final = 6 * 3600.0
SHORTEST_SECONDS: Final = 0.5
MOST_PIXELS: Final = 4096 * 2304
MOST_STREAMS: Final = 16
MOST_COPIED_BITS: Final = 6_000_000
"""A second, of a film that is taken over as it is: so much the reading rooms' lines bear."""


class Refusal(StrEnum):
    """Why a file is not taken; each is a code with a sentence in the locales."""

    NOT_A_FILM = "upload_not_a_film"
    NO_PICTURE = "upload_no_picture"
    PICTURE_TOO_LARGE = "upload_picture_too_large"
    TOO_LONG = "upload_film_too_long"
    TOO_SHORT = "upload_too_short"
    TOO_MANY_STREAMS = "upload_too_many_streams"
    TOO_COSTLY = "upload_too_costly"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the probe found; `seconds` is the file's own claim and is bounded again by what is really decoded."""

    container: str
    streams: int
    seconds: float
    width: int
    height: int
    video_codec: str
    pixel_format: str
    audio_codec: str | None
    audio_channels: int
    bits_a_second: int
    upright: bool  # neither turned nor of oblong pixels


def judge(facts: Facts) -> Refusal | None:
    """Why not, or None where the film is taken."""
    if facts.streams > MOST_STREAMS:
        return Refusal.TOO_MANY_STREAMS
    if facts.width <= 0 or facts.height <= 0:
        return Refusal.NO_PICTURE
    if facts.width * facts.height > MOST_PIXELS:
        return Refusal.PICTURE_TOO_LARGE
    if not facts.seconds <= LONGEST_SECONDS:  # NaN too
        return Refusal.TOO_LONG
    if facts.seconds < SHORTEST_SECONDS:
        return Refusal.TOO_SHORT
    return None


def passes_through(facts: Facts) -> bool:
    """Whether every browser plays it as it is, once its index stands first."""
    return (
        "mp4" in facts.container.split(",")
        and (facts.video_codec, facts.pixel_format, facts.audio_codec) == ("h264", "yuv420p", "aac")
        and facts.width <= 1920  # noqa: PLR2004 - what phones of ten years ago decode
        and facts.height <= 1080  # noqa: PLR2004
        and facts.audio_channels in {1, 2}
        and 0 < facts.bits_a_second <= MOST_COPIED_BITS
        and facts.upright
    )
