import asyncio
import gc
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database
from errors import Kind, Problem
from members.organizations import Organization, OrganizationKind
from members.organizations import repository as organizations
from tests.factories import EVENING, FakeClock, Records
from tests.patience import PATIENCE_SECONDS
from tests.threads import sqlite_threads_ended


async def names(database: Database) -> list[str]:
    async with database.reading() as session:
        return sorted(await session.scalars(select(Organization.name)))


async def test_a_transaction_stores_its_work_at_the_end(database: Database, records: Records) -> None:
    await records.organization(name="甲")
    assert await names(database) == ["甲"]


async def test_the_error_of_a_failed_statement_does_not_tell_what_it_was_to_write(database: Database) -> None:
    async def write_twice() -> None:
        async with database.transaction() as session:
            for _ in range(2):
                await session.execute(
                    text("INSERT INTO organizations (id, name) VALUES ('1', :name)"), {"name": "王秀兰"}
                )

    with pytest.raises(DBAPIError) as error:
        await write_twice()
    assert "王秀兰" not in str(error.value)
    assert "organizations" in str(error.value)


async def test_a_transaction_that_raises_stores_nothing(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.transaction() as session:
            add(session, "甲")
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    assert await names(database) == []


async def test_a_cancelled_transaction_stores_nothing_and_frees_its_turn(database: Database) -> None:
    flushed = asyncio.Event()

    async def write() -> None:
        async with database.transaction() as session:
            add(session, "甲")
            await session.flush()
            flushed.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await asyncio.wait_for(flushed.wait(), PATIENCE_SECONDS)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.transaction() as session:
        add(session, "乙")
    assert await names(database) == ["乙"]


async def test_a_connection_that_somebody_left_in_the_middle_serves_the_next(
    sqlite_database: Database,
) -> None:
    """The pool ends what is open, and only that."""
    connection = await sqlite_database.engine.connect()
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    await driver.execute("BEGIN IMMEDIATE")
    await connection.close()
    async with sqlite_database.transaction() as session:
        add(session, "甲")
    assert await names(sqlite_database) == ["甲"]


async def test_writers_that_read_first_never_fail_because_of_each_other(
    database: Database, records: Records
) -> None:
    """The classic SQLite trap: both read, then both write; with a deferred BEGIN the second fails at once."""
    counter = await records.organization(name="0")
    other = Database(database.url.render_as_string(hide_password=False))  # as another process would be

    async def count_up(through: Database) -> None:
        async with through.transaction() as session:
            query = select(Organization).where(Organization.id == counter.id).with_for_update()
            row = (await session.scalars(query)).one()
            await asyncio.sleep(0)
            row.name = str(int(row.name) + 1)

    try:
        await asyncio.gather(*(count_up(through) for _ in range(10) for through in (database, other)))
    finally:
        await other.dispose()
    assert await names(database) == ["20"]


async def test_a_reading_goes_on_beside_a_writer_and_sees_one_state(
    database: Database, records: Records
) -> None:
    await records.organization(name="甲")
    async with database.reading() as reading:
        assert await reading.scalar(select(func.count()).select_from(Organization)) == 1
        await asyncio.create_task(in_own_task(records))
        assert await reading.scalar(select(func.count()).select_from(Organization)) == 1
    assert len(await names(database)) == 2


async def in_own_task(records: Records) -> None:
    await records.organization(name="乙")


async def test_a_reading_refuses_to_write(database: Database) -> None:
    async def write_in_a_reading() -> None:
        async with database.reading() as session:
            add(session, "甲")
            await session.flush()

    with pytest.raises(DBAPIError):
        await write_in_a_reading()
    async with database.transaction() as session:  # and the connection serves a writer afterwards
        add(session, "乙")
    assert await names(database) == ["乙"]


async def test_a_transaction_within_a_transaction_is_refused(database: Database) -> None:
    async with database.transaction():
        with pytest.raises(RuntimeError, match="within a transaction"):
            async with database.reading():
                pass
        with pytest.raises(RuntimeError, match="within a transaction"):
            async with database.transaction():
                pass
    await database.check()  # and it is free again afterwards


async def test_a_broken_reference_is_refused_on_both_databases(database: Database) -> None:
    orphan = Organization(
        id="a" * 32,
        parent_id="b" * 32,
        kind=OrganizationKind.BRANCH,
        name="孤",
        timezone="Asia/Shanghai",
        path="/a/",
        created_at=EVENING,
    )

    async def write() -> None:
        async with database.transaction() as session:
            session.add(orphan)

    with pytest.raises(IntegrityError):
        await write()


async def test_times_come_back_aware_and_in_utc(database: Database, records: Records) -> None:
    stored = await records.organization()
    async with database.reading() as session:
        loaded = await session.get_one(Organization, stored.id)
    assert loaded.created_at == EVENING
    assert loaded.created_at.utcoffset() == EVENING.utcoffset()


async def test_a_naive_time_is_refused(database: Database, clock: FakeClock) -> None:
    clock.now = EVENING.replace(tzinfo=None)
    with pytest.raises(Exception, match="naive datetime"):
        await Records(database, clock).organization()


async def test_an_unreachable_server_is_a_refusal() -> None:
    database = Database("postgresql://huitang@/huitang?host=/nonexistent")
    with pytest.raises(Problem) as caught:
        await database.check()
    await database.dispose()
    assert (caught.value.kind, caught.value.code) == (Kind.UNAVAILABLE, "database_unavailable")


async def test_a_missing_folder_is_a_refusal(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/huitang.sqlite3")
    with pytest.raises(Problem) as caught:
        await database.check()
    await database.dispose()
    assert await sqlite_threads_ended()
    assert caught.value.code == "database_unavailable"


async def test_a_full_disk_is_a_refusal_and_stores_nothing(sqlite_database: Database) -> None:
    async with sqlite_database.reading() as session:
        pages = await session.scalar(text("PRAGMA page_count"))

    async def fill() -> None:
        async with sqlite_database.transaction() as session:
            await session.execute(text(f"PRAGMA max_page_count = {pages}"))
            for number in range(200):
                add(session, f"第{number}党支部")

    with pytest.raises(Problem) as caught:
        await fill()
    assert caught.value.code == "storage_full"
    assert await names(sqlite_database) == []


async def test_a_lock_held_by_another_program_is_a_refusal(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("database.engine.BUSY_TIMEOUT_MS", 50)
    hasty = Database(sqlite_database.url.render_as_string())

    async def write() -> None:
        async with hasty.transaction() as session:
            add(session, "甲")

    async with sqlite_database.transaction():
        with pytest.raises(Problem) as caught:
            await asyncio.create_task(write())
    await hasty.dispose()
    assert caught.value.code == "database_busy"


async def test_a_writer_cancelled_within_a_statement_leaves_no_lock_behind(sqlite_database: Database) -> None:
    loop = asyncio.get_running_loop()
    within = asyncio.Event()
    may_end = threading.Event()

    def wait() -> int:
        loop.call_soon_threadsafe(within.set)
        may_end.wait(PATIENCE_SECONDS)
        return 1

    async def write() -> None:
        async with sqlite_database.transaction() as session:
            raw = await (await session.connection()).get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.create_function("wait", 0, wait)
            add(session, "甲")
            await session.flush()
            await session.execute(text("SELECT wait() FROM organizations UNION ALL SELECT 2"))

    gc.disable()  # which would release the cursor, and with it the lock, sooner or later
    try:
        writer = asyncio.create_task(write())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await within.wait()
        writer.cancel()
        await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await writer
        another = sqlite3.connect(sqlite_database.url.database or "", timeout=0, isolation_level=None)
        another.execute("BEGIN IMMEDIATE")
        another.close()
    finally:
        gc.enable()
    assert await names(sqlite_database) == []


async def test_a_writer_that_waits_too_long_for_its_turn_is_refused_and_takes_no_turn(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write() -> None:
        async with sqlite_database.transaction() as session:
            add(session, "甲")

    async with sqlite_database.transaction():
        monkeypatch.setattr("database.database.WRITE_LOCK_TIMEOUT_SECONDS", 0.01)
        with pytest.raises(Problem, match="database_busy"):
            await asyncio.create_task(write())
    monkeypatch.undo()
    await write()
    assert await names(sqlite_database) == ["甲"]


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://root@host/name", "sqlite://", "sqlite:///:memory:"])
def test_a_url_of_neither_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///path"):
        Database(url)


def add(session: AsyncSession, name: str) -> None:
    organizations.add(
        session,
        parent=None,
        kind=OrganizationKind.DEPARTMENT,
        name=name,
        timezone="Asia/Shanghai",
        created_at=EVENING,
    )
