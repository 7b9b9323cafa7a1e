"""One at a time on the same records, wherever it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.database import Database
from database.refusals import refusals

# The lock is the connection's. Of a machine that has died PostgreSQL learns by these, within a minute.
_ALIVE: Final = (
    "SET tcp_keepalives_idle = 20",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)
_PAUSE_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def sole(database: Database, key: int, patience_seconds: float) -> AsyncIterator[bool]:
    """Hold PostgreSQL's advisory lock `key` for the length of the block; False when somebody else kept it all the time.

    On SQLite there is nobody else: whoever has the data folder has the records. Problem UNAVAILABLE where the database
    cannot be reached.
    """
    if database.is_sqlite:
        yield True
        return
    with refusals():
        connection = await database.engine.connect()
    try:
        with refusals():
            held = await _taken(connection, key, patience_seconds)
        yield held
    finally:
        await connection.invalidate()  # closed, and the lock with it: the pool must not keep it
        await connection.close()


async def _taken(connection: AsyncConnection, key: int, patience_seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_seconds
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    for setting in _ALIVE:
        await connection.execute(text(setting))
    said = False
    while not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
        if loop.time() >= until:
            return False
        if not said:
            _log.warning("another_server_has_the_records", waits_seconds=patience_seconds)
            said = True
        await asyncio.sleep(_PAUSE_SECONDS)
    return True
