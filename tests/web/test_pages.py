"""The browser client's files over HTTP."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from web.pages import ClientPages

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """What Vite leaves."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>会堂</title>")
    (folder / "manifest.json").write_text("{}")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc.js").write_text("let a = 1")
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"let a = 1"))
    (folder / ".env").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return folder


@pytest.fixture
async def client(dist: Path) -> AsyncIterator[Client]:
    app = web.Application()
    ClientPages(dist).add_routes(app)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/meetings", "/meetings/abc/room", "/stations/1"])
async def test_every_page_is_the_index_and_is_asked_for_again(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "会堂" in await answer.text()


@pytest.mark.parametrize(
    ("path", "content_type", "caching"),
    [
        ("/assets/index-abc.js", "application/javascript", "public, max-age=31536000, immutable"),
        ("/favicon.svg", "image/svg+xml", "public, max-age=86400"),
        ("/manifest.json", "application/json", "no-cache"),
    ],
)
async def test_files_are_kept_as_long_as_they_may(
    client: Client, path: str, content_type: str, caching: str
) -> None:
    answer = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert (answer.status, answer.content_type) == (200, content_type)
    assert answer.headers["Cache-Control"] == caching


async def test_what_the_build_compressed_is_sent_compressed(client: Client) -> None:
    answer = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await answer.read()) == b"let a = 1"
    plain = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert await plain.read() == b"let a = 1"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-old.js",
        "/missing.png",
        "/.env",
        "/%2e%2e/outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "/..%5coutside.txt",
        "/assets//index-abc.js",
        "/a%00.js",
    ],
)
async def test_what_is_not_there_is_not_a_page(client: Client, path: str) -> None:
    url = client.make_url("/").with_path(path, encoded=True)
    async with ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404
        assert "secret" not in await answer.text()


@pytest.mark.parametrize("path", ["/api", "/api/unknown", "/socket.io/x", "/metrics", "/healthz"])
async def test_calls_are_never_answered_with_a_page(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_names_that_only_begin_like_a_call_are_pages(client: Client) -> None:
    assert (await client.get("/apidocs")).status == 200


async def test_a_client_that_was_not_built_is_a_sentence(tmp_path: Path) -> None:
    app = web.Application()
    ClientPages(tmp_path / "none").add_routes(app)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/")
        assert answer.status == 503
        assert "make setup" in await answer.text()
