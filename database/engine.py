"""Engines for the two databases, each set up so that a transaction means the same on both.

SQLite: write-ahead log, so readers and the one writer do not wait for each other; foreign keys enforced; BEGIN
IMMEDIATE for writers, because a transaction that reads first and writes later can otherwise fail at once with
"database is locked" when another has written in between. PostgreSQL: asyncpg, READ COMMITTED, READ ONLY for readings.
Neither lets the values of a failed statement into its error, which goes to the log: they are people's names and words.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, NullPool, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

READ_ONLY: Final = "huitang_read_only"
"""The execution option of a reading."""

BUSY_TIMEOUT_MS: Final = 15_000
"""How long SQLite waits for a writer in another process, such as `server.py import` beside a running server."""

POOL_SIZE: Final = 8
"""Connections kept open. On SQLite each is a thread; on PostgreSQL each is a server process."""

POOL_OVERFLOW: Final = 8
POOL_TIMEOUT_SECONDS: Final = 20
CONNECT_TIMEOUT_SECONDS: Final = 10


def parse_url(text: str) -> URL:
    """A database URL with the asynchronous driver filled in; ValueError in words when it is neither database's."""
    try:
        url = make_url(text)
    except Exception as error:
        raise ValueError(
            "the database URL is not of the form sqlite:///path or postgresql://user@host/name"
        ) from error
    match url.get_backend_name():
        case "sqlite":
            if url.database in {None, "", ":memory:"}:
                raise ValueError("SQLite needs a file: sqlite:///path/to/huitang.sqlite3")
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"{other!r} is not supported; use sqlite:///path or postgresql://user@host/name")


def create_engine(url: URL, *, migrating: bool = False) -> AsyncEngine:
    """An engine for a URL of `parse_url`; `migrating` gives unpooled connections without foreign-key checks.

    SQLite alters a table by making it anew, which foreign keys would forbid or, worse, cascade.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, migrating=migrating)
    return _postgresql_engine(url, migrating=migrating)


def _pool(*, migrating: bool) -> dict[str, Any]:
    if migrating:
        return {"poolclass": NullPool}
    return {"pool_size": POOL_SIZE, "max_overflow": POOL_OVERFLOW, "pool_timeout": POOL_TIMEOUT_SECONDS}


class _SQLiteConnection(sqlite3.Connection):
    """A connection that ends its transaction when it is closed, whatever is still open in it.

    Whoever is cancelled within a statement has its connection closed, but SQLite keeps a closed connection, and
    its transaction, until the last statement is finalized: here, whenever the garbage collector comes by the cursor
    in a cancelled future. Until then nobody could write (https://sqlite.org/c3ref/close.html).
    """

    def close(self) -> None:
        try:
            self.rollback()
        finally:
            super().close()


def _sqlite_engine(url: URL, *, migrating: bool) -> AsyncEngine:
    engine = create_async_engine(
        url, hide_parameters=True, connect_args={"factory": _SQLiteConnection}, **_pool(migrating=migrating)
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # Attendance and cards must survive a power cut, so the log is synced at each commit.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA foreign_keys = {'OFF' if migrating else 'ON'}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READ_ONLY, False):
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN DEFERRED")
            return
        connection.exec_driver_sql("PRAGMA query_only = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL, *, migrating: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        **_pool(migrating=migrating),
        pool_pre_ping=not migrating,
        connect_args={"timeout": CONNECT_TIMEOUT_SECONDS, "server_settings": {"application_name": "huitang"}},
    )

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READ_ONLY, False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite URL, None for PostgreSQL."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
