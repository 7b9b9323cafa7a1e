"""What captions may be called, and how many a film may have. Pure."""

import re
from dataclasses import dataclass
from typing import Final

MOST_LANGUAGES: Final = 10
LANGUAGE_LENGTH: Final = 20
LABEL_LENGTH: Final = 40
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CaptionsFile:
    """A WebVTT file with its language (BCP 47) and what the player's list calls it."""

    language: str
    label: str
    text: str


def is_language(tag: str) -> bool:
    """Whether captions may be in it."""
    return _LANGUAGE.fullmatch(tag) is not None


def is_label(label: str) -> bool:
    """Whether the player's list may show it."""
    return 0 < len(label) <= LABEL_LENGTH
