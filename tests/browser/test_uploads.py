"""A film made elsewhere comes in through the page, across what breaks on its way."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Arrive
from tests.browser.person import PHONE
from tests.browser.server import RunningServer
from tests.recordings import films

CHUNK_BYTES = 1024 * 1024  # as the page sends them


def larger(path: Path) -> Path:
    """The film, and room in it for nothing (ISO/IEC 14496-12, 8.1.2), so that it is two chunks."""
    film = films.film(path)
    with film.open("ab") as file:
        file.write(CHUNK_BYTES.to_bytes(4, "big") + b"free" + bytes(CHUNK_BYTES - 8))
    return film


async def test_a_film_arrives_though_its_server_starts_anew_behind_a_proxy(
    arrive: Arrive, server: RunningServer, tmp_path: Path
) -> None:
    film = await asyncio.to_thread(larger, tmp_path / "专题党课.mp4")
    page = (await arrive("liuxi", PHONE)).page
    offsets: list[str] = []
    waits = asyncio.Event()

    async def proxy(route: Route) -> None:
        if route.request.method != "PATCH":
            await route.continue_()
            return
        offsets.append(route.request.headers["upload-offset"])
        if len(offsets) == 2:
            await waits.wait()
            await route.fulfill(status=502, content_type="text/html", body="<h1>502 Bad Gateway</h1>")
        else:
            await route.continue_()

    await page.route("**/api/uploads/*", proxy)
    await page.goto(f"{server.url}/recordings/upload")
    await page.get_by_label("选择视频文件").set_input_files(film)
    await page.get_by_label("来宾").fill("欧阳教授")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("persons").get_by_role("listitem")).to_have_text("欧阳教授")
    async with page.expect_request(
        lambda one: one.method == "POST" and one.url.endswith("/uploads")
    ) as begun:
        await page.get_by_test_id("upload-submit").click()
    told = (await begun.value).post_data_json or {}
    assert told["durationSeconds"] == pytest.approx(2.0, abs=0.1)
    uploading = page.get_by_test_id("uploading")
    await expect(uploading).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    waits.set()
    await expect(page.get_by_test_id("phase")).to_have_text("暂时传不上去，正在自动重试。")
    await expect(uploading.get_by_role("progressbar", name="专题党课")).to_have_attribute(
        "value", re.compile("9.")
    )
    await page.wait_for_url(re.compile(r"/recordings/(?!upload)"))
    await expect(page.get_by_role("heading", name="专题党课")).to_be_visible()
    await expect(page.get_by_test_id("film-persons")).to_have_text("出镜：欧阳教授")
    assert offsets == ["0", str(CHUNK_BYTES), str(CHUNK_BYTES)]
