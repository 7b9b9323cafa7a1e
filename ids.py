"""Opaque ids: 32 lower-case hexadecimal characters of a random UUID (version 4)."""

from typing import Final
from uuid import uuid4

ID_LENGTH: Final = 32
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


def new_id() -> str:
    """A fresh id, unguessable and unique without asking anybody."""
    return uuid4().hex


def is_id(text: str) -> bool:
    """Whether `text` has an id's form; says nothing about whether such a record exists."""
    return len(text) == ID_LENGTH and _HEXADECIMAL.issuperset(text)
