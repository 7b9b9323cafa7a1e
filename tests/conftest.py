"""Fixtures of all tests: a fresh database on each engine, a clock, invented people.

`database` runs the test twice, on SQLite and on PostgreSQL; once, on SQLite, where the test is marked `one_engine`
because it is about something else, and `sqlite_database` always once.
The one is a copy of a template made by `create_all`, the other is emptied before each test, so a test costs
milliseconds and sees nobody else's rows. Either has the same URL in all tests: so one `Database` serves them all, which
compiles each statement once a run and not once a test.
"""

import asyncio
import gc
import os
import secrets
import shutil
import string
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TypeVar, cast

import aioice.ice
import asyncpg  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import QueuePool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from database import Base, Database
from database.discovery import load_models
from members.accounts import Accounts
from tests.demo import Demo, shared_demo
from tests.factories import CHEAP, FakeClock, Records
from tests.postgres import Cluster
from tests.threads import sqlite_threads_ended


def _letters(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters) for _ in range(length))


# pymediasoup's parser of SDP reads a peer's ICE user name like "0e12" as the number nought, and misses the section.
aioice.ice.random_string = _letters  # type: ignore[attr-defined]

# Whoever was killed may still hold locks.
LEFT_BEHIND = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
ENGINES = ("sqlite", "postgresql")
T = TypeVar("T")


def pytest_configure() -> None:
    """How long Hypothesis takes to invent an input says how busy the machine is, and nothing of what is tested."""
    patient = settings(settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("patient", patient)
    settings.load_profile("patient")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each engine that a test's database is to have."""
    if "database_url" in metafunc.fixturenames:
        one = metafunc.definition.get_closest_marker("one_engine") is not None
        metafunc.parametrize("database_url", ENGINES[:1] if one else ENGINES, indirect=True)


def _run_apart(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run something asynchronous from a synchronous fixture, away from the tests' event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(work())).result()


@asynccontextmanager
async def _opened(database: Database) -> AsyncIterator[Database]:
    try:
        yield database
        assert cast("QueuePool", database.engine.pool).checkedout() == 0, "a connection was not given back"
    finally:
        await database.dispose()
    assert await sqlite_threads_ended(), "an SQLite connection was not closed"


async def _make_tables(url: str) -> None:
    tables = load_models()
    async with _opened(Database(url)) as database, database.engine.begin() as connection:
        await connection.run_sync(tables.create_all)


@pytest.fixture(scope="module", autouse=True)
def _garbage_collected_once() -> Iterator[None]:
    """What a module of tests leaves behind is not walked again by every collection of those that follow."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table and no rows."""
    path = tmp_path_factory.mktemp("template") / "huitang.sqlite3"
    _run_apart(lambda: _make_tables(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The run's PostgreSQL server, started by the first test that wants it."""
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres: Cluster) -> str:
    """The URL of a PostgreSQL database with every table."""

    async def make() -> None:
        await _make_tables(await _postgres_made(postgres, "test_each"))

    _run_apart(make)
    return postgres.url("test_each")


async def _postgres_made(cluster: Cluster, name: str) -> str:
    """The URL of a database without any table, in place of the last one of that name."""
    connection = await asyncpg.connect(cluster.url("postgres"))
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return cluster.url(name)


@cache
def _which_hold_rows() -> str:
    """One question about all tables."""
    return " UNION ALL ".join(
        f"SELECT '{table}' AS name WHERE EXISTS (SELECT FROM \"{table}\")"  # noqa: S608
        for table in Base.metadata.tables
    )


async def _postgres_emptied(connection: asyncpg.Connection) -> None:
    """Take every row out of a database, which is quicker than to make a new one."""
    await connection.execute(LEFT_BEHIND)
    held = [row["name"] for row in await connection.fetch(_which_hold_rows())]
    for name in held:
        await connection.execute(f'DELETE FROM "{name}"')  # noqa: S608
    if held:
        names = ", ".join(f'"{name}"' for name in held)
        await connection.execute(f"VACUUM {names}")  # or scans would go over all that ever was


@pytest.fixture(scope="session")
def postgres_emptied(postgres_url: str) -> Iterator[Callable[[], Awaitable[None]]]:
    """Empties the PostgreSQL database, over one connection: each new one would first learn what all tables are.

    It lives on a loop of its own, because every test has another.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="postgres-emptied")
    thread.start()

    def there(work: Coroutine[None, None, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, loop)

    async def connect() -> asyncpg.Connection:
        made = await asyncpg.connect(postgres_url)
        # Neither triggers, which let nothing be deleted of some tables, nor foreign keys.
        await made.execute("SET session_replication_role = replica")
        return made

    connection = there(connect()).result()
    yield lambda: asyncio.wrap_future(there(_postgres_emptied(connection)))
    there(connection.close()).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def kept() -> Callable[[str], Database]:
    """The one `Database` of a URL; each test opens and disposes of it."""
    return cache(_kept)


def _kept(url: str) -> Database:
    database = Database(url)
    if database.is_sqlite:
        event.listen(database.engine.sync_engine, "connect", _not_durable)
    return database


def _not_durable(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """As with the tests' PostgreSQL: nothing here outlives the run, so nobody waits for the disk."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def _sqlite_copy(template: Path, name: str) -> str:
    """The URL of a fresh copy in place of the last one of that name, beside the template."""
    folder = template.parent / name
    shutil.rmtree(folder, ignore_errors=True)  # with the write-ahead log of whoever was killed
    folder.mkdir()
    return f"sqlite:///{shutil.copyfile(template, folder / 'huitang.sqlite3')}"


@pytest.fixture
async def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database with tables; see `pytest_generate_tests`."""
    if request.param == "sqlite":
        return _sqlite_copy(request.getfixturevalue("sqlite_template"), "each")
    url: str = request.getfixturevalue("postgres_url")
    await request.getfixturevalue("postgres_emptied")()
    return url


@pytest.fixture(params=ENGINES)
async def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite3"
    return await _postgres_made(request.getfixturevalue("postgres"), "test_empty")


@pytest.fixture
async def database(database_url: str, kept: Callable[[str], Database]) -> AsyncIterator[Database]:
    """A fresh database with tables, on each engine but for tests that are `one_engine`."""
    async with _opened(kept(database_url)) as opened:
        yield opened


@pytest.fixture
async def sqlite_database(sqlite_template: Path, kept: Callable[[str], Database]) -> AsyncIterator[Database]:
    """A fresh SQLite database with tables."""
    async with _opened(kept(_sqlite_copy(sqlite_template, "sqlite"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo organization in a data folder of this run's, to be copied."""
    base = tmp_path_factory.getbasetemp()
    return shared_demo((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def records(database: Database, clock: FakeClock) -> Records:
    """Makes organizations, members and accounts."""
    return Records(database, clock)


@pytest.fixture
def accounts(database: Database, clock: FakeClock) -> Accounts:
    """The accounts service with cheap passwords."""
    return Accounts(database, clock, CHEAP)
