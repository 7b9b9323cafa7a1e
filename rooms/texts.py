"""What people write, made safe to show: bounded, without control characters."""

import unicodedata
from datetime import UTC, datetime
from typing import Final

from errors import Kind, Problem

NAME_LENGTH: Final = 64
LINE_ENDS: Final = "\n"
# Bidirectional overrides and isolates can make a name or a message read as another one.
_TRICKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")


def clean_text(text: str, maximum: int, code: str, *, lines: bool = True) -> str:
    """The text trimmed and without control characters; Problem INVALID `code` when nothing or too much is left."""
    kept = "".join(
        character
        for character in text.replace("\r\n", "\n")
        if (lines and character in LINE_ENDS)
        or (unicodedata.category(character) not in {"Cc", "Cs"} and character not in _TRICKS)
    ).strip()
    if not kept or len(kept) > maximum:
        raise Problem(Kind.INVALID, code, {"maximum": maximum})
    return kept


def clean_name(name: str) -> str:
    """What a person is called in a room: one line of 1 to 64 characters; Problem invalid_display_name."""
    return clean_text(name, NAME_LENGTH, "invalid_display_name", lines=False)


def rfc3339(moment: datetime) -> str:
    """A moment as the wire shows it, for the details of a Problem."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
