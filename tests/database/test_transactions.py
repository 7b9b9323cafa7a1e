from sqlalchemy import text

from database import Database
from tests.factories import Records


async def test_x(database: Database, records: Records) -> None:
    tree = await records.tree()
    await records.member(tree.branch)
    async with database.reading() as session:
        assert (await session.execute(text("SELECT 1"))).scalar() == 1
