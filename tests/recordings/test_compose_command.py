"""`server.py compose`: a machine that only makes films, and who may work on the same records at once."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from sqlalchemy import text

from database import Database
from database.migrations.runner import heads
from database.sole import sole
from recordings.models import Recording
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from startup import StartFailed, sole_server
from tests.patience import PATIENCE_SECONDS
from tests.recordings.conftest import GLANCE_SECONDS, ToCompose, until

ROOT = Path(__file__).parents[2]


async def test_films_are_made_by_a_machine_that_holds_no_meetings(
    database: Database, database_url: str, settings: RecordingSettings, to_compose: ToCompose, tmp_path: Path
) -> None:
    """While the server, whose records and folder they are, runs; with SQLite there is no such machine."""
    _, row = await to_compose(0.2)
    await stamp(database)
    own = {
        "HUITANG_DATABASE__URL": database_url,
        "HUITANG_RECORDINGS__FOLDER": str(settings.folder),
        "HUITANG_RECORDINGS__NICENESS": "0",  # beside other tests a film would never be finished
        "HUITANG_DATA_DIR": str(tmp_path / "own"),
    }
    async with sole_server(database):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "server.py", "compose", cwd=ROOT, env=os.environ | own, stdout=PIPE, stderr=PIPE
        )
        if database.is_sqlite:
            _, said = await process.communicate()
            assert process.returncode == 1
            assert b"PostgreSQL" in said
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await state_of(database, row) is RecordingState.COMPOSING:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(GLANCE_SECONDS)
            assert await state_of(database, row) is RecordingState.READY
        finally:
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    assert process.returncode == 0


async def stamp(database: Database) -> None:
    """Let the tables of the tests be what all migrations have made."""
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))"))
        await connection.execute(text("DELETE FROM alembic_version"))
        await connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": heads()[0]})


async def state_of(database: Database, row: Recording) -> RecordingState:
    async with database.reading() as session:
        found = await session.get_one(Recording, row.id)
        return found.state


async def test_two_servers_do_not_hold_meetings_with_the_same_records(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    try:
        async with sole_server(database):
            if database.is_sqlite:
                return  # whose data folder nobody else may use
            with pytest.raises(StartFailed, match="compose"):
                async with sole_server(other, 0):
                    pass
        async with sole_server(other, 0):
            pass
    finally:
        await other.dispose()


async def test_who_waits_for_a_server_that_is_ending_comes_after_it(database: Database) -> None:
    if database.is_sqlite:
        return
    waiting = asyncio.Event()

    async def second() -> bool:
        waiting.set()
        async with sole(database, 1, PATIENCE_SECONDS) as held:
            return held

    async with sole(database, 1, 0) as first:
        task = asyncio.create_task(second())
        await waiting.wait()
        await until(lambda: database.pool().busy == 2)
        assert not task.done()
    assert first
    assert await task
