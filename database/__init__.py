"""The records' foundation: declarative base, transactions, pages, migrations. SQLite by default, PostgreSQL by URL.

Words: a *transaction* is one unit of work that writes; a *reading* sees one state of the records and writes
nothing; a *page* is a bounded piece of a list with an opaque cursor to the next.

The one invariant: whatever happens inside `Database.transaction()` is stored whole or not at all, and writers wait
for each other, never fail because of each other.

    database = Database(settings.url)
    await database.migrate()
    async with database.transaction() as session: ...   # commits, or rolls back on any exception
    async with database.reading() as session: ...       # no write lock; refuses writes
    await database.dispose()

Neither nests within one task: a service's public method is one unit of work, and calls repositories (functions that
take the session), never another service's public method, while it has one open.

What many ask at one moment, such as who comes in at the beginning of a meeting, goes through a `Gathering`.

Models: subclass `Base`, annotate `Mapped[datetime]` (always UTC, aware), `Mapped[Id]`, `Mapped[SomeStrEnum]` (stored
as its value, VARCHAR(40)), `Mapped[int]` (64 bits), `Mapped[dict[str, Any]]` (JSON). Relationships are `lazy="raise"`.
Modules named `models` anywhere in members/, rooms/ and recordings/ are found by name (`database.discovery`).

A new migration: change the models, then `python -m database.migrations new "what changes"`, read what it wrote in
database/migrations/versions/, correct it by hand, run tests/database/test_migrations.py.

Problem codes raised here: invalid_limit, invalid_cursor, database_busy, database_unavailable, storage_full.
"""

from database.base import Base, Id, UtcDateTime
from database.clock import Clock, utc_now
from database.database import Database
from database.gathering import Gathering
from database.migrations.runner import MigrationError
from database.pages import Page, PageRequest, SortKey, fetch_page
from ids import is_id, new_id

__all__ = [
    "Base",
    "Clock",
    "Database",
    "Gathering",
    "Id",
    "MigrationError",
    "Page",
    "PageRequest",
    "SortKey",
    "UtcDateTime",
    "fetch_page",
    "is_id",
    "new_id",
    "utc_now",
]
