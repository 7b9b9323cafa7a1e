"""Relay credentials expire, and a meeting goes on: whoever needs a way gets such as are good for hours again."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from database import Database
from signaling import SignalingSettings
from signaling.settings import IceServer
from tests.signaling.participant import participant
from tests.signaling.stack import Branch, Stack, running

HOURS = 4 * 3600


@pytest.fixture
async def stack(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Stack]:
    relay = IceServer(("turn:turn.example.org",), secret="s")
    settings = SignalingSettings(ice_servers=(relay,), turn_credential_seconds=HOURS)
    async with running(sqlite_database, tmp_path / "recordings", settings) as stack:
        yield stack


async def test_a_new_transport_and_an_ice_restart_bring_credentials_that_last_from_now_on(
    stack: Stack,
) -> None:
    branch = await Branch.found(stack)
    async with participant(stack.url, cookie=branch.secretary) as host:
        await host.join(await branch.meeting())
        before = int(time.time())
        made = await host.call("createTransport", {"direction": "send"})
        restarted = await host.call("restartIce", {"transportId": made["id"]})
        assert restarted.keys() == {"iceParameters", "iceServers", "dtlsState"}
        assert restarted["dtlsState"] == "new"
        for answer in (made, restarted):
            [server] = answer["iceServers"]
            expires_at, name = server["username"].split(":")
            assert int(expires_at) >= before + HOURS
            assert name == host.answer["peerId"]
