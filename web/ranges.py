"""The Range header (RFC 9110 section 14), parsed totally. Pure."""

import re
from typing import Final

ByteRange = tuple[int, int]
"""begin..end, the end exclusive."""

# A player asks for one, a document reader for a handful; hundreds of small ones are an attack (RFC 9110 14.2).
MOST_RANGES: Final = 16
# Gaps smaller than the header of a part are cheaper sent than left out (RFC 9110 15.3.7.2).
_GAP: Final = 80
_LONGEST_HEADER: Final = 1_000
_SPEC: Final = re.compile(r"[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII)


class NotSatisfiable(ValueError):  # noqa: N818 - what the status says
    """Nothing of what is asked for is there, or it is no range at all: 416."""


def parse_ranges(header: str | None, size: int) -> list[ByteRange] | None:
    """The parts asked for, in order, those that touch made one; None for all of it.

    A unit that is not bytes is ignored, as RFC 9110 section 14.2 wants. Raises NotSatisfiable.
    """
    if header is None:
        return None
    unit, equals, specs = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    if len(header) > _LONGEST_HEADER:
        raise NotSatisfiable("too long")
    pieces = specs.split(",")
    if len(pieces) > MOST_RANGES:
        raise NotSatisfiable("too many")
    wanted = [found for piece in pieces if (found := _range(piece, size)) is not None]
    if not wanted:
        raise NotSatisfiable("nothing of it is there")
    return _joined(wanted)


def _range(piece: str, size: int) -> ByteRange | None:
    """One part cut to the file; None where nothing of it is there."""
    match = _SPEC.fullmatch(piece)
    if match is None or match.groups() == ("", ""):
        raise NotSatisfiable("no range")
    first, last = match.groups()
    if not first:
        begin = max(0, size - int(last))
        return (begin, size) if begin < size else None
    if last and int(last) < int(first):
        raise NotSatisfiable("backwards")
    begin, end = int(first), min(size, int(last) + 1) if last else size
    return (begin, end) if begin < end else None


def _joined(wanted: list[ByteRange]) -> list[ByteRange]:
    """In the order asked for where they are apart; by place where any overlap, since nobody needs a byte twice."""
    by_place = sorted(wanted)
    joined = [by_place[0]]
    for begin, end in by_place[1:]:
        if begin <= joined[-1][1] + _GAP:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return wanted if len(joined) == len(wanted) else joined
