"""Which pages may act in a person's name."""

from collections.abc import Mapping

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from errors import Kind, Problem
from web.proxies import Seen
from web.security import require_own_origin

OURS = Seen("https", "meet.example.org", "203.0.113.9", through_unknown_proxy=False)


def call(method: str, headers: Mapping[str, str], public: tuple[str, ...] = ()) -> None:
    require_own_origin(make_mocked_request(method, "/", headers=CIMultiDict(headers)), OURS, public)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://meet.example.org"},
        {"Origin": "https://MEET.example.org"},
        {},  # no browser: it carries nobody's cookies
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_pages_and_programs_may(headers: Mapping[str, str]) -> None:
    call("POST", headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://meet.example.org"},  # the same name without TLS is another place
        {"Origin": "https://meet.example.org:444"},
        {"Origin": "https://meet.example.org.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_other_pages_may_not(method: str, headers: Mapping[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        call(method, headers)
    assert (caught.value.kind, caught.value.code) == (Kind.FORBIDDEN, "origin_refused")


def test_reading_needs_no_origin() -> None:
    call("GET", {"Origin": "https://evil.example"})


def test_further_origins_can_be_named() -> None:
    call("POST", {"Origin": "https://app.example.org"}, ("https://App.example.org",))
