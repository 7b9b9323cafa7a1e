import asyncio
import os
import pwd
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database import Database, MigrationError
from database.discovery import load_models
from database.engine import create_engine, parse_url
from database.migrations.runner import configuration, heads
from tests.factories import Records

TRIGGERS = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1",
    "postgresql": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
}


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, load_models()))


async def triggers(connection: AsyncConnection) -> list[tuple[str, str]]:
    rows = await connection.execute(text(TRIGGERS[connection.dialect.name]))
    return [(row[0], row[1]) for row in rows]


async def test_the_migrations_make_what_the_models_describe(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    told: list[str] = []
    try:
        applied = await database.migrate(told.append)
        assert applied == told
        assert applied[0].startswith("0001 ")
        async with database.engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await database.dispose()


async def test_the_migrations_make_the_models_triggers(empty_database_url: str, database_url: str) -> None:
    """Alembic compares no triggers, and they are what keeps the cards."""
    if empty_database_url.partition(":")[0] != database_url.partition(":")[0]:
        return  # one of the two crossings of the parametrized fixtures
    migrated, made = Database(empty_database_url), Database(database_url)
    try:
        await migrated.migrate()
        async with migrated.engine.connect() as one, made.engine.connect() as other:
            assert await triggers(one) == await triggers(other) != []
    finally:
        await migrated.dispose()
        await made.dispose()


async def test_a_second_migration_finds_nothing_to_do_and_keeps_the_rows(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        await database.migrate()
        kept = await Records(database).organization(name="东湖村党支部")
        assert await database.migrate() == []
        async with database.reading() as session:
            assert await session.scalar(text("SELECT name FROM organizations")) == kept.name
    finally:
        await database.dispose()


async def test_two_nodes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    nodes = [Database(empty_database_url) for _ in range(3)]
    try:
        applied = await asyncio.gather(*(node.migrate() for node in nodes))
    finally:
        for node in nodes:
            await node.dispose()
    assert sorted(len(each) for each in applied)[:2] == [0, 0]
    assert max(len(each) for each in applied) >= 1


async def test_a_node_comes_again_while_another_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "huitang.sqlite3"
    database = Database(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # while it lasts, the write-ahead log is refused at once
        migrating = asyncio.create_task(database.migrate())
        await asyncio.wait({migrating}, timeout=0.5)
        other.execute("ROLLBACK")
        try:
            assert await migrating
        finally:
            await database.dispose()


async def test_records_of_a_newer_program_are_left_alone(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        await database.migrate()
        async with database.transaction() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(MigrationError, match="newer version of this program"):
            await database.migrate()
    finally:
        await database.dispose()


def test_there_is_one_newest_revision() -> None:
    assert len(heads()) == 1


async def advice(url: str) -> str:
    database = Database(url)
    with pytest.raises(MigrationError) as caught:
        await database.migrate()
    await database.dispose()
    return str(caught.value)


async def test_an_unreachable_server_is_told_with_what_to_do_and_without_the_password() -> None:
    said = await advice("postgresql://huitang:geheim@127.0.0.1:1/huitang")
    assert "cannot be reached" in said
    assert "HUITANG_DATABASE__URL" in said
    assert "geheim" not in said


async def test_a_missing_database_is_told(empty_database_url: str) -> None:
    if empty_database_url.startswith("postgresql"):
        assert "Create it on the database server" in await advice(
            empty_database_url.replace("test_", "absent_")
        )


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "huitang.sqlite3"
    path.write_text("a letter, not a database" * 100)
    assert "is not an SQLite database" in await advice(f"sqlite:///{path}")
    assert path.read_text().startswith("a letter")


async def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = await advice(f"sqlite:///{tmp_path}/file/data/huitang.sqlite3")
    assert "HUITANG_DATA_DIR" in said


def test_a_read_only_data_folder_is_told() -> None:
    """In a process of another account when the tests run as root, because root may write anywhere."""
    with tempfile.TemporaryDirectory() as name:
        outside = Path(name)
        outside.chmod(0o755)
        (outside / "data").mkdir(mode=0o555)
        child = os.fork()
        if child == 0:
            if os.geteuid() == 0:
                os.setuid(pwd.getpwnam("nobody").pw_uid)
            try:
                said = asyncio.run(advice(f"sqlite:///{outside}/data/huitang.sqlite3"))
                os._exit(0 if f"{outside}/data cannot be written" in said else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_the_records_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/data/huitang.sqlite3")
    await database.migrate()
    async with database.transaction():
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    await database.dispose()
    assert modes == dict.fromkeys(("huitang.sqlite3", "huitang.sqlite3-wal", "huitang.sqlite3-shm"), 0o600)


async def test_foreign_keys_are_off_only_while_migrating(tmp_path: Path) -> None:
    url = parse_url(f"sqlite:///{tmp_path}/huitang.sqlite3")
    answers = []
    for migrating in (True, False):
        engine = create_engine(url, migrating=migrating)
        async with engine.connect() as connection:
            answers.append((await connection.execute(text("PRAGMA foreign_keys"))).scalar())
        await engine.dispose()
    assert answers == [0, 1]


async def test_items_of_agendas_that_began_before_are_numbered_as_the_clock_has_them(tmp_path: Path) -> None:
    """Each meeting's for itself; of those of one moment each has a number of its own."""
    began = [("a", "m", 3), ("b", "m", 1), ("c", "n", 2), ("d", "m", 2), ("e", "n", 2)]
    engine = create_engine(parse_url(f"sqlite:///{tmp_path / 'records.db'}"), migrating=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(lambda plain: command.upgrade(configuration(plain), "0012"))
            for mark, meeting, second in began:
                values = {"id": mark, "meeting": meeting, "at": f"2026-11-23 12:00:0{second}"}
                await connection.execute(
                    text("INSERT INTO agenda_marks VALUES (:id, :meeting, 0, '', :at)"), values
                )
            await connection.run_sync(lambda plain: command.upgrade(configuration(plain), "0013"))
            numbered = await connection.execute(text("SELECT id, number FROM agenda_marks ORDER BY id"))
            assert [tuple(row) for row in numbered] == [("a", 3), ("b", 1), ("c", 1), ("d", 2), ("e", 2)]
    finally:
        await engine.dispose()
