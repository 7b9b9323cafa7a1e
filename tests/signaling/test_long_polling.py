"""Clients without a WebSocket: several requests of one connection, each a packet or many."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession
from structlog.testing import capture_logs

from tests.signaling.echo import SPACE, Stand
from tests.signaling.raw import until


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


@asynccontextmanager
async def polling_client(stand: Stand) -> AsyncIterator[tuple[ClientSession, str]]:
    """A session of long polling, and the address of its requests."""
    async with ClientSession() as http:
        url = f"{stand.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        yield http, f"{url}&sid={sid}"
