"""Turns the database's own failures into Problems that an edge can answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from errors import Kind, Problem

_log = structlog.get_logger(__name__)

_MARKS: Final = (
    ("database is locked", "database_busy"),
    ("deadlock detected", "database_busy"),
    ("disk is full", "storage_full"),
    ("disk full", "storage_full"),
    ("no space left", "storage_full"),
    ("too many clients", "database_busy"),
    ("too many connections", "database_busy"),
    ("unable to open database file", "database_unavailable"),
    ("disk i/o error", "database_unavailable"),
    ("readonly database", "database_unavailable"),
    ("connection is closed", "database_unavailable"),
    ("connection was closed", "database_unavailable"),
    ("starting up", "database_unavailable"),
    ("shutting down", "database_unavailable"),
)
"""What the drivers say, in lower case, and the code for it."""


@contextmanager
def refusals(*, reading: bool = False) -> Iterator[None]:
    """Raise Problem UNAVAILABLE for a busy, full or unreachable database; let every other exception pass.

    In a `reading` an attempt to write is our own mistake, not a read-only file.
    """
    try:
        yield
    except PoolTimeoutError as error:
        _log.warning("database_refused", code="database_busy")
        raise Problem(Kind.UNAVAILABLE, "database_busy") from error
    except DBAPIError as error:
        code = refusal_code(error)
        if code is None or (reading and "readonly" in str(error.orig)):
            raise
        _log.warning("database_refused", code=code)
        raise Problem(Kind.UNAVAILABLE, code) from error
    except OSError as error:
        # asyncpg lets the socket's own errors through when it cannot connect. A file error of the block's own
        # work has no business in a transaction.
        if not isinstance(error, ConnectionError | TimeoutError) and error.strerror is None:
            raise
        _log.warning("database_refused", code="database_unavailable")
        raise Problem(Kind.UNAVAILABLE, "database_unavailable") from error


def refusal_code(error: DBAPIError) -> str | None:
    """The stable code for a driver's error, None when it is our own mistake (a constraint, a wrong query)."""
    said = str(error.orig).lower()
    for mark, code in _MARKS:
        if mark in said:
            return code
    return "database_unavailable" if error.connection_invalidated else None
