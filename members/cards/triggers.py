"""What makes a written entry unchangeable in the database itself.

Used by `create_all` (tests); the migration that made the table has a copy of its own, since a migration never changes.
"""

from typing import Final

from sqlalchemy import DDL, Table, event

SQLITE: Final = (
    """CREATE TRIGGER card_entries_no_update BEFORE UPDATE ON card_entries
    BEGIN SELECT RAISE(ABORT, 'card entries are append-only'); END""",
    """CREATE TRIGGER card_entries_no_delete BEFORE DELETE ON card_entries
    BEGIN SELECT RAISE(ABORT, 'card entries are append-only'); END""",
)

POSTGRESQL: Final = (
    """CREATE OR REPLACE FUNCTION refuse_card_entry_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'card entries are append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE TRIGGER card_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON card_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_card_entry_change()""",
)


def guard(table: Table) -> None:
    """Have the triggers made together with the table."""
    for dialect, statements in (("sqlite", SQLITE), ("postgresql", POSTGRESQL)):
        for statement in statements:
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
