"""Run by Alembic for every command; the connection comes from the runner, never from an ini file."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script

from database.discovery import load_models


def _report(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    del ctx, heads, run_args  # Alembic gives them by name
    progress: Callable[[str], None] | None = context.config.attributes.get("progress")
    if progress is not None and isinstance(step.up_revision, Script):
        progress(f"{step.up_revision.revision} {step.up_revision.doc}")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_models(),
    compare_type=True,
    render_as_batch=True,  # SQLite alters a table by making it anew
    on_version_apply=_report,
)
with context.begin_transaction():
    context.run_migrations()
