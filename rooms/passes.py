"""Room tokens: what lets a person without the session cookie into one room."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from errors import Kind, Problem
from members.tokens import Purpose, Tokens


@dataclass(frozen=True, slots=True)
class RoomPass:
    """A room token with its end; `auth: {token}` of a client without the cookie."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a room token says: which room, and either whose account it stands for or who the person is.

    `issued_at`: of an account's, which a new password makes void.
    """

    room_id: str
    account_id: str | None = None
    issued_at: datetime | None = None
    person_key: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class NamedGuest:
    """Somebody without an account whom a room token names: key and name are the token's, so they are ours."""

    key: str
    name: str


def account_pass(
    tokens: Tokens, room_id: str, account_id: str, now: datetime, lifetime: timedelta
) -> RoomPass:
    """A token that stands for an account in one room; rights are looked up when it is used."""
    return _issue(tokens, {"room": room_id, "account": account_id, "at": now.timestamp()}, now, lifetime)


def person_pass(
    tokens: Tokens, room_id: str, person_key: str, name: str, now: datetime, lifetime: timedelta
) -> RoomPass:
    """A token for one person without an account, in one room; `name` is clean."""
    return _issue(tokens, {"room": room_id, "person": person_key, "name": name}, now, lifetime)


def read_bearer(tokens: Tokens, token: str) -> Bearer:
    """What the token says; Problem token_invalid or token_expired."""
    match tokens.read(Purpose.ROOM, token):
        case {"room": str() as room, "account": str() as account, "at": float() | int() as at}:
            return Bearer(room, account_id=account, issued_at=datetime.fromtimestamp(at, UTC))
        case {"room": str() as room, "person": str() as person, "name": str() as name}:
            return Bearer(room, person_key=person, name=name)
        case _:
            raise Problem(Kind.UNAUTHENTICATED, "token_invalid")


def _issue(
    tokens: Tokens, payload: Mapping[str, str | float], now: datetime, lifetime: timedelta
) -> RoomPass:
    return RoomPass(tokens.issue(Purpose.ROOM, payload, lifetime), now + lifetime)
