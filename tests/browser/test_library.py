"""The library: what was looked for stays, and is in the page's address."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.server import RunningServer
from tests.browser.test_player import put_recording

# No test here holds or records such a meeting, and all of a worker's share one server.
NEVER_HELD = "democratic_appraisal"


async def test_who_goes_back_from_a_recording_finds_what_was_looked_for(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    person = await arrive("xiaohe")
    page = person.page
    await page.goto(f"{server.url}/recordings")
    await page.get_by_text("更多条件").click()
    await page.get_by_label("会议类型").select_option(NEVER_HELD)
    await page.get_by_role("button", name="查找").click()
    await expect(page.get_by_text("没有找到")).to_be_visible()
    await page.get_by_label("会议类型").select_option("lecture")
    await page.get_by_role("button", name="查找").click()
    link = page.get_by_test_id("recording-row").locator(f'a[href$="{recording}"]')
    await link.click()
    await expect(page.get_by_test_id("player")).to_be_visible()

    await page.go_back()
    await expect(page.get_by_label("会议类型")).to_have_value("lecture")
    await expect(link).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("会议类型")).to_have_value(NEVER_HELD)
    await expect(page.get_by_text("没有找到")).to_be_visible()
    await page.goto(f"{server.url}/recordings?kind=lecture")
    await expect(link).to_be_visible()
