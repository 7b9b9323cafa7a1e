"""Clients who say the same share one reading of it; nothing that anybody says grows without bound."""

import copy

import pytest

from media.errors import InvalidMedia
from media.known_capabilities import KINDS_MOST, KnownCapabilities
from tests.media.samples import everything, only


def test_who_says_the_same_shares_what_it_means() -> None:
    known = KnownCapabilities()
    first = known.of(everything())
    assert known.of(copy.deepcopy(everything())) is first
    assert known.of(only("video/VP8")) is not first
    assert known.of(everything()) is first


def test_what_was_said_does_not_change_with_the_clients_own_object() -> None:
    known, said = KnownCapabilities(), everything()
    first = known.of(said)
    said["codecs"].clear()
    assert known.of(said).parsed.codecs == ()
    assert known.of(everything()) is first


def test_what_is_wrong_is_refused_every_time_and_not_kept() -> None:
    known = KnownCapabilities()
    for _ in range(2):
        with pytest.raises(InvalidMedia):
            known.of({"codecs": 7})


def test_kinds_not_met_lately_are_forgotten() -> None:
    known = KnownCapabilities()
    first = known.of(everything())
    for number in range(KINDS_MOST):
        known.of({**everything(), "number": number})
    assert known.of(everything()) is not first
