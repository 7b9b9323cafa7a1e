"""Socket.IO through the whole server: behind a proxy that is named, and told when the server stops."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import socketio
from aiohttp import ClientSession, CookieJar

from tests.demo import Demo
from tests.patience import PATIENCE_SECONDS
from tests.server.conftest import Program

FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "meet.example.org",
    "Origin": "https://meet.example.org",
}


async def sign_in(url: str, login: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The session cookie, as a header."""
    credentials = {"username": login["username"], "password": login["password"]}
    async with (
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
        browser.post(f"{url}/api/session", json=credentials, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        cookie = answer.cookies["huitang_session"]
        assert bool(cookie["secure"]) is ("X-Forwarded-Proto" in headers)
        return f"huitang_session={cookie.value}"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_browser_behind_a_named_proxy_connects_and_hears_the_server_stop(
    program: Program, demo: Demo, transport: str
) -> None:
    demo.copy(program.data)
    async with program.serve(HUITANG_HTTP__TRUSTED_PROXIES="127.0.0.1") as server:
        url = await server.url()
        cookie = await sign_in(url, demo.logins[0], FORWARDED)
        draining: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        client = socketio.AsyncClient(reconnection=False)
        client.on("serverDraining", draining.set_result, namespace="/rooms")
        await client.connect(
            url,
            headers={**FORWARDED, "Cookie": cookie},
            namespaces=["/rooms"],
            transports=[transport],
            wait_timeout=PATIENCE_SECONDS,
        )
        answer = await client.call(
            "join", {"meetingId": "0" * 32}, namespace="/rooms", timeout=PATIENCE_SECONDS
        )
        assert (answer["ok"], answer["error"]["code"]) == (False, "meeting_not_found")
        assert await server.stop() == 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await draining)["reconnectAfterMs"] > 0
        await client.disconnect()


async def test_another_sites_page_cannot_connect(program: Program, demo: Demo) -> None:
    demo.copy(program.data)
    async with program.serve() as server:
        url = await server.url()
        cookie = await sign_in(url, demo.logins[0], {})
        client = socketio.AsyncClient(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(
                url,
                headers={"Origin": "https://evil.example", "Cookie": cookie},
                namespaces=["/rooms"],
                wait_timeout=PATIENCE_SECONDS,
            )
        await client.disconnect()
