"""What came of a deletion, and of what was refused."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from database import Database
from errors import Problem
from recordings.upkeep.models import RecordingDeletion


async def entries(database: Database) -> list[RecordingDeletion]:
    async with database.reading() as session:
        return list(await session.scalars(select(RecordingDeletion)))


async def refused(code: str, work: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(Problem) as found:
        await work()
    assert found.value.code == code
