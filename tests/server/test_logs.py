"""Logs: one event a line, and nothing about people that nobody meant to write."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web

import logs
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("aiohttp.server").filters.clear()
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_a_line_of_json() -> None:
    stream = io.StringIO()
    logs.configure("info", "auto", stream)
    structlog.get_logger("rooms").info("meeting_started", meeting_id="abc", title="两行\n标题")
    logging.getLogger("aiohttp.server").warning("from a library")
    first, second = lines_of(stream)
    assert (first["event"], first["meeting_id"], first["level"], first["logger"]) == (
        "meeting_started",
        "abc",
        "info",
        "rooms",
    )
    assert str(first["timestamp"]).endswith("Z")
    assert (second["event"], second["level"]) == ("from a library", "warning")


async def test_what_is_no_http_leaves_neither_address_nor_bytes_in_the_log() -> None:
    stream = io.StringIO()
    logs.configure("info", "json", stream)

    async def fail(_request: web.BaseRequest) -> web.StreamResponse:
        raise ZeroDivisionError

    server = await asyncio.get_running_loop().create_server(web.Server(fail, access_log=None), "127.0.0.1", 0)
    async with server:
        for sent in (
            b"GET / HTTP/1.1\r\nHost: x\r\nCookie: huitang_session=secret\x00\x01\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(sent)
            assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
            writer.close()
            await writer.wait_closed()
    assert [line["event"] for line in lines_of(stream)] == ["Error handling request"], "ours alone"
    assert "127.0.0.1" not in stream.getvalue()
    assert "secret" not in stream.getvalue()


def test_the_level_is_kept() -> None:
    stream = io.StringIO()
    logs.configure("warning", "json", stream)
    structlog.get_logger("rooms").info("quiet")
    logging.getLogger("x").info("quiet")
    structlog.get_logger("rooms").warning("loud")
    assert [line["event"] for line in lines_of(stream)] == ["loud"]


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_trace_tells_places_and_no_variables(style: logs.Format) -> None:
    stream = io.StringIO()
    logs.configure("info", style, stream)

    def fail() -> None:
        password = "open " + "sesame"  # noqa: F841 - what a trace must not show
        raise RuntimeError("went wrong")

    try:
        fail()
    except RuntimeError:
        structlog.get_logger("web").exception("request_failed")
    text = stream.getvalue()
    assert "went wrong" in text
    assert "test_logs.py" in text
    assert "open sesame" not in text


def test_chatty_libraries_are_quiet() -> None:
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    logging.getLogger("sqlalchemy.engine").info("SELECT name FROM members")
    logging.getLogger("aioice.ice").info("203.0.113.9")
    assert lines_of(stream) == []
