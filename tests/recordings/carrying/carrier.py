"""A publisher on a test's folder and server, and stores in which something happens meanwhile."""

import asyncio
from pathlib import Path

from database import Database
from recordings.folders import Folders
from recordings.models import Recording
from recordings.storage.models import Task
from recordings.storage.publisher import Publisher
from recordings.storage.s3 import S3Store
from recordings.storage.settings import StorageSettings
from recordings.storage.shelf import Shelf
from recordings.storage.store import Ledger
from tests.factories import FakeClock
from tests.s3 import S3Server


class Carrier:
    """A publisher on the test's folder and server."""

    def __init__(
        self, database: Database, folders: Folders, s3: S3Server, clock: FakeClock, **change: object
    ) -> None:
        settings = s3.settings.model_copy(update=change)
        self.shelf = Shelf(folders.root, settings)
        self.publisher = Publisher(database, folders, self.shelf, settings, clock)

    async def work(self) -> None:
        """Take one job of each kind, as after a start."""
        await self.publisher.start()
        await self.publisher.stop()
        for task in Task:
            await self.publisher.work_once(task)
        await self.shelf.close()


async def stored_version(database: Database, row: Recording) -> int:
    async with database.reading() as session:
        return (await session.get_one(Recording, row.id)).stored_version


class Slow(S3Store):
    """Has not taken the whole of any film before it is told to."""

    def __init__(self, settings: StorageSettings) -> None:
        super().__init__(settings)
        self.sending, self.may_end = asyncio.Event(), asyncio.Event()

    async def put(self, key: str, path: Path, content_type: str, ledger: Ledger) -> None:
        self.sending.set()
        await self.may_end.wait()
        await super().put(key, path, content_type, ledger)
