"""A process that publishes one recording and is killed, by SIGKILL, when so many parts have arrived."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from database import Database, utc_now
from recordings.folders import Folders
from recordings.storage.ledger import DatabaseLedger
from recordings.storage.models import Task
from recordings.storage.publisher import Publisher
from recordings.storage.settings import StorageSettings
from recordings.storage.shelf import Shelf


async def main(url: str, folder: Path, settings: StorageSettings, parts: int) -> None:
    arrived = 0
    told = DatabaseLedger.sent

    async def sent(self: DatabaseLedger, size: int) -> None:
        nonlocal arrived
        await told(self, size)
        arrived += 1
        if arrived == parts:
            os.kill(os.getpid(), signal.SIGKILL)

    DatabaseLedger.sent = sent  # type: ignore[method-assign]
    publisher = Publisher(Database(url), Folders(folder), Shelf(folder, settings), settings, utc_now)
    await publisher.work_once(Task.PUBLISH)


if __name__ == "__main__":
    asyncio.run(
        main(
            sys.argv[1], Path(sys.argv[2]), StorageSettings.model_validate_json(sys.argv[3]), int(sys.argv[4])
        )
    )
