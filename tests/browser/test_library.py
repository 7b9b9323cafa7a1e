"""The library: what was looked for stays, and is in the page's address."""

import re

from playwright.async_api import Route, expect

from tests.browser.conftest import Arrive
from tests.browser.held import hold
from tests.browser.person import PHONE
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
    await expect(page.get_by_role("heading", name="没有找到")).to_be_visible()
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
    await expect(page.get_by_role("heading", name="没有找到")).to_be_visible()
    await page.goto(f"{server.url}/recordings?kind=lecture")
    await expect(link).to_be_visible()


async def test_how_much_was_found_is_said_in_one_place_that_stays(
    arrive: Arrive, server: RunningServer
) -> None:
    await put_recording(server, server.logins["liuxi"])
    page = (await arrive("xiaohe", PHONE)).page
    await page.goto(f"{server.url}/recordings")
    results = page.get_by_test_id("results")
    await expect(results).to_have_text(re.compile(r"找到 \d+ 个录像|已列出 \d+ 个录像"))
    element = await results.element_handle()
    await page.get_by_text("更多条件").click()
    await page.get_by_label("会议类型").select_option(NEVER_HELD)
    await page.get_by_role("button", name="查找").click()
    await expect(results).to_have_text("没有找到")
    assert await results.evaluate("(now, before) => now === before", element), "a new region is not read out"
    # As the browser tells it to screen readers: a status, which is polite, with these words.
    assert await results.aria_snapshot() == "- status: 没有找到"


async def test_a_person_is_found_by_name_with_the_keyboard_and_without_choosing_an_organization(
    arrive: Arrive, server: RunningServer
) -> None:
    there = server.logins["xiulan"]
    secretary, committee = await arrive("liuxi"), await arrive("linjiang", PHONE)
    _, recording = await hold(secretary, "有她参加的会", there)
    page = committee.page
    await page.goto(f"{server.url}/recordings")
    await page.get_by_text("更多条件").click()
    person = page.get_by_role("combobox", name="参加人")
    await person.press_sequentially(there.name[-1])
    choice = page.get_by_role("option", name=there.name)
    await expect(choice).to_be_visible()
    await expect(person).to_have_attribute("aria-expanded", "true")
    await page.get_by_role("button", name="查找").click()
    assert "memberId" not in page.url, "nobody was chosen yet, which the browser says"
    await person.focus()
    for _ in range(await page.get_by_role("option").count()):
        await person.press("ArrowDown")
        if await choice.get_attribute("aria-selected") == "true":
            break
    assert await person.get_attribute("aria-activedescendant") == await choice.get_attribute("id")
    await person.press("Enter")
    await expect(person).to_have_value(there.name)
    await person.press("Enter")
    await page.wait_for_url(f"**/recordings?memberId={there.member_id}")
    await expect(page.get_by_test_id("recording-row").locator(f'a[href$="{recording}"]')).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.reload()  # the address alone
    await expect(person).to_have_value(there.name)

    elsewhere = await arrive("cuiyuan")
    found = await elsewhere.get(f"/members?query={there.name}")
    assert found["items"] == [], "of another branch nobody is found"


async def hold_loading(route: Route) -> None:
    if route.request.method != "GET":
        await route.continue_()


async def test_who_is_named_in_an_uploaded_film_stands_there_and_finds_it(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    there = server.logins["xiulan"]
    secretary, member = (await arrive("liuxi", PHONE)).page, (await arrive("xiaohe")).page
    await secretary.goto(f"{server.url}/recordings/{recording}")
    panel = secretary.get_by_test_id("persons")
    await expect(panel).to_be_visible()
    await secretary.route(f"**/api/recordings/{recording}", hold_loading)  # the second is added before
    await panel.get_by_role("combobox", name="党员").press_sequentially(there.name)
    await panel.get_by_role("option", name=there.name).click()
    await expect(panel.get_by_role("status").first).to_have_text(f"已加上{there.name}")
    await panel.get_by_label("来宾").fill("欧阳教授")
    await panel.get_by_label("来宾").press("Enter")
    await expect(panel.get_by_role("listitem")).to_have_text([there.name, "欧阳教授"])

    await member.goto(f"{server.url}/recordings?memberId={there.member_id}")
    await member.locator(f'a[href$="{recording}"]').click()
    await expect(member.get_by_test_id("film-persons")).to_have_text(f"出镜：{there.name}、欧阳教授")
    await expect(member.get_by_test_id("persons")).to_have_count(0)

    await panel.get_by_role("button", name="去掉欧阳教授").click()
    await expect(panel.get_by_role("heading", name="出镜的人")).to_be_focused()
    await expect(panel.get_by_role("listitem")).to_have_text([there.name])
