"""Run by Alembic for every command; the connection comes from the runner, never from an ini file."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import Enum

from database.base import Json, UtcDateTime
from database.discovery import load_models


def _report(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    del ctx, heads, run_args  # Alembic gives them by name
    progress: Callable[[str], None] | None = context.config.attributes.get("progress")
    if progress is not None and isinstance(step.up_revision, Script):
        progress(f"{step.up_revision.revision} {step.up_revision.doc}")


def _render(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our own types as what they are in the database: a migration outlives the code it was written with."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    if kind == "type" and item is Json:
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_models(),
    compare_type=True,
    render_as_batch=True,  # SQLite alters a table by making it anew
    render_item=_render,
    on_version_apply=_report,
)
with context.begin_transaction():
    context.run_migrations()
