"""`import_path`: files in, one transaction, a report out."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from database import Clock, Database, utc_now
from members.accounts import Accounts
from members.importing.checks import Checks
from members.importing.errors import ImportRefused, RowError
from members.importing.further import FurtherSheets
from members.importing.known import Known, load
from members.importing.report import ImportReport
from members.importing.sheets import SHEETS, Sheet, Sheets, read
from members.importing.writing import Writing

HASHED_AT_ONCE: Final = 16
PASSWORD_LENGTH: Final = 10
PASSWORD_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - what nobody misreads on paper

Progress = Callable[[int, int], None]

_log = structlog.get_logger(__name__)


async def import_path(
    database: Database,
    accounts: Accounts,
    path: Path,
    *,
    dry_run: bool = False,
    clock: Clock = utc_now,
    progress: Progress | None = None,
    further: FurtherSheets | None = None,
) -> ImportReport:
    """Import a folder of sheets or one sheet, the `further` ones too; `dry_run` does everything but keep it.

    Raises ImportRefused with every mistake found, and nothing is changed. `progress` is told (done, in all) while
    passwords are hashed, the one long part.
    """
    kinds = further.sheets if further is not None else ()
    sheets = await asyncio.to_thread(lambda: read(_files(path, (*SHEETS, *kinds)), kinds))
    if sheets.errors:
        raise ImportRefused(sheets.errors)
    report = ImportReport(dry_run)
    async with database.reading() as session:
        known = await load(session, sheets)
    report.warnings = _check(sheets, known)
    hashes = await _hashes(sheets, known, accounts, report, progress)
    async with database.transaction() as session:
        known = await load(session, sheets)  # again: somebody may have written while we hashed
        _check(sheets, known)
        await Writing(session, known, hashes, clock(), report).write(sheets)
        if further is not None:
            report.further.update(await further.write(session, sheets.further, clock()))
        if dry_run:
            await session.rollback()
    _log.info("imported", dry_run=dry_run, members=report.members.added, accounts=report.accounts.added)
    return report


def _files(path: Path, kinds: Sequence[Sheet]) -> dict[str, bytes]:
    """The sheets at a path, by name; ImportRefused when there is none or it cannot be read."""
    try:
        if not path.is_dir():
            return {path.name: path.read_bytes()}
        found = {
            sheet.file: (path / sheet.file).read_bytes() for sheet in kinds if (path / sheet.file).exists()
        }
    except OSError as error:
        raise ImportRefused([RowError(str(path), None, None, error.strerror or str(error))]) from error
    if not found:
        names = ", ".join(sheet.file for sheet in kinds)
        raise ImportRefused([RowError(str(path), None, None, f"the folder has none of {names}")])
    return found


def _check(sheets: Sheets, known: Known) -> list[RowError]:
    """ImportRefused for mistakes; answers what may be one."""
    checks = Checks(sheets, known)
    errors = checks.run()
    if errors:
        raise ImportRefused(errors)
    return checks.doubts()


async def _hashes(
    sheets: Sheets, known: Known, accounts: Accounts, report: ImportReport, progress: Progress | None
) -> dict[str, str]:
    """Password hashes of the accounts to be made; those without a password get one, noted in the report."""
    passwords: dict[str, str] = {}
    for row in sheets.accounts:
        if row.username in known.accounts:
            continue
        if report.dry_run:
            passwords[row.username] = ""
        elif row.password is not None:
            passwords[row.username] = row.password
        else:
            passwords[row.username] = _generate()
            report.initial_passwords.append((row.username, passwords[row.username]))
    if report.dry_run:
        return passwords
    hashes: dict[str, str] = {}
    names = list(passwords)
    for start in range(0, len(names), HASHED_AT_ONCE):
        group = names[start : start + HASHED_AT_ONCE]
        found = await asyncio.gather(*(accounts.hash_password(passwords[name]) for name in group))
        hashes.update(zip(group, found, strict=True))
        if progress is not None:
            progress(len(hashes), len(names))
    return hashes


def _generate() -> str:
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))
