"""Applies the migrations, and says in a sentence what to do when that cannot be."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from database.engine import BUSY_TIMEOUT_MS, create_engine, sqlite_file

MIGRATIONS: Final = Path(__file__).parent
_ADVISORY_LOCK: Final = 0x4855_4954  # any number that only this program takes
_COME_AGAIN_SECONDS: Final = 0.05

Progress = Callable[[str], None]


class MigrationError(Exception):
    """The records cannot be used; the message is a sentence that says what to do."""


def configuration(connection: Connection | None = None, progress: Progress | None = None) -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    config.attributes["progress"] = progress
    return config


async def migrate(url: URL, progress: Progress | None = None) -> list[str]:
    """Bring the tables up to date in one transaction; answers the descriptions of what was applied."""
    _refuse_unusable_folder(url)
    applied: list[str] = []

    def note(description: str) -> None:
        applied.append(description)
        if progress is not None:
            progress(description)

    engine = create_engine(url, migrating=True)
    try:
        await _connect(engine)
        await _upgrade(engine, note)
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise MigrationError(
                "The database was written by a newer version of this program. "
                "Start that version, or restore the backup made before the upgrade."
            ) from error
        raise
    except (DBAPIError, OSError, TimeoutError) as error:
        raise MigrationError(_advice(url, error)) from error
    finally:
        await engine.dispose()
    return applied


async def _connect(engine: AsyncEngine) -> None:
    """Of programs that make an SQLite file at once, SQLite refuses one without letting it wait; it comes again."""
    last = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            async with engine.connect():
                return
        except OperationalError as error:
            if "database is locked" not in str(error.orig) or time.monotonic() > last:
                raise
        await asyncio.sleep(_COME_AGAIN_SECONDS)


async def _upgrade(engine: AsyncEngine, note: Progress) -> None:
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two nodes that start at once: the second waits, then finds nothing left to do.
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        await connection.run_sync(lambda plain: command.upgrade(configuration(plain, note), "head"))
        if connection.dialect.name == "sqlite":
            broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
            if broken is not None:
                raise MigrationError(
                    f"A migration left a broken reference in table {broken[0]}; nothing was changed."
                )


def heads() -> tuple[str, ...]:
    """The newest revisions on disk; more than one is a mistake in versions/."""
    return tuple(ScriptDirectory.from_config(configuration()).get_heads())


async def write_revision(url: URL, message: str) -> Path:
    """Compare the models with an up-to-date database and write the difference as a new revision."""
    engine = create_engine(url, migrating=True)
    written: list[Any] = []
    try:
        async with engine.begin() as connection:
            await connection.run_sync(
                lambda plain: written.append(
                    command.revision(
                        configuration(plain), message, autogenerate=True, rev_id=f"{_next_number():04d}"
                    )
                )
            )
    finally:
        await engine.dispose()
    return Path(written[0].path)


def _next_number() -> int:
    revisions = [
        revision.revision for revision in ScriptDirectory.from_config(configuration()).walk_revisions()
    ]
    return 1 + max((int(revision) for revision in revisions), default=0)


def _refuse_unusable_folder(url: URL) -> None:
    """SQLite must write its file, the log beside it and the folder that holds both."""
    path = sqlite_file(url)
    if path is None:
        return
    folder = path.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MigrationError(
            f"The data folder {folder} cannot be made: {error.strerror}. {_FOLDER_ADVICE}"
        ) from error
    for needed in (folder, path):
        if needed.exists() and not os.access(needed, os.W_OK):
            raise MigrationError(f"{needed} cannot be written. {_FOLDER_ADVICE}")
    try:
        path.touch(mode=0o600)  # personal records; SQLite gives its log the same mode
    except OSError as error:
        raise MigrationError(f"{path} cannot be made: {error.strerror}. {_FOLDER_ADVICE}") from error


_FOLDER_ADVICE: Final = (
    "Give its owner's account the right to write there, or name another folder with HUITANG_DATA_DIR."
)


def _advice(url: URL, error: BaseException) -> str:
    """One sentence for what went wrong, without the password that the URL may hold."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    path = sqlite_file(url)
    if path is not None:
        return _sqlite_advice(path, said)
    return _postgresql_advice(url.set(password=None).render_as_string(), said, isinstance(error, OSError))


def _sqlite_advice(path: Path, said: str) -> str:
    for mark, advice in (
        ("readonly", f"The database file {path} cannot be written. {_FOLDER_ADVICE}"),
        ("unable to open", f"The database file {path} cannot be opened. {_FOLDER_ADVICE}"),
        (
            "not a database",
            f"{path} is not an SQLite database. Move it away, or name another: HUITANG_DATABASE__URL.",
        ),
        ("locked", f"Another program keeps the database {path} locked. End it and start again."),
        ("full", f"The disk that holds {path} is full. Make room and start again."),
    ):
        if mark in said:
            return advice
    return f"The database file {path} cannot be used: {said}."


def _postgresql_advice(url: str, said: str, is_network: bool) -> str:
    lowered = said.lower()
    if "password" in lowered or "authentication" in lowered:
        return f"The database server refused the user or the password in HUITANG_DATABASE__URL ({url})."
    if "does not exist" in lowered:
        return f"{said[:1].upper()}{said[1:]}. Create it on the database server first ({url})."
    if is_network:
        return (
            f"The database server of {url} cannot be reached. "
            "See that it runs and that HUITANG_DATABASE__URL names the right host and port."
        )
    return f"The database of {url} cannot be used: {said}."
