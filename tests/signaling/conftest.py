"""The running stack and a branch in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from database import Database
from tests.signaling.participant import Participant, participant
from tests.signaling.stack import Branch, Stack, running

Enter = Callable[[str], AbstractAsyncContextManager[Participant]]


@pytest.fixture
async def stack(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Stack]:
    """Everything, on SQLite."""
    async with running(sqlite_database, tmp_path / "recordings") as stack:
        yield stack


@pytest.fixture
async def branch(stack: Stack) -> Branch:
    """A secretary and two members."""
    return await Branch.found(stack)


@pytest.fixture
def enter(stack: Stack) -> Enter:
    """Somebody's connection to /rooms, by session token."""
    return lambda token: participant(stack.url, cookie=token)
