"""Whose pages may open a connection."""

import pytest

from signaling.origins import OriginCheck

CASES = [
    ("http://localhost:8080", "localhost:8080", True),
    ("https://meet.example.org", "meet.example.org", True),  # TLS ended by a proxy that keeps Host
    ("https://Meet.Example.org", "meet.example.ORG", True),
    (
        "https://public.example.org",
        "10.0.0.7:8080",
        True,
    ),  # a proxy that rewrites Host, named by the operator
    ("https://evil.example", "meet.example.org", False),
    ("https://meet.example.org.evil.example", "meet.example.org", False),
    ("https://meet.example.org:8443", "meet.example.org", False),
    ("https://user@meet.example.org", "meet.example.org", False),
    ("http://public.example.org", "10.0.0.7:8080", False),
    ("file://meet.example.org", "meet.example.org", False),
    ("null", "meet.example.org", False),
    ("", "", False),
    ("http://[::1", "[::1", False),
]


@pytest.mark.parametrize(("origin", "host", "allowed"), CASES)
def test_only_our_own_pages_may_connect(origin: str, host: str, allowed: bool) -> None:
    assert OriginCheck(["https://public.example.org/"]).allows(origin, host) is allowed
