"""Bounded pieces of a list with an opaque cursor, by key and not by offset, so that inserts shift nothing."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from errors import Kind, Problem

T = TypeVar("T")
U = TypeVar("U")

DEFAULT_LIMIT: Final = 50
MAXIMUM_LIMIT: Final = 200
MAXIMUM_CURSOR_LENGTH: Final = 600
_INTEGER_BITS: Final = 63


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the cursor of the next page, None at the end."""

    items: list[T]
    next_cursor: str | None = None

    def map(self, convert: Callable[[T], U]) -> "Page[U]":
        """The same page of converted items."""
        return Page([convert(item) for item in self.items], self.next_cursor)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted: at most `limit` items after `cursor` (None: from the start)."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @classmethod
    def parse(cls, limit: str | None, cursor: str | None) -> Self:
        """From a query string's `limit` and `cursor`; Problem invalid_limit or invalid_cursor for anything odd.

        A limit above the maximum is refused rather than cut, so that a client knows.
        """
        number = DEFAULT_LIMIT
        if limit is not None:
            if not (limit.isascii() and limit.isdigit() and len(limit) <= len(str(MAXIMUM_LIMIT))):
                raise Problem(Kind.INVALID, "invalid_limit", {"maximum": MAXIMUM_LIMIT})
            number = int(limit)
        if not 1 <= number <= MAXIMUM_LIMIT:
            raise Problem(Kind.INVALID, "invalid_limit", {"maximum": MAXIMUM_LIMIT})
        if cursor:
            _decode(cursor)
        return cls(number, cursor or None)


@dataclass(frozen=True, slots=True)
class SortKey(Generic[T]):
    """One column of the order, str, int or datetime and never null; the last key of an order must be unique."""

    column: InstrumentedAttribute[T]
    descending: bool = False


async def fetch_page(
    session: AsyncSession, query: Select[T], keys: Sequence[SortKey[Any]], request: PageRequest
) -> Page[T]:
    """One page of an entity query in the order of `keys`; the query has no order of its own.

    Raises Problem invalid_cursor when the cursor is not of this order.
    """
    query = query.order_by(*(key.column.desc() if key.descending else key.column.asc() for key in keys))
    if request.cursor is not None:
        query = query.where(_after(keys, _typed(keys, _decode(request.cursor))))
    found = list((await session.scalars(query.limit(request.limit + 1))).all())
    items = found[: request.limit]
    if len(found) <= request.limit:
        return Page(items)
    return Page(items, _encode([getattr(items[-1], key.column.key) for key in keys]))


def _after(keys: Sequence[SortKey[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows strictly after `values`: (a > x) or (a = x and b > y) or ..., each with its own direction."""
    alternatives: list[ColumnElement[bool]] = []
    for position, (key, value) in enumerate(zip(keys, values, strict=True)):
        same = [earlier.column == values[index] for index, earlier in enumerate(keys[:position])]
        beyond = key.column < value if key.descending else key.column > value
        alternatives.append(and_(*same, beyond))
    return or_(*alternatives)


def _encode(values: Sequence[Any]) -> str:
    plain = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in values]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    """The values inside a cursor; total: anything else than a list of strings and integers is a Problem."""
    if len(cursor) > MAXIMUM_CURSOR_LENGTH or not cursor.isascii():
        raise Problem(Kind.INVALID, "invalid_cursor")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise Problem(Kind.INVALID, "invalid_cursor") from None
    if not isinstance(values, list):
        raise Problem(Kind.INVALID, "invalid_cursor")
    return values


def _typed(keys: Sequence[SortKey[Any]], values: list[Any]) -> list[Any]:
    if len(keys) != len(values):
        raise Problem(Kind.INVALID, "invalid_cursor")
    return [_value(key.column.type.python_type, value) for key, value in zip(keys, values, strict=True)]


def _value(expected: type[Any], value: Any) -> Any:
    if expected is datetime:
        return _moment(value)
    if expected is int and type(value) is int and value.bit_length() <= _INTEGER_BITS:
        return value
    if issubclass(expected, str) and isinstance(value, str) and _is_storable(value):
        return value
    raise Problem(Kind.INVALID, "invalid_cursor")


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Problem(Kind.INVALID, "invalid_cursor") from None


def _is_storable(text: str) -> bool:
    """PostgreSQL's text has no NUL, and neither database takes half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
