"""What is known of uploads that are not finished, kept in the database."""

from collections.abc import Callable

from database import Database
from recordings.storage import repository
from recordings.storage.models import StoredPart, StoredUpload
from recordings.storage.store import Part, PartialUpload


class DatabaseLedger:
    """A store's `Ledger`; `on_sent` is told of every piece that has arrived."""

    def __init__(self, database: Database, on_sent: Callable[[int], None]) -> None:
        self._database = database
        self._on_sent = on_sent

    async def unfinished(self, key: str) -> PartialUpload | None:
        """What an earlier attempt has left."""
        async with self._database.reading() as session:
            row = await repository.upload(session, key)
            if row is None:
                return None
            parts = await repository.parts(session, key)
        there = {part.number: Part(part.digest, part.tag) for part in parts}
        return PartialUpload(row.key, row.size, row.part_bytes, row.upload_id, there)

    async def begun(self, upload: PartialUpload) -> None:
        """Write it down, in the place of an earlier one."""
        row = StoredUpload(
            key=upload.key, upload_id=upload.upload_id, size=upload.size, part_bytes=upload.part_bytes
        )
        async with self._database.transaction() as session:
            await repository.forget_uploads(session, upload.key)
            session.add(row)

    async def arrived(self, key: str, number: int, part: Part) -> None:
        """Write it down, unless the upload was removed meanwhile."""
        row = StoredPart(key=key, number=number, digest=part.digest, tag=part.tag)
        async with self._database.transaction() as session:
            if await repository.upload(session, key, lock=True) is not None:
                await session.merge(row)

    async def sent(self, size: int) -> None:
        """Tell of it."""
        self._on_sent(size)

    async def ended(self, key: str) -> None:
        """Forget it."""
        async with self._database.transaction() as session:
            await repository.forget_uploads(session, key)
