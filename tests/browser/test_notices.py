"""What comes to people by itself: the bell with what waits for them, and short words at the edge of a call."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import ViewportSize, expect

from tests.browser.conftest import Arrive
from tests.browser.person import DESKTOP, PHONE


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_new_invitation_rings_and_leads_to_its_meeting(arrive: Arrive, size: ViewportSize) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan", size)
    title = f"通知里的会议（{size['width']}）"
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    meeting = await secretary.schedule(
        title, startsAt=tomorrow.isoformat(), endsAt=(tomorrow + timedelta(hours=1)).isoformat()
    )
    await member.go_home()
    page = member.page
    count = page.get_by_test_id("notice-count")
    await expect(count).to_be_visible()
    async with page.expect_response("**/notices/seen") as seen:
        await page.get_by_test_id("notice-bell").click()
    assert (await seen.value).ok
    notice = page.get_by_test_id("notice").filter(has_text=title)
    await expect(notice).to_contain_text(f"邀请您参加：{title}")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(count).to_have_count(0)
    await notice.get_by_role("link").click()
    await page.wait_for_url(f"**/meetings/{meeting}")
    await expect(notice).to_be_hidden()
    await page.reload()
    await expect(page.get_by_test_id("notice-bell")).to_be_visible()
    await expect(count).to_have_count(0)
    elsewhere = await arrive("xiulan")  # read on the phone, it is not new on the computer
    await elsewhere.go_home()
    told = (await elsewhere.get("/members/me/notices"))["items"]
    assert [one["seen"] for one in told if one["subjectId"] == meeting] == [True]
    await elsewhere.page.get_by_test_id("notice-bell").click()
    await expect(elsewhere.page.get_by_test_id("notice").filter(has_text=title)).to_be_visible()


async def test_the_bell_is_read_and_left_by_the_keyboard(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("deshun")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await secretary.schedule(
        "用键盘读通知", startsAt=tomorrow.isoformat(), endsAt=(tomorrow + timedelta(hours=1)).isoformat()
    )
    await member.go_home()
    bell, notices = member.page.get_by_test_id("notice-bell"), member.page.get_by_test_id("notice")
    await expect(member.page.get_by_test_id("notice-count")).to_be_visible()
    await bell.press("Enter")
    await expect(notices.first).to_be_visible()
    await bell.press("Tab")
    await expect(notices.first.get_by_role("link")).to_be_focused()
    await member.page.keyboard.press("Escape")
    await expect(notices.first).to_be_hidden()
    await expect(bell).to_be_focused()
    await bell.press("Enter")
    await expect(notices.first).to_be_visible()
    await bell.press("Shift+Tab")
    await expect(notices.first).to_be_hidden()


async def test_a_word_about_who_came_in_leaves_the_header_of_a_phone_free(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi", PHONE), await arrive("xiulan")
    meeting = await secretary.schedule("谁来了")
    await secretary.join(meeting)
    await member.join(meeting)
    toast = secretary.page.get_by_test_id("toast").filter(has_text=member.login.name)
    await expect(toast).to_be_visible()
    header = await secretary.page.get_by_test_id("call").locator("header").bounding_box()
    place = await toast.bounding_box()
    assert header is not None
    assert place is not None
    assert place["y"] >= header["y"] + header["height"]
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= PHONE["width"]
