"""`import_path`: files in, one transaction, a report out."""

from collections.abc import Callable
from pathlib import Path

from database import Clock, Database, utc_now
from members.accounts import Accounts
from members.importing.report import ImportReport


async def import_path(
    database: Database,
    accounts: Accounts,
    path: Path,
    *,
    dry_run: bool = False,
    clock: Clock = utc_now,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import a folder of sheets or one sheet; `dry_run` does everything but keep it.

    Raises ImportRefused with every mistake found, and nothing is changed. `progress` is told (done, in all) while
    passwords are hashed, the one long part.
    """
    raise NotImplementedError
