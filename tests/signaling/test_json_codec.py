"""Our JSON is everybody's: what the standard library writes is read, and the other way round."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.json_codec import dumps, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_it_is_the_standard_librarys(value: object, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only)) == value
    assert json.loads(dumps(value, separators=(",", ":"))) == value


def test_it_is_as_short_as_can_be() -> None:
    assert dumps({"名": [1, None, True]}) == '{"名":[1,null,true]}'


@pytest.mark.parametrize("text", ["", "[1,]", "[" * 201, '"\\ud800"', "1" * 5_000, "{1:2}", "x"])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="column"):
        loads(text)


@pytest.mark.parametrize("value", [object(), "\ud800", {"deep": object()}])
def test_what_can_be_no_json_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match=r"serializ"):
        dumps(value)


def test_numbers_that_are_none_are_left_to_who_reads_them() -> None:
    assert math.isnan(loads("NaN"))
