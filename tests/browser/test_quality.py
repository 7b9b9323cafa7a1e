"""Whom a host should help, and with what, at a desk and on a phone."""

import pytest
from playwright.async_api import ViewportSize, expect

from tests.browser.conftest import Arrive
from tests.browser.person import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_host_reads_who_has_trouble_and_what_helps(arrive: Arrive, size: ViewportSize) -> None:
    secretary, member = await arrive("liuxi", size), await arrive("xiulan")
    meeting = await secretary.schedule("网络情况")
    await secretary.join(meeting)
    await member.join(meeting)
    identity = await member.peer_id()
    await expect(member.page.get_by_test_id("quality")).to_have_count(0)  # it is the host's

    await secretary.page.get_by_test_id("quality").click()
    row = secretary.page.locator(f'[data-testid="trouble"][data-peer-id="{identity}"]')
    await member.unplug_microphone()
    await expect(row.locator('[data-trouble="microphoneSilent"]')).to_contain_text("麦克风开着，但没有声音")
    await expect(row).to_contain_text("建议检查麦克风是否插好")

    await member.page.get_by_test_id("microphone").click()  # off is no trouble
    await expect(row.locator('[data-trouble="microphoneSilent"]')).to_have_count(0)
    await member.cut()
    await expect(row.locator('[data-trouble="reconnecting"]')).to_contain_text("正在自动重连")
    assert await secretary.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
