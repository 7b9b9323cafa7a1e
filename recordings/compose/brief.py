"""What the server knows of a recording and the captured files do not: its title, its marks, who is to be hidden."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from recordings.compose.report import Finished, parse, write

# What the two processes may tell each other in one line: a broken disk under a meeting of hundreds is thousands of
# files that lack something, of half a kilobyte each, and everybody may have asked not to be in the picture.
LONGEST_LINE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class AgendaMark:
    """When an item of the agenda began: an RFC 3339 time on the server's clock, and the item's own words."""

    at: str
    title: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What one person asked last about his picture, and when: an RFC 3339 time on the server's clock."""

    person: str
    hidden: bool
    at: str


@dataclass(frozen=True, slots=True)
class Brief:
    """Given to the composing process by its supervisor. Without a title there is no title card.

    `date` is written out as people read it, a film of `hls_seconds` or more is made in three sizes (None: never),
    `part_seconds` is how much of it is encoded at a stretch and kept. `wishes` are what the records know; the captured
    files tell of wishes too. `standing`: what the records say of the film there is; no more than what is lost of it is
    to be made (`recordings.compose.mending`).
    """

    title: str = ""
    organization: str = ""
    date: str = ""
    language: str = "zh-CN"
    marks: tuple[AgendaMark, ...] = ()
    hls_seconds: float | None = None
    part_seconds: float = 60.0
    wishes: tuple[Wish, ...] = ()
    standing: Finished | None = None

    def wants_sizes(self, seconds: float) -> bool:
        """Whether a film of this length is made in all sizes."""
        return self.hls_seconds is not None and seconds >= self.hls_seconds


def write_brief(brief: Brief) -> bytes:
    """One line; the same brief always gives the same one."""
    content = asdict(replace(brief, standing=None))
    del content["standing"]
    if brief.standing is not None:
        content["standing"] = write(brief.standing)
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def read_brief(line: bytes) -> Brief:
    """What `write_brief` wrote; ValueError for anything else."""
    try:
        content: dict[str, Any] = json.loads(line)
        marks = tuple(AgendaMark(str(mark["at"]), str(mark["title"])) for mark in content.pop("marks"))
        wishes = tuple(
            Wish(str(wish["person"]), wish["hidden"] is True, str(wish["at"]))
            for wish in content.pop("wishes")
        )
        standing = _film(content.pop("standing")) if "standing" in content else None
        return Brief(marks=marks, wishes=wishes, standing=standing, **content)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no brief: {type(error).__name__}") from error


def _film(line: str) -> Finished:
    said = parse(line.encode())
    if not isinstance(said, Finished):
        raise TypeError("nobody says so of a film")
    return said
