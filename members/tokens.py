"""Signed, expiring tokens that carry a small payload: for a room, a station device, a queue ticket.

They are proof of a right given earlier, not a log-in: whoever reads one still asks the policy what the bearer may do.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

from database import Clock, utc_now
from errors import Kind, Problem

SECRET_BYTES: Final = 32
MINIMUM_SECRET_LENGTH: Final = 32
MAXIMUM_TOKEN_LENGTH: Final = 4096
SECRET_FILE: Final = "secret.key"  # noqa: S105 - the name of the file


class Purpose(StrEnum):
    """What a token is for; one made for one purpose is refused for every other."""

    ROOM = "room"
    STATION = "station"
    TICKET = "ticket"


class Tokens:
    """Makes and reads tokens with one secret; raises ValueError for a secret too short to protect anything."""

    def __init__(self, secret: str, clock: Clock = utc_now) -> None:
        if len(secret) < MINIMUM_SECRET_LENGTH:
            raise ValueError(f"the secret must have at least {MINIMUM_SECRET_LENGTH} characters")
        self._clock = clock
        # The salt keeps the purposes apart: each has signatures of its own.
        self._serializers = {
            purpose: URLSafeSerializer(
                secret, salt=f"huitang.{purpose}", signer_kwargs={"digest_method": hashlib.sha256}
            )
            for purpose in Purpose
        }

    def issue(self, purpose: Purpose, payload: Mapping[str, Any], lifetime: timedelta) -> str:
        """A token that carries `payload` (JSON, readable by the bearer) until `lifetime` from now."""
        expires = (self._clock() + lifetime).timestamp()
        token = self._serializers[purpose].dumps({"payload": dict(payload), "expires": expires})
        return str(token)

    def read(self, purpose: Purpose, token: str) -> dict[str, Any]:
        """The payload; Problem token_invalid (forged, of another purpose, cut) or token_expired."""
        if len(token) > MAXIMUM_TOKEN_LENGTH:
            raise Problem(Kind.UNAUTHENTICATED, "token_invalid")
        try:
            content = self._serializers[purpose].loads(token)
        except BadData:
            raise Problem(Kind.UNAUTHENTICATED, "token_invalid") from None
        match content:
            case {"payload": dict() as payload, "expires": float() | int() as expires}:
                if datetime.fromtimestamp(expires, UTC) <= self._clock():
                    raise Problem(Kind.UNAUTHENTICATED, "token_expired")
                return payload
            case _:
                raise Problem(Kind.UNAUTHENTICATED, "token_invalid")


def load_secret(data_folder: Path) -> str:
    """The secret of this installation, made at first start, readable by its owner alone.

    Raises PermissionError, with a sentence that says what to do, when others may read it.
    """
    path = data_folder / SECRET_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        return _read_secret(path)
    with os.fdopen(descriptor, "w") as file:
        secret = secrets.token_urlsafe(SECRET_BYTES)
        file.write(secret)
    return secret


def _read_secret(path: Path) -> str:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionError(f"{path} can be read by other accounts of this machine. Run: chmod 600 {path}")
    secret = path.read_text().strip()
    if len(secret) < MINIMUM_SECRET_LENGTH:
        raise ValueError(
            f"{path} is damaged. Remove it to get a new one; everybody's room tokens end with it."
        )
    return secret
