"""The open port: what strangers send, and what the log may say of it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.patience import PATIENCE_SECONDS
from web.figures import FIGURES, Figures
from web.listener import Listener

GARBAGE = (
    b"garbage\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(156, 256)),
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET " + b"/a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async def read(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(text="read")

    async def broken(_request: web.Request) -> web.StreamResponse:
        raise RuntimeError("ours")

    app = web.Application()
    app[FIGURES] = Figures()
    app.router.add_route("*", "/", read)
    app.router.add_get("/broken", broken)
    opened = Listener(app, "127.0.0.1", 0)
    await opened.start()
    yield opened
    await opened.stop()


def malformed(listener: Listener) -> float | None:
    return listener._runner.app[FIGURES].registry.get_sample_value("huitang_http_malformed_requests_total")


async def send(listener: Listener, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(text)
    async with asyncio.timeout(PATIENCE_SECONDS):
        status = await reader.readline()
    writer.close()
    with contextlib.suppress(ConnectionError):  # the server may have hung up on what it did not care to read
        await writer.wait_closed()
    return status


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: str(text[:20]))
async def test_what_is_not_http_is_answered_counted_and_not_logged(
    listener: Listener, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert b" 400 " in await send(listener, text)
    assert malformed(listener) == 1
    assert caplog.text == ""


async def test_a_mistake_of_ours_is_logged_without_the_address(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    assert b" 500 " in await send(listener, b"GET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    [record] = caplog.records
    assert (record.getMessage(), record.levelname) == ("connection_failed", "ERROR")
    assert record.exc_info is not None
    assert "127.0.0.1" not in record.getMessage()
    assert malformed(listener) == 0


async def test_who_breaks_off_is_counted_and_not_logged(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await listener.stop()
    assert caplog.text == ""


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nCookie: "], ids=["nothing", "half a head"]
)
async def test_who_does_not_finish_asking_is_not_kept(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr("web.listener.IDLE_SECONDS", 0.3)
    application = web.Application()
    application[FIGURES] = Figures()
    listener = Listener(application, "127.0.0.1", 0)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(begun)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reader.read() == b""
    writer.close()
    await listener.stop()
