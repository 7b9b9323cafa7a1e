"""The connection-test page, by somebody who is not signed in, on a phone."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.person import PHONE
from tests.browser.server import RunningServer

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
