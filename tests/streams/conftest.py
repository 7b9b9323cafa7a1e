"""The whole server, a branch in it, people and devices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from database import Database
from rooms.stream_keys import StreamUse
from tests.signaling.participant import Participant, participant
from tests.signaling.stack import Branch
from tests.streams.house import Device, House

Enter = Callable[[str], AbstractAsyncContextManager[Participant]]
MakeDevice = Callable[..., Awaitable[Device]]


@pytest.fixture
async def house(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[House]:
    """Everything, on SQLite."""
    house = House(sqlite_database, tmp_path / "recordings")
    try:
        await house.start()
        yield house
    finally:
        await house.stop()


@pytest.fixture
async def branch(house: House) -> Branch:
    """A secretary and two members."""
    return await Branch.found(house)


@pytest.fixture
def enter(house: House) -> Enter:
    """Somebody's connection to /rooms, by session token."""
    return lambda token: participant(house.url, cookie=token)


@pytest.fixture
async def device(house: House, branch: Branch) -> AsyncIterator[MakeDevice]:
    """Makes devices, each with a key of its own; all are closed at the end."""
    devices: list[Device] = []

    async def make(
        meeting: str, use: StreamUse = StreamUse.PUBLISH, name: str = "会场摄像机", key: str | None = None
    ) -> Device:
        secret = key or (await house.key(branch, meeting, name, use)).secret
        devices.append(Device(house.url, meeting, secret))
        return devices[-1]

    yield make
    for one in devices:
        await one.close()
