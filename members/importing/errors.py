"""What is wrong with the files, each with its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAXIMUM_ERRORS: Final = 100
"""Errors told at once; whoever has more has made one mistake many times."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One mistake, or what may be one: its file, line (1 is the header; None: the whole file) and column."""

    file: str
    line: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = [self.file]
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.column is not None:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message}"


class ImportRefused(Exception):  # noqa: N818 - it names a refusal, as Problem does
    """Nothing was imported; `errors` say why, in the order of the files."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        self.errors = tuple(errors[:MAXIMUM_ERRORS])
        self.more = max(0, len(errors) - MAXIMUM_ERRORS)
        lines = [str(error) for error in self.errors]
        if self.more:
            lines.append(f"... and {self.more} more")
        super().__init__("\n".join(lines))
