import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from database import Database, PageRequest, SortKey, fetch_page
from errors import Kind, Problem
from members.people import Member
from tests.factories import FakeClock, Records

ORDERS: dict[str, list[SortKey[Any]]] = {
    "names up": [SortKey(Member.name), SortKey(Member.id)],
    "newest first, then names up": [
        SortKey(Member.created_at, descending=True),
        SortKey(Member.name),
        SortKey(Member.id, descending=True),
    ],
}


def cursor_of(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_the_pages_together_are_the_whole_list_in_order(
    database: Database, records: Records, clock: FakeClock, order: list[SortKey[Any]], limit: int
) -> None:
    branch = await records.organization()
    for name in ["李", "王", "王", "张", "李", "赵", "钱"]:
        await records.member(branch, name)
        clock.advance(0.5 if name == "王" else 0)
    async with database.reading() as session:
        whole = await fetch_page(session, select(Member), order, PageRequest(200))
        assert whole.next_cursor is None
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await fetch_page(session, select(Member), order, PageRequest(limit, cursor))
            assert len(page.items) <= limit
            found += [member.id for member in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert found == [member.id for member in whole.items]
    assert len(found) == 7


async def test_a_row_that_comes_in_between_shifts_nothing(database: Database, records: Records) -> None:
    branch = await records.organization()
    for name in "bdf":
        await records.member(branch, name)
    order = ORDERS["names up"]
    async with database.reading() as session:
        first = await fetch_page(session, select(Member), order, PageRequest(2))
    await records.member(branch, "a")
    async with database.reading() as session:
        second = await fetch_page(session, select(Member), order, PageRequest(2, first.next_cursor))
    assert [member.name for member in first.items + second.items] == ["b", "d", "f"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "", "ten", "９", "9" * 5000])
def test_an_odd_limit_is_refused(limit: str) -> None:
    with pytest.raises(Problem) as caught:
        PageRequest.parse(limit, None)
    assert (caught.value.kind, caught.value.code) == (Kind.INVALID, "invalid_limit")


def test_an_absent_limit_is_the_default_and_an_empty_cursor_the_start() -> None:
    assert PageRequest.parse(None, None) == PageRequest()
    assert PageRequest.parse("7", "") == PageRequest(7, None)


@given(st.text(max_size=700))
def test_any_text_as_a_cursor_is_read_or_refused(cursor: str) -> None:
    with suppress(Problem):
        PageRequest.parse(None, cursor)


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["王"],
        ["王", "x", "y"],
        [1, "x"],
        [None, "x"],
        [["王"], "x"],
        ["王\0", "x"],
        ["\ud800", "x"],
        [True, "x"],
    ],
)
async def test_a_cursor_of_another_order_is_refused(database: Database, values: list[Any]) -> None:
    request = PageRequest.parse(None, cursor_of(values))
    async with database.reading() as session:
        with pytest.raises(Problem, match="invalid_cursor"):
            await fetch_page(session, select(Member), ORDERS["names up"], request)


@pytest.mark.parametrize("moment", ["tomorrow", 5, None, "0001-01-01T00:00:00+14:00"])
async def test_a_cursor_with_an_odd_moment_is_refused(database: Database, moment: Any) -> None:
    request = PageRequest(5, cursor_of([moment, "王", "x"]))
    async with database.reading() as session:
        with pytest.raises(Problem, match="invalid_cursor"):
            await fetch_page(session, select(Member), ORDERS["newest first, then names up"], request)
