"""What is made of an uploaded film takes so much of the disk at most, beside the film; told before it is made. Pure."""

from typing import Final

from recordings.uploads.rules import MOST_COPIED_BITS

# Of a second: at most what `recordings.compose.film` encodes of its large size, and of all three; the sound, as it is
# kept until it is even (48,000 times two channels of 16 bits), and what becomes of it is less.
LARGE_BITS: Final = 2_500_000
ALL_BITS: Final = 3_580_000
_SOUND_BITS: Final = 1_600_000
# Parts, and what is joined of them, lie side by side before the parts go.
_TWICE: Final = 2
# A film of few bits does not become one of many: slides at 1080p took up to 3.3 times what they came with.
_MOST_TIMES: Final = 4
# Browsers say how long the films of phones and editors are; the others are of cameras and television.
_UNKNOWN_BITS: Final = 4_000_000


def bytes_made(size: int, seconds: float | None, *, in_all_sizes: bool) -> int:
    """Of a film of `size` bytes that lasts for so long, as far as anybody knows."""
    lasts = size * 8 / _UNKNOWN_BITS if seconds is None else seconds
    copied = size * 8 <= MOST_COPIED_BITS * lasts  # if only its codecs allow it
    encoded = _TWICE * (ALL_BITS if in_all_sizes else LARGE_BITS)
    if in_all_sizes and not copied:
        encoded += LARGE_BITS  # the film beside the stream, which has its largest size once more
    pictures = min(_MOST_TIMES * size, encoded * lasts / 8)
    if copied:
        pictures = size + pictures if in_all_sizes else max(size, pictures)
    return round(pictures + _SOUND_BITS * lasts / 8)
