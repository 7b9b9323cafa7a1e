"""Bodies and query strings become models or say what is wrong with each field."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from errors import Kind, Problem
from localization import ErrorTexts
from web.api.parsing import parse_body, parse_query
from web.api.routes import CALLS
from web.api.schemas.accounts import SignIn
from web.api.schemas.base import Input, PageQuery
from web.api.schemas.meetings import MeetingCreate, MeetingsQuery
from web.api.schemas.recordings import ViewingReport

TEXTS = ErrorTexts.load()
BODIES = sorted({call.input for call in CALLS if call.takes_body}, key=lambda model: model.__name__)
QUERIES = sorted({call.input for call in CALLS if call.takes_query}, key=lambda model: model.__name__)
GOOD = {
    "organizationId": "0" * 32,
    "kind": "general_meeting",
    "title": "十一月支部党员大会",
    "startsAt": "2026-11-27T11:30:00Z",
    "endsAt": "2026-11-27T13:00:00+00:00",
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def refusal_of(parse: Callable[[], Input]) -> Problem | None:
    """The Problem that parsing ends in; any other exception is a failed test."""
    try:
        parse()
    except Problem as problem:
        return problem
    return None


def problem_of(model: type[Input], body: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        parse_body(model, body, TEXTS, "en")
    assert (caught.value.kind, caught.value.code) == (Kind.INVALID, "invalid_request")
    return caught.value


def test_a_good_meeting_is_understood() -> None:
    meeting = parse_body(MeetingCreate, json.dumps(GOOD).encode(), TEXTS, "en")
    assert (meeting.title, meeting.record, meeting.agenda) == ("十一月支部党员大会", False, None)
    assert (meeting.ends_at - meeting.starts_at).total_seconds() == 5400


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "", "At least 1 characters are needed."),
        ("title", "   ", "At least 1 characters are needed."),
        ("title", "x" * 201, "At most 200 characters are allowed."),
        ("title", 5, "This is not valid."),
        ("title", "a\x00b", "This is not valid."),
        ("kind", "party", "Please choose one of"),
        ("startsAt", 1764243000, "Please give a time"),
        ("startsAt", "1764243000", "Please give a time"),
        ("startsAt", "2026-11-27", "Please give a time"),
        ("startsAt", "2026-11-27T11:30:00", "Please give a time"),
        ("startsAt", "0001-01-01T00:00:00+14:00", "Please give a time"),
        ("startsAt", "9999-12-31T23:59:59-14:00", "Please give a time"),
        ("organizationId", "../x", "This is not valid."),
        ("organizationId", "x" * 65, "At most 64 characters are allowed."),
        ("record", "yes", "This is not valid."),
        ("presentShare", 0, "This number is out of range."),
        ("colour", "red", "There is no such field."),
    ],
)
def test_each_wrong_field_is_named(field: str, value: Any, sentence: str) -> None:
    details = problem_of(MeetingCreate, json.dumps(GOOD | {field: value}).encode()).details
    assert list(details) == [field]
    assert details[field].startswith(sentence)


def test_a_password_keeps_its_spaces_and_everything_else_loses_them() -> None:
    body = json.dumps({"username": "  wang ", "password": " open sesame "}).encode()
    found = parse_body(SignIn, body, TEXTS, "en")
    assert (found.username, found.password) == ("wang", " open sesame ")


def test_several_wrong_fields_are_all_named() -> None:
    details = problem_of(MeetingCreate, b"{}").details
    assert set(details) == {"organizationId", "kind", "title", "startsAt", "endsAt"}


def test_an_end_before_the_start_is_said_of_the_whole() -> None:
    body = json.dumps(GOOD | {"endsAt": GOOD["startsAt"]}).encode()
    assert problem_of(MeetingCreate, body).details == {"body": "The end must be later than the start."}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"\xff\xfe",
        b'{"title": NaN}',
        b"[" * 100_000,
        b'{"a":"\\ud800"}',
    ],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    problem_of(MeetingCreate, body)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1"])
def test_seconds_are_finite_and_not_negative(number: bytes) -> None:
    problem_of(ViewingReport, b'{"intervals": [[0, ' + number + b"]]}")


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
@given(body=anything.map(json.dumps).map(str.encode) | st.binary(max_size=200))
def test_any_body_gives_a_model_or_a_problem(model: type[Input], body: bytes) -> None:
    refused = refusal_of(lambda: parse_body(model, body, TEXTS, "zh-CN"))
    assert refused is None or json.dumps(refused.details)


@pytest.mark.parametrize("model", QUERIES, ids=lambda model: model.__name__)
@given(query=st.dictionaries(st.sampled_from(["limit", "cursor", "from", "to", "organizationId"]), st.text()))
def test_any_query_gives_a_model_or_a_problem(model: type[Input], query: dict[str, str]) -> None:
    refused = refusal_of(lambda: parse_query(model, MultiDict(query), TEXTS, "en"))
    assert refused is None or refused.kind is Kind.INVALID


def test_queries_are_read_from_text() -> None:
    query = parse_query(
        MeetingsQuery,
        MultiDict({"from": "2026-11-01T00:00:00Z", "limit": "20", "newestFirst": "true"}),
        TEXTS,
        "en",
    )
    assert (query.limit, query.newest_first, query.to) == (20, True, None)
    assert query.from_ is not None


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", ""])
def test_the_limit_of_a_page_is_bounded(limit: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_query(PageQuery, MultiDict({"limit": limit}), TEXTS, "en")
    assert set(caught.value.details) == {"limit"}
