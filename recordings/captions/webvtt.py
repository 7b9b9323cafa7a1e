"""WebVTT (https://www.w3.org/TR/webvtt1/) read by a total function and written anew.

What is served is never what was uploaded: only times, positions and text of the cues go through, so that style sheets,
notes and whatever else a file may hold stay outside.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

MOST_BYTES: Final = 512 * 1024  # four hours of dense speech are 300 kB
MOST_CUES: Final = 15_000  # one a second for four hours
MOST_TEXT: Final = 1_000  # characters of one cue; what fits on a screen is a tenth of it

_HEADER: Final = re.compile(r"WEBVTT(?:[ \t].*)?")
_TIME: Final = r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)[.](\d{3})"
_TIMING: Final = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t]+(.*))?", re.ASCII)
_SETTING: Final = re.compile(
    r"(?:vertical:(?:rl|lr)|line:-?\d{1,3}%?|(?:position|size):\d{1,3}%|align:(?:start|center|end|left|right))",
    re.ASCII,
)
_TAG: Final = re.compile(r"</?[^<>]*>?")


class CaptionsError(ValueError):
    """`line`, from 1, is where it cannot be understood; `code` says why."""

    def __init__(self, code: str, line: int = 1) -> None:
        super().__init__(f"{code} at line {line}")
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class Cue:
    """What is to be read from `begin` to `end`, in seconds."""

    begin: float
    end: float
    text: str
    settings: str = ""


def parse(text: str) -> tuple[Cue, ...]:
    """The cues of a WebVTT file, by time; CaptionsError for what is none. Total on any string."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise CaptionsError("captions_too_large")
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    if not _HEADER.fullmatch(lines[0]):
        raise CaptionsError("captions_not_webvtt")
    cues: list[Cue] = []
    at = 1
    while at < len(lines):
        if "-->" not in lines[at]:
            at += 1  # a name of a cue, a blank line, a note, a style sheet
            continue
        body = at + 1
        while body < len(lines) and lines[body].strip() and "-->" not in lines[body]:
            body += 1
        cue = _cue(lines[at], lines[at + 1 : body], at + 1)
        if cue is not None:
            cues.append(cue)
        if len(cues) > MOST_CUES:
            raise CaptionsError("captions_too_many", at + 1)
        at = body
    if not cues:
        raise CaptionsError("captions_empty", len(lines))
    return tuple(sorted(cues, key=lambda cue: (cue.begin, cue.end)))


def write(cues: tuple[Cue, ...]) -> str:
    """The same as a WebVTT file that holds nothing else."""
    blocks = ["WEBVTT"]
    for cue in cues:
        timing = f"{_clock(cue.begin)} --> {_clock(cue.end)}"
        blocks.append(f"{timing} {cue.settings}".rstrip() + f"\n{_escaped(cue.text)}")
    return "\n\n".join(blocks) + "\n"


def fitting(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """The first of them, as many as a file may hold."""
    kept: list[Cue] = []
    size = 0
    for cue in islice(cues, MOST_CUES):
        size += len(write((cue,)).encode())
        if size > MOST_BYTES:
            break
        kept.append(cue)
    return tuple(kept)


def _cue(timing: str, text: list[str], line: int) -> Cue | None:
    found = _TIMING.fullmatch(timing.strip())
    if found is None:
        raise CaptionsError("captions_bad_time", line)
    begin, end = _seconds(*found.groups()[:4]), _seconds(*found.groups()[4:8])
    if end <= begin:
        raise CaptionsError("captions_bad_time", line)
    plain = "\n".join(_plain(part) for part in text).strip()
    if len(plain) > MOST_TEXT:
        raise CaptionsError("captions_cue_too_long", line)
    settings = [part for part in (found.group(9) or "").split() if _SETTING.fullmatch(part)]
    return Cue(begin, end, plain, " ".join(settings)) if plain else None


def _seconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths) / 1000


def _plain(text: str) -> str:
    """Without tags and control characters, entities as what they stand for."""
    bare = _TAG.sub("", text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&lrm;", ""), ("&rlm;", "")):
        bare = bare.replace(entity, character)
    bare = bare.replace("&amp;", "&")
    return "".join(one for one in bare if one.isprintable() or one == "\u3000")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float) -> str:
    thousandths = math.floor(seconds * 1000 + 0.5)
    hours, rest = divmod(thousandths, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
