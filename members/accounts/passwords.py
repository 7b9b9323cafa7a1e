"""Passwords: hashed off the event loop, a bounded number at a time, and never faster for an unknown user."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from errors import Kind, Problem
from members.accounts.settings import AccountSettings

MINIMUM_LENGTH: Final = 8
MAXIMUM_LENGTH: Final = 128
MINIMUM_DIFFERENT: Final = 4

COMMON: Final = frozenset(
    {
        "12345678", "123456789", "1234567890", "0123456789", "87654321", "11223344", "a1234567", "a12345678",
        "abc12345", "abcd1234", "1234abcd", "asdfghjkl", "iloveyou", "password", "password1", "password123",
        "passw0rd", "q1w2e3r4", "1q2w3e4r", "1qaz2wsx", "qazwsxedc", "qwer1234", "qwertyui", "qwertyuiop",
        "woaini1314", "5201314520", "admin123", "admin888", "huitang1", "huitang123", "dangyuan",
    }
)  # fmt: skip
"""The guesses that everybody tries first; the full lists are for a check against a breach service."""


def check_password(password: str, username: str) -> None:
    """Raise Problem with what a new password lacks: length, variety, distance from the user name."""
    if len(password) < MINIMUM_LENGTH:
        raise _refusal("password_too_short", minimum=MINIMUM_LENGTH)
    if len(password) > MAXIMUM_LENGTH:
        raise _refusal("password_too_long", maximum=MAXIMUM_LENGTH)
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < MINIMUM_DIFFERENT:
        raise _refusal("password_too_common")
    if username in plain:
        raise _refusal("password_contains_username")


def _refusal(code: str, **details: int) -> Problem:
    return Problem(Kind.INVALID, code, {"field": "newPassword", **details})


class Passwords:
    """Hashes and verifies with argon2id."""

    def __init__(self, settings: AccountSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._turns = asyncio.Semaphore(settings.hashing_at_once)
        self._queue = settings.hashing_queue
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The PHC text of a fresh hash."""
        async with self.turn():
            return await self._hash(password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right. None (no such user) takes as long as a wrong one. Only within `turn`."""
        if len(password) > MAXIMUM_LENGTH:
            password = ""  # nobody has one that long; what is too long must not cost more either
        known = password_hash if password_hash is not None else await self._hash_of_nobody()
        right = await asyncio.to_thread(self._matches, known, password)
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another price than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _canonical(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _hash_of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = await self._hash("nobody's password")
        return self._nobody

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One's turn to hash; Problem too_many_attempts when too many wait for theirs."""
        if self._waiting >= self._queue:
            raise Problem(Kind.RATE_LIMITED, "too_many_attempts", {"retryAfter": 5})
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    async def _hash(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, _canonical(password))


def _canonical(password: str) -> bytes:
    """The same characters typed on another keyboard are the same password (RFC 8265 section 4.2: NFC). Total."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
