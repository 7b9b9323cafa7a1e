"""The wall clock as a value that is passed in, so that tests own the time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present moment as an aware UTC datetime."""


def utc_now() -> datetime:
    """The machine's present moment, aware, in UTC."""
    return datetime.now(UTC)
