"""Triggers that make the rows of a table unchangeable in the database itself, once written.

Used by `create_all` (tests); the migration that makes such a table has a copy of its own, since a migration never
changes.
"""

from typing import Final

from sqlalchemy import DDL, Table, event

_SQLITE: Final = (
    """CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{words} are append-only'); END""",
    """CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{words} are append-only'); END""",
)

_POSTGRESQL: Final = (
    """CREATE OR REPLACE FUNCTION refuse_{table}_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{words} are append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_{table}_change()""",
)


def append_only(table: Table) -> None:
    """Have the triggers made together with the table."""
    for dialect, statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
        for statement in statements:
            text = statement.format(table=table.name, words=table.name.replace("_", " "))
            ddl = DDL(text)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
