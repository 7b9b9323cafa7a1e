"""The connection-test page: by somebody who is not signed in, on a phone, and by a member where there is a relay."""

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.person import DESKTOP, PHONE, open_window
from tests.browser.server import RunningServer, running_server
from tests.coturn import COTURN, SECRET, running_coturn
from tests.demo import Demo
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_stranger_learns_what_works_and_has_a_text_to_send(
    browser: Browser, server: RunningServer
) -> None:
    page = await browser.new_page(locale="zh-CN", viewport=PHONE)
    await page.goto(f"{server.url}/sign-in")
    await page.get_by_role("link", name="检测连接").click()
    await page.get_by_test_id("start-test").click()
    verdict = page.get_by_test_id("verdict")
    await expect(verdict).to_be_visible()
    states = {
        name: await page.get_by_test_id(f"step-{name}").get_attribute("data-state")
        for name in ("browser", "secure", "devices", "server", "udp", "tcp", "relay")
    }
    assert states == {
        "browser": "good",
        "secure": "good",
        "devices": "good",
        "server": "good",
        "udp": "good",
        "tcp": "good",
        "relay": "skipped",
    }
    # What was measured depends on the machine; that it was measured does not.
    assert await page.get_by_test_id("step-quality").get_attribute("data-state") in {"good", "warn"}
    assert "kbit/s" in await page.get_by_test_id("step-quality").inner_text()
    assert await verdict.get_attribute("data-state") in {"good", "warn"}
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.locator("summary").click()
    assert "UDP" in await page.get_by_test_id("report").inner_text()
    assert await page.get_by_test_id("spoken").inner_text()
    await page.close()


@pytest.mark.skipif(not COTURN.exists(), reason="coturn is not installed")
async def test_a_member_sends_and_receives_through_the_relay(
    browser: Browser, tmp_path: Path, demo: Demo
) -> None:
    with running_coturn(tmp_path) as coturn:
        ice = {
            "HUITANG_ICE__URLS": json.dumps([f"turn:127.0.0.1:{coturn.port}?transport=udp"]),
            "HUITANG_ICE__SECRET": SECRET,
        }
        with running_server(tmp_path / "relay", demo, **ice) as server:
            member = await open_window(browser, server, "xiulan", DESKTOP)
            await member.page.goto(f"{server.url}/connection-test")
            await member.page.get_by_test_id("start-test").click()
            await expect(member.page.get_by_test_id("verdict")).to_be_visible()
            states = {
                way: await member.page.get_by_test_id(f"step-{way}").get_attribute("data-state")
                for way in ("udp", "tcp", "relay")
            }
            assert states == {"udp": "good", "tcp": "good", "relay": "good"}
            await member.context.close()
            # The relay counts a session when it is over.
            async with asyncio.timeout(PATIENCE_SECONDS):
                while coturn.relayed_bytes() < 20_000:  # noqa: ASYNC110 - another process's log
                    await asyncio.sleep(0.1)
