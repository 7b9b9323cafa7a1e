"""What must be right before anything runs: the data folder and the records. Each failure is one sentence."""

import asyncio
import fcntl
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import structlog

from config import Config
from database import Database, MigrationError
from database.sole import sole
from errors import Problem
from localization import ErrorTexts
from recordings.settings import RecordingSettings
from recordings.storage.settings import MEBIBYTE, StorageSettings

LOCK_FILE: Final = "server.lock"
SQLITE_FILE: Final = "huitang.sqlite3"
_SERVERS_LOCK: Final = 0x6875_6974_616E_67  # "huitang"
_SERVERS_PATIENCE_SECONDS: Final = 75.0  # a machine that has died holds it for a minute

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
        raise StartFailed(ErrorTexts.load().text(problem.code, "en", problem.details)) from problem
    finally:
        await database.dispose()


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Keep a second server off this data folder; a lock of the kernel's, so a crash leaves nothing behind.

    A POSIX lock, which children do not inherit: a composition that outlives a killed server must not keep the next out.
    """
    with (folder / LOCK_FILE).open("wb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartFailed(
                f"Another server already runs with the data folder {folder.absolute()}. Stop that one, or choose "
                "another folder with HUITANG_DATA_DIR."
            ) from error
        yield


@asynccontextmanager
async def sole_server(
    database: Database, patience_seconds: float = _SERVERS_PATIENCE_SECONDS
) -> AsyncIterator[None]:
    """Keep a second server off these records: it would take the first one's meetings for a crashed one's."""
    async with sole(database, _SERVERS_LOCK, patience_seconds) as held:
        if not held:
            raise StartFailed(
                "Another server already holds meetings with these records (HUITANG_DATABASE__URL). Stop that one. To "
                "make films on this machine beside it: server.py compose."
            )
        yield


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT; a second one ends the process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)  # whatever is left undone: everything on disk survives a crash anyway
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def prepare_folder(folder: Path) -> None:
    """Make the data folder and see that it can be written; StartFailed when not."""
    probe = folder / ".writable"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # password hashes are nobody else's to read
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


def recordings_folder(config: Config) -> Path:
    """Where recordings lie."""
    return config.recordings.folder or config.data_dir / "recordings"


def recording_settings(config: Config) -> RecordingSettings:
    """What recordings are told of the configuration."""
    return RecordingSettings(
        folder=recordings_folder(config),
        min_free_bytes=config.recordings.minimum_free_mebibytes * MEBIBYTE,
        workers=config.recordings.workers,
        hls_minutes=config.recordings.hls_minutes,
        niceness=config.recordings.niceness,
        storage=storage_settings(config),
        most_upload_bytes=config.recordings.most_upload_gibibytes * 1024 * MEBIBYTE,
    )


def storage_settings(config: Config) -> StorageSettings | None:
    """The remote store, where there is one."""
    wanted = config.storage
    if wanted.bucket is None:
        return None
    return StorageSettings(
        bucket=wanted.bucket,
        endpoint_url=wanted.endpoint_url,
        region=wanted.region,
        prefix=wanted.prefix,
        access_key=wanted.access_key,
        secret_key=wanted.secret_key,
        addressing=wanted.addressing,
        part_bytes=wanted.part_mebibytes * MEBIBYTE,
        keep_local=wanted.keep_local,
        archive_originals=wanted.archive_originals,
        serve=wanted.serve,
        signed_seconds=wanted.signed_seconds,
    )
