"""A film that browsers fetch from a store of another origin, with addresses that the server signs for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Response

from recordings.folders import Folders
from tests.browser.person import open_guest_window, until
from tests.browser.server import RunningServer, running_server
from tests.browser.test_player import position
from tests.browser.test_sizes import plays_on, put_stream
from tests.demo import Demo
from tests.ports import reserved_port
from tests.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server

SETTINGS = {
    "BUCKET": BUCKET, "ACCESS_KEY": ACCESS_KEY, "SECRET_KEY": SECRET_KEY, "KEEP_LOCAL": "false", "SERVE": "signed",
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Server]:
    with reserved_port() as port:
        server = S3Server(tmp_path / "store", port)
        yield server
        server.kill()


async def test_a_film_is_played_from_the_store_itself(
    browser: Browser, demo: Demo, store: S3Server, tmp_path: Path
) -> None:
    """As a stream where the bucket allows the pages of this origin what docs/recordings.md asks for; else as a file."""
    settings = SETTINGS | {"ENDPOINT_URL": store.url}
    named = {f"HUITANG_STORAGE__{name}": value for name, value in settings.items()}
    with running_server(tmp_path, demo, **named) as server:
        store.allowed_origin = server.url
        await store.start()
        recording = await put_stream(server, 90)
        await carried(server, recording)
        page, answers = await watching(browser, server, store, server.url, recording)
        pieces = {status for name, status in answers if name.endswith(".m4s")}
        assert pieces == {206}, answers
        assert "meeting.mp4" not in {name for name, _ in answers}
        at = await position(page)
        await page.get_by_test_id("quality").select_option("sound")
        await plays_on(page, at)
        assert ("sound.m4a", 206) in answers
        await page.close()

        elsewhere = server.url.replace("127.0.0.1", "localhost")
        page, answers = await watching(browser, server, store, elsewhere, recording)
        assert ("meeting.mp4", 206) in answers


async def carried(server: RunningServer, recording: str) -> None:
    """Wait until the store has it and the disk is free of it."""
    film = Folders(server.data / "recordings").film(recording)

    async def gone() -> bool:
        return not film.exists()

    await until(gone, lambda: "the film is in the store alone")


async def watching(
    browser: Browser, server: RunningServer, store: S3Server, origin: str, recording: str
) -> tuple[Page, list[tuple[str, int]]]:
    """Signed in at a page of this origin, where the film plays; and what the store answered to it, by name."""
    login = server.logins["xiaohe"]
    person = await open_guest_window(browser, server, login)
    answers: list[tuple[str, int]] = []

    def note(response: Response) -> None:
        if response.url.startswith(store.url):
            answers.append((response.url.split("?")[0].rpartition("/")[2], response.status))

    person.page.on("response", note)
    credentials = {"username": login.username, "password": login.password}
    signed_in = await person.page.request.post(
        f"{origin}/api/session", data=credentials, headers={"Origin": origin}
    )
    assert signed_in.ok
    await person.page.goto(f"{origin}/recordings/{recording}")
    await person.page.get_by_test_id("player").evaluate("video => { video.muted = true }")
    await person.page.get_by_test_id("play").click()
    await plays_on(person.page)
    return person.page, answers
