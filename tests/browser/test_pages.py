"""The pages around a meeting: signing in, scheduling, and what fits on a phone."""

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Arrive
from tests.browser.person import PHONE, open_guest_window
from tests.browser.server import RunningServer


async def test_who_signs_in_comes_to_the_first_page(browser: Browser, server: RunningServer) -> None:
    member = await open_guest_window(browser, server, server.logins["xiulan"])
    page = member.page
    await page.goto(f"{server.url}/sign-in")
    await page.fill("#username", member.login.username)
    await page.fill("#password", member.login.password)
    await page.get_by_test_id("sign-in").click()
    await page.wait_for_url(f"{server.url}/")
    assert not member.problems


async def test_a_wrong_password_says_what_to_do_and_keeps_the_name(
    browser: Browser, server: RunningServer
) -> None:
    page = (await open_guest_window(browser, server, server.logins["xiulan"])).page
    await page.goto(f"{server.url}/card")
    await page.fill("#username", "xiulan")
    await page.fill("#password", "不是这个")
    await page.get_by_test_id("sign-in").click()
    await expect(page.get_by_test_id("problem")).to_be_visible()
    assert await page.input_value("#username") == "xiulan"

    await page.fill("#password", server.logins["xiulan"].password)
    await page.get_by_test_id("sign-in").click()
    await page.wait_for_url(f"{server.url}/card")


async def test_a_secretary_schedules_a_meeting_and_members_find_it(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan", PHONE)
    await secretary.go_home()
    await secretary.page.get_by_test_id("schedule").click()
    await secretary.page.fill("#title", "冬季农田水利学习")
    await secretary.page.get_by_test_id("schedule-submit").click()
    await expect(secretary.page.get_by_test_id("meeting")).to_have_attribute("data-state", "scheduled")

    await member.go_home()
    await expect(member.page.get_by_role("link", name="冬季农田水利学习")).to_be_visible()


async def test_nothing_is_wider_than_a_phone(arrive: Arrive) -> None:
    secretary = await arrive("liuxi", PHONE)
    page = secretary.page
    for large in ("no", "yes"):
        for path in ("/", "/recordings", "/card", "/meetings/new", "/sign-in", "/consult"):
            await page.goto(secretary.server.url + path)
            await page.locator("h1").first.wait_for()
            await fits(page, f"{path} with large type: {large}")
            if large == "yes":
                await page.evaluate(
                    "document.documentElement.style.fontSize = '200%'"
                )  # by the browser's setting
                await fits(page, f"{path} at 200 %")
        await page.evaluate("localStorage.setItem('huitang.largeType', 'yes')")


async def fits(page: Page, what: str) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], what


async def test_the_language_changes_without_leaving_the_page(arrive: Arrive) -> None:
    member = await arrive("haibo")  # who is in no other test: the account keeps it
    await member.go_home()
    await member.page.get_by_test_id("account-menu").click()
    await member.page.get_by_role("menuitem", name="English").click()
    await expect(member.page.get_by_role("link", name="Recordings")).to_be_visible()
