"""`Database`: the one way to the records."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.pool import QueuePool

from database.engine import POOL_OVERFLOW, POOL_SIZE, READ_ONLY, create_engine, parse_url
from database.migrations.runner import migrate
from database.refusals import refusals
from errors import Kind, Problem

WRITE_LOCK_TIMEOUT_SECONDS: Final = 20.0
"""How long a writer waits for its turn on SQLite before the caller is told that the database is busy."""


class PoolStatistics(NamedTuple):
    """How many connections are in use, wait to be used, and may be opened together."""

    busy: int
    idle: int
    most: int


class Database:
    """The records behind one URL, `sqlite:///path` or `postgresql://user@host/name`.

    Connects on first use. Raises ValueError for a URL that is neither.
    """

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self.engine = create_engine(self.url)
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reading = async_sessionmaker(
            self.engine.execution_options(**{READ_ONLY: True}), expire_on_commit=False, autoflush=False
        )
        self._turn = self._first_turn()
        self._busy_tasks: set[asyncio.Task[object]] = set()

    @property
    def is_sqlite(self) -> bool:
        """Whether the records are in one SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    def pool(self) -> PoolStatistics:
        """The connections now."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return PoolStatistics(busy=0, idle=0, most=0)
        return PoolStatistics(pool.checkedout(), pool.checkedin(), POOL_SIZE + POOL_OVERFLOW)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block and rolls back when the block raises.

        Raises Problem UNAVAILABLE (database_busy, database_unavailable, storage_full) when the database itself
        fails; what the block raises passes through. Does not nest within one task (RuntimeError).
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(refusals())
            self._refuse_nesting(stack)
            if self._turn is not None:
                await self._take_turn(self._turn, stack)
            session = await stack.enter_async_context(self._writing.begin())
            await session.connection()  # begins now, so that an unreachable database shows before the work
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the records, waits for no writer and cannot write."""
        async with AsyncExitStack() as stack:
            stack.enter_context(refusals(reading=True))
            self._refuse_nesting(stack)
            yield await stack.enter_async_context(self._reading.begin())

    async def migrate(self, progress: Callable[[str], None] | None = None) -> list[str]:
        """Bring the tables up to date; answers the applied revisions, each also told to `progress` as it starts.

        Raises MigrationError with a sentence that says what to do: data folder read-only, server unreachable,
        password refused, records of a newer program.
        """
        return await migrate(self.url, progress)

    async def check(self) -> None:
        """Ask the database for a sign of life; Problem UNAVAILABLE when there is none. For /readyz."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every connection. The last thing to be called in an event loop; another one may begin anew."""
        await self.engine.dispose()
        self._turn = self._first_turn()

    def _first_turn(self) -> asyncio.Lock | None:
        # SQLite has one writer at a time. Waiting here is fair and costs nothing; waiting in SQLite's own
        # busy loop is neither, and is left for writers in other processes.
        return asyncio.Lock() if self.is_sqlite else None

    def _refuse_nesting(self, stack: AsyncExitStack) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        if task in self._busy_tasks:
            raise RuntimeError("a transaction within a transaction: pass the session to a repository instead")
        self._busy_tasks.add(task)
        stack.callback(self._busy_tasks.discard, task)

    @staticmethod
    async def _take_turn(turn: asyncio.Lock, stack: AsyncExitStack) -> None:
        try:
            async with asyncio.timeout(WRITE_LOCK_TIMEOUT_SECONDS):
                await turn.acquire()
        except TimeoutError:
            raise Problem(Kind.UNAVAILABLE, "database_busy") from None
        stack.callback(turn.release)
