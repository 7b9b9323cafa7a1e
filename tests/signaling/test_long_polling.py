"""Clients without a WebSocket: several requests of one connection, each a packet or many."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType
from structlog.testing import capture_logs

from signaling.settings import SignalingSettings
from tests.patience import PATIENCE_SECONDS
from tests.signaling.echo import SPACE, Stand, is_alive, standing
from tests.signaling.raw import RawClient, until


async def test_long_polling_carries_more_packets_at_once_than_the_library_allows(stand: Stand) -> None:
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        packets = ['40/echo,{"token":"known"}', *(f'42/echo,{n}["say",{{"text":"{n}"}}]' for n in range(60))]
        async with http.post(f"{url}&sid={sid}", data="\x1e".join(packets)) as response:
            assert response.status == 200
        async with http.get(f"{url}&sid={sid}") as response:
            answers = (await response.text()).split("\x1e")
    assert sum(answer.startswith("43/echo,") for answer in answers) == 60


async def test_requests_of_long_polling_do_not_overtake_each_other(stand: Stand) -> None:
    """Two joins side by side would make two peers of one connection, one of whom nobody would ever miss."""
    async with polling_client(stand) as (http, url):
        async with http.post(url, data='40/echo,{"token":"known"}') as response:
            assert response.status == 200
        first = asyncio.create_task(http.post(url, data='42/echo,1["wait",{}]'))
        await until(lambda: stand.counters.events[SPACE, "wait"] == 1)
        second = asyncio.create_task(http.post(url, data='42/echo,2["say",{"text":"second"}]'))
        async with http.get(url) as response:  # the answer to the connection: the second request is under way
            assert "40/echo," in await response.text()
        assert stand.echo.heard == []
        stand.echo.go_on.set()
        for request in (first, second):
            (await request).close()
        assert stand.echo.heard == ["waited", "second"]


async def test_a_connection_that_is_lost_while_it_is_being_let_in_is_not_kept(stand: Stand) -> None:
    async with polling_client(stand) as (http, url):
        coming = asyncio.create_task(http.post(url, data='40/echo,{"token":"slow"}'))
        await until(lambda: bool(stand.server.manager.pending_connect))
        async with http.post(url, data="1"):
            pass
        stand.echo.go_on.set()
        (await coming).close()
        assert stand.echo.sids() == []
        assert stand.echo.gone == ["slow"]
        assert stand.server.connected(SPACE) == 0


async def test_a_connection_that_is_lost_while_it_is_being_answered_is_parted_with_afterwards(
    stand: Stand,
) -> None:
    async with polling_client(stand) as (http, url):
        async with http.post(url, data='40/echo,{"token":"known"}'):
            pass
        asked = asyncio.create_task(http.post(url, data='42/echo,1["wait",{}]'))
        await until(lambda: stand.counters.events[SPACE, "wait"] == 1)
        async with http.post(url, data="1"):
            pass
        assert stand.echo.gone == ["known"]
        stand.echo.go_on.set()
        (await asked).close()
        assert stand.echo.gone == ["known", "known"], (
            "whatever the handler noted of it in the meantime goes too"
        )


async def test_nonsense_by_long_polling_is_counted_not_raised(stand: Stand) -> None:
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        with capture_logs() as logs:
            for body in (b"zzz", b"\xff\xfe", b"4{" * 3000, b"d=", b"b!"):
                async with http.post(f"{url}&sid={sid}", data=body) as response:
                    assert response.status == 200
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    assert sum(stand.counters.dropped.values()) == 5


@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("end", ["line cut", "server's fault", "silence"])
async def test_an_upgrade_that_fails_leaves_long_polling_as_it_was(end: str, *, probed: bool) -> None:
    """Lines and proxies let the upgrade's beginning through and then drop the WebSocket, or swallow its frames."""
    seconds = 0.1 if end == "silence" else PATIENCE_SECONDS
    async with (
        standing(SignalingSettings(upgrade_seconds=seconds)) as stand,
        polling_client(stand) as (http, url),
    ):
        async with http.post(url, data='40/echo,{"token":"known"}'), http.get(url):
            pass
        [socket] = stand.server.eio.sockets.values()
        upgrade: Any = await http.ws_connect(url.replace("transport=polling", "transport=websocket"))
        if probed:
            await upgrade.send_str("2probe")
            assert await upgrade.receive_str(timeout=PATIENCE_SECONDS) == "3probe"
            async with http.get(url) as response:
                assert await response.text() == "6"
        if end == "line cut":
            upgrade._response.connection.transport.abort()
        elif end == "server's fault":
            websocket: Any = stand.server._lines[socket.sid].websocket
            websocket.environ["aiohttp.request"].task.cancel()
        if probed:
            await until(lambda: not socket.upgrading)
        async with http.post(url, data='42/echo,1["say",{"text":"x"}]'):
            pass
        async with asyncio.timeout(PATIENCE_SECONDS), http.get(url) as response:
            assert "43/echo,1[" in await response.text()
        if end == "silence":
            assert (await upgrade.receive(timeout=PATIENCE_SECONDS)).type is WSMsgType.CLOSE
        await upgrade.close()


async def test_long_polling_becomes_a_websocket(stand: Stand) -> None:
    async with polling_client(stand) as (http, url):
        async with http.post(url, data='40/echo,{"token":"known"}'), http.get(url):
            pass
        async with http.ws_connect(url.replace("transport=polling", "transport=websocket")) as socket:
            await socket.send_str("2probe")
            assert await socket.receive_str(timeout=PATIENCE_SECONDS) == "3probe"
            await socket.send_str("5")
            assert await is_alive(RawClient(socket))


@asynccontextmanager
async def polling_client(stand: Stand) -> AsyncIterator[tuple[ClientSession, str]]:
    """A session of long polling, and the address of its requests."""
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        yield http, f"{url}&sid={sid}"
