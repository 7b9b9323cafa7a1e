"""The running stack and a branch in it; and the echo, where the subject is Socket.IO itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from database import Database
from signaling.settings import SignalingSettings
from tests.signaling.echo import SPACE, Stand, standing
from tests.signaling.participant import Participant, participant
from tests.signaling.raw import RawClient, raw_client
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


@pytest.fixture
def settings() -> SignalingSettings:
    """Bounds that a test reaches."""
    return SignalingSettings(event_burst=100, events_per_second=10, max_refused_in_a_row=50, ping_timeout=2)


@pytest.fixture
async def stand(settings: SignalingSettings) -> AsyncIterator[Stand]:
    """The echo's server."""
    async with standing(settings) as stand:
        yield stand


@pytest.fixture
async def client(stand: Stand) -> AsyncIterator[RawClient]:
    """Somebody whom the echo knows."""
    async with raw_client(stand.url) as client:
        assert (await client.connect(SPACE, {"token": "known"})).startswith('0/echo,{"sid"')
        yield client
