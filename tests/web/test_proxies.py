"""Whose address, scheme and host a request has, through proxies that are trusted and others that are not."""

from collections.abc import Mapping

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from web.proxies import Proxies, Seen, networks, within


def seen(remote: str, headers: Mapping[str, str], trusted: tuple[str, ...] = ("10.0.0.0/8",)) -> Seen:
    request = make_mocked_request("GET", "/", headers=CIMultiDict({"Host": "inner:8080", **headers}))
    return Proxies(trusted).seen(request.clone(remote=remote))


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "meet.example.org",
}


def test_a_named_proxy_is_believed() -> None:
    found = seen("10.1.2.3", FORWARDED)
    assert (found.scheme, found.host, found.remote) == ("https", "meet.example.org", "203.0.113.9")
    assert found.origin == "https://meet.example.org"
    assert found.secure


def test_anybody_else_is_not_believed() -> None:
    found = seen("198.51.100.7", FORWARDED)
    assert (found.scheme, found.host, found.remote) == ("http", "inner:8080", "198.51.100.7")
    assert found.through_unknown_proxy


@pytest.mark.parametrize(
    ("header", "remote"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.9.9.9", "203.0.113.9"),  # through two of ours
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the first was written by the client
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense, 10.9.9.9", "10.1.2.3"),
        ("unknown", "10.1.2.3"),
        ("", "10.1.2.3"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(header: str, remote: str) -> None:
    assert seen("10.1.2.3", {"X-Forwarded-For": header}).remote == remote


def test_an_unknown_scheme_is_not_taken_over() -> None:
    assert seen("10.1.2.3", {"X-Forwarded-Proto": "gopher"}).scheme == "http"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("Meet.Example.org", "https://meet.example.org"),
        ("meet.example.org:443", "https://meet.example.org"),
        ("meet.example.org:8443", "https://meet.example.org:8443"),
    ],
)
def test_the_origin_is_as_browsers_write_it(host: str, origin: str) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": host}
    assert seen("10.1.2.3", headers).origin == origin


@pytest.mark.parametrize(
    ("remote", "inside"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),  # IPv4 that came to a dual-stack socket
        ("::1", True),
        ("128.0.0.1", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_addresses_lie_within_networks(remote: str, inside: bool) -> None:
    assert within(remote, networks(["127.0.0.0/8", "::1"])) is inside
