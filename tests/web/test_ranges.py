"""The Range header: whatever it says, what is answered lies within the file."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from web.ranges import MOST_RANGES, ByteRange, NotSatisfiable, parse_ranges


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        (None, 100, None),
        ("bytes=0-", 100, [(0, 100)]),
        ("Bytes=10-19", 100, [(10, 20)]),
        ("bytes=-1", 100, [(99, 100)]),
        ("bytes=-500", 100, [(0, 100)]),
        ("bytes=99-99", 100, [(99, 100)]),
        ("bytes=0-9 , 500-509", 1000, [(0, 10), (500, 510)]),
        ("bytes=500-509,0-9", 1000, [(500, 510), (0, 10)]),
        ("bytes=0-9,5-30,40-50", 1000, [(0, 51)]),
        ("bytes=0-9,2000-", 1000, [(0, 10)]),
        ("lines=1-2", 100, None),
        ("bytes", 100, None),
    ],
)
def test_what_is_asked_for(header: str | None, size: int, expected: list[ByteRange] | None) -> None:
    assert parse_ranges(header, size) == expected


@pytest.mark.parametrize(
    "header",
    [
        "bytes=", "bytes=-", "bytes=-0", "bytes=100-", "bytes=9-3", "bytes=a-b", "bytes=1-2-3", "bytes=--1",
        "bytes=0x1-2",        "bytes=１-２", "bytes=0-1," * MOST_RANGES + "2-3",
        "bytes=" + "9" * 19 + "-", "bytes=" + " " * 2000 + "0-1",
    ],
)  # fmt: skip
def test_what_is_no_range_of_this_file_is_refused(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        parse_ranges(header, 100)


PIECES = st.tuples(st.none() | st.integers(0, 300), st.none() | st.integers(0, 300))


@given(
    st.text(max_size=60)
    | st.lists(PIECES, max_size=MOST_RANGES).map(
        lambda pieces: (
            "bytes="
            + ",".join(
                f"{'' if begin is None else begin}-{'' if end is None else end}" for begin, end in pieces
            )
        )
    ),
    st.integers(0, 200),
)
@example("bytes=0-0,0-0", 1)
def test_any_header_gives_parts_of_the_file_that_do_not_overlap(header: str, size: int) -> None:
    try:
        found = parse_ranges(header, size)
    except NotSatisfiable:
        return
    if found is None:
        return
    assert all(0 <= begin < end <= size for begin, end in found)
    assert sum(end - begin for begin, end in found) <= size
