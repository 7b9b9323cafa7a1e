"""What a host may say of the agenda, and what its items are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.meetings.agenda import ITEM_LENGTH, MOST_ITEMS, agenda_items


@pytest.mark.parametrize(
    ("agenda", "items"),
    [
        (None, ()),
        (" \n\n", ()),
        ("一、学习", ("一、学习",)),
        (" 一、 学习\t文件 \r\n\n二、讨论", ("一、 学习 文件", "二、讨论")),
    ],
)
def test_each_line_is_an_item(agenda: str | None, items: tuple[str, ...]) -> None:
    assert agenda_items(agenda) == items


@given(st.text(max_size=2_000))
def test_items_are_bounded_lines_whatever_was_written(agenda: str) -> None:
    items = agenda_items(agenda)
    assert len(items) <= MOST_ITEMS
    assert all(0 < len(item) <= ITEM_LENGTH and item.splitlines() == [item] for item in items)
