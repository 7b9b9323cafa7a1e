"""What must be right before anything runs: the data folder and the records. Each failure is one sentence."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from config import Config
from database import Database, MigrationError
from errors import Kind, Problem

SQLITE_FILE: Final = "huitang.sqlite3"

logger = structlog.get_logger(__name__)


class StartFailed(Exception):  # noqa: N818 - what happened, as Problem is
    """The program cannot do what it was started for; the message says what to do."""


@asynccontextmanager
async def records(config: Config) -> AsyncIterator[Database]:
    """The records, in a folder that can be written, with every migration applied."""
    prepare_folder(config.data_dir)
    database = database_of(config)
    try:
        await database.migrate(lambda description: logger.info("migrating", revision=description))
        yield database
    except MigrationError as error:
        raise StartFailed(str(error)) from error
    except Problem as problem:
        if problem.kind is not Kind.UNAVAILABLE:
            raise
        raise StartFailed(
            f"The database does not answer ({problem.code}). See HUITANG_DATABASE__URL."
        ) from problem
    finally:
        await database.dispose()


def prepare_folder(folder: Path) -> None:
    """Make the data folder and see that it can be written; StartFailed when not."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartFailed(
            f"The data folder {folder.absolute()} cannot be written ({error.strerror or error}). Give this account the "
            "right to write there, or choose another folder with HUITANG_DATA_DIR."
        ) from error


def database_of(config: Config) -> Database:
    """The records where the configuration says; StartFailed for a URL that is none."""
    url = config.database.url.get_secret_value() if config.database.url else None
    try:
        return Database(url or f"sqlite:///{(config.data_dir / SQLITE_FILE).absolute()}")
    except ValueError as error:
        raise StartFailed(f"HUITANG_DATABASE__URL is wrong: {error}.") from error
