"""Counts what the database is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements that are executed meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
