"""Between the wire's `?limit=&cursor=` and the records' pages."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from database import Page as RecordsPage
from database import PageRequest
from errors import Kind, Problem
from web.api.schemas.base import Output, Page, PageQuery

Out = TypeVar("Out", bound=Output)


def page_request(query: PageQuery) -> PageRequest:
    """What the services take."""
    return PageRequest(query.limit, query.cursor or None)


def page_out(page: RecordsPage[Any], model: type[Out]) -> Page[Out]:
    """What goes out, each item through its model."""
    return Page(items=[model.model_validate(item) for item in page.items], next_cursor=page.next_cursor)


def cut(items: Sequence[Out], query: PageQuery) -> Page[Out]:
    """A page of a list that is small enough to be whole in memory; the cursor is the last item's id."""
    start = _after(query.cursor, (item.id for item in items)) if query.cursor else 0  # type: ignore[attr-defined]
    part = list(items[start : start + query.limit])
    more = start + query.limit < len(items)
    return Page(items=part, next_cursor=part[-1].id if more else None)  # type: ignore[attr-defined]


def _after(cursor: str, ids: Iterable[str]) -> int:
    for position, known in enumerate(ids):
        if known == cursor:
            return position + 1
    raise Problem(Kind.INVALID, "invalid_cursor", {"field": "cursor"})
