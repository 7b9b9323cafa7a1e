"""Changes what the records say of a recording, as nobody but a test does."""

from database import Database
from recordings import repository
from recordings.models import Recording


async def change(database: Database, recording: Recording, **fields: object) -> None:
    """Set these columns."""
    async with database.transaction() as session:
        row = await repository.get(session, recording.id)
        assert row is not None
        for name, value in fields.items():
            setattr(row, name, value)
