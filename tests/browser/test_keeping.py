"""A recording that somebody holds is deleted by nobody, and who tries is told."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.test_player import put_recording


async def test_a_recording_that_was_put_on_hold_meanwhile_cannot_be_deleted(arrive: Arrive) -> None:
    committee, district = await arrive("linjiang"), await arrive("zuzhibu")
    recording = await put_recording(committee.server, committee.server.logins["liuxi"])
    page = committee.page
    await page.goto(f"{committee.server.url}/recordings/{recording}")
    keeping = page.get_by_test_id("keeping")
    await keeping.get_by_test_id("delete").click()
    await page.fill("#keeping-reason", "误录")
    await district.post(f"/recordings/{recording}/hold", {"reason": "信访核查"})
    await page.get_by_role("dialog").get_by_role("button", name="删除录像").click()
    await expect(page.get_by_role("dialog")).to_contain_text("这个录像已被保全，不能删除。")

    await page.reload()
    await expect(keeping).to_contain_text("信访核查")
    await expect(keeping.get_by_test_id("delete")).to_have_count(0)

    secretary = await arrive("liuxi")
    await secretary.page.goto(f"{committee.server.url}/recordings/{recording}")
    await expect(secretary.page.get_by_test_id("keeping")).to_contain_text("请上级组织先解除保全")
    assert (await committee.get(f"/recordings/{recording}"))["state"] == "ready"
