"""What a column may hold: functions from a cell's text to its value, ValueError in words for anything else."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

from errors import Problem
from members.accounts.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH
from members.accounts.repository import normalize_username

E = TypeVar("E", bound=StrEnum)

NAME_LENGTH: Final = 80
ORGANIZATION_NAME_LENGTH: Final = 120
PLACE_LENGTH: Final = 120
LOCALES: Final = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its header, what it may hold, whether it must be filled."""

    name: str
    parse: Callable[[str], Any]
    required: bool = False


def text(maximum: int) -> Callable[[str], str]:
    """Printable text of at most `maximum` characters."""

    def parse(cell: str) -> str:
        if len(cell) > maximum:
            raise ValueError(f"at most {maximum} characters, here are {len(cell)}")
        if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in cell):
            raise ValueError("a line break or control character has no place here")
        return cell

    return parse


def one_of(choices: type[E]) -> Callable[[str], E]:
    """One of an enumeration's values, whatever its case."""

    def parse(cell: str) -> E:
        try:
            return choices(cell.casefold())
        except ValueError:
            raise ValueError(f"{cell!r} is none of {', '.join(choice.value for choice in choices)}") from None

    return parse


def timezone(cell: str) -> str:
    """An IANA time zone's name."""
    if cell not in available_timezones():
        raise ValueError(f"{cell!r} is no time zone; write it like Asia/Shanghai or Europe/London")
    return cell


def locale(cell: str) -> str:
    """A language of the product."""
    if cell not in LOCALES:
        raise ValueError(f"{cell!r} is none of {', '.join(LOCALES)}")
    return cell


def username(cell: str) -> str:
    """A user name in its one spelling."""
    try:
        return normalize_username(cell)
    except Problem:
        raise ValueError("2 to 60 letters, digits, dots, dashes, underscores or @") from None


def password(cell: str) -> str:
    """A password's length; the rest is looked at together with the user name."""
    if not MINIMUM_LENGTH <= len(cell) <= MAXIMUM_LENGTH:
        raise ValueError(f"{MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters")
    return cell
