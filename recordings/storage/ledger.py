"""What is known of uploads that are not finished, kept in the database."""

from collections.abc import Awaitable, Callable

from database import Database
from recordings.storage import repository
from recordings.storage.models import StoredUpload
from recordings.storage.store import PartialUpload


class DatabaseLedger:
    """A store's `Ledger`; `on_sent` is told of every piece that has arrived, and may raise."""

    def __init__(self, database: Database, on_sent: Callable[[int], Awaitable[None]]) -> None:
        self._database = database
        self._on_sent = on_sent

    async def unfinished(self, key: str) -> PartialUpload | None:
        """What an earlier attempt has left."""
        async with self._database.reading() as session:
            row = await repository.upload(session, key)
        return PartialUpload(row.key, row.size, row.part_bytes, row.upload_id) if row else None

    async def begun(self, upload: PartialUpload) -> None:
        """Write it down."""
        row = StoredUpload(
            key=upload.key, upload_id=upload.upload_id, size=upload.size, part_bytes=upload.part_bytes
        )
        async with self._database.transaction() as session:
            await session.merge(row)

    async def sent(self, size: int) -> None:
        """Tell of it."""
        await self._on_sent(size)

    async def ended(self, key: str) -> None:
        """Forget it."""
        async with self._database.transaction() as session:
            await repository.forget_uploads(session, key)
