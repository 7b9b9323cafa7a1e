import stat
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import Kind, Problem
from members.tokens import Purpose, Tokens, load_secret
from tests.factories import FakeClock

SECRET = "s" * 32
PAYLOAD = {"meetingId": "m" * 32, "name": "王秀兰", "count": 3}


def refused(tokens: Tokens, purpose: Purpose, token: str) -> str:
    with pytest.raises(Problem) as caught:
        tokens.read(purpose, token)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    return caught.value.code


def test_a_token_carries_its_payload_until_it_expires(clock: FakeClock) -> None:
    tokens = Tokens(SECRET, clock)
    token = tokens.issue(Purpose.ROOM, PAYLOAD, timedelta(hours=2))
    clock.advance(2 * 3600 - 1)
    assert tokens.read(Purpose.ROOM, token) == PAYLOAD
    clock.advance(1)
    assert refused(tokens, Purpose.ROOM, token) == "token_expired"


@pytest.mark.parametrize("other", [Purpose.STATION, Purpose.TICKET])
def test_a_token_serves_one_purpose(clock: FakeClock, other: Purpose) -> None:
    tokens = Tokens(SECRET, clock)
    assert refused(tokens, other, tokens.issue(Purpose.ROOM, PAYLOAD, timedelta(hours=1))) == "token_invalid"


def test_a_token_of_another_installation_is_refused(clock: FakeClock) -> None:
    token = Tokens("t" * 32, clock).issue(Purpose.ROOM, PAYLOAD, timedelta(hours=1))
    assert refused(Tokens(SECRET, clock), Purpose.ROOM, token) == "token_invalid"


def test_every_change_of_a_token_is_refused(clock: FakeClock) -> None:
    tokens = Tokens(SECRET, clock)
    token = tokens.issue(Purpose.ROOM, PAYLOAD, timedelta(hours=1))
    for position in range(len(token) - 1):  # the last character has bits that mean nothing
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert refused(tokens, Purpose.ROOM, changed) == "token_invalid"


@given(st.text(max_size=5000))
def test_any_text_as_a_token_is_refused(text: str) -> None:
    assert refused(Tokens(SECRET, FakeClock()), Purpose.ROOM, text) == "token_invalid"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Tokens("short")


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    secret = load_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert load_secret(tmp_path) == secret
    assert len(secret) >= 32


def test_a_secret_that_others_can_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    load_secret(tmp_path)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(PermissionError, match="chmod 600"):
        load_secret(tmp_path)


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    load_secret(tmp_path)
    (tmp_path / "secret.key").write_text("x")
    with pytest.raises(ValueError, match="damaged"):
        load_secret(tmp_path)
