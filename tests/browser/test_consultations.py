"""Consultations in real browsers: a resident on a phone, the expert at the desk, the screen of a station."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from rooms.consultations.states import ServiceKind
from rooms.demo import STATIONS
from tests.browser.conftest import Arrive
from tests.browser.person import FULL_SCREEN, PHONE, Person, guest, open_guest_window
from tests.browser.server import RunningServer
from tests.browser.test_hands import walk

OUTCOME = "多喝水，按时吃药。"
SCREEN = ViewportSize(width=1920, height=1080)


@pytest_asyncio.fixture(loop_scope="session")
async def resident(browser: Browser, server: RunningServer) -> AsyncIterator[Person]:
    """A resident with a phone."""
    person = await open_guest_window(browser, server, guest("王大爷"), PHONE)
    yield person
    await person.context.close()
    assert not person.problems


async def on_duty(expert: Person) -> None:
    """The expert opens the desk and is on duty."""
    await expert.page.goto(f"{expert.server.url}/desk")
    switch = expert.page.get_by_test_id("duty")
    await switch.wait_for()
    await press(expert.page, "duty")
    await expect(switch).to_have_attribute("aria-checked", "true")
    await expect(switch).to_be_focused()


async def press(page: Page, target: str) -> None:
    """By the keyboard alone."""
    await walk(page, target)
    await page.keyboard.press("Enter")


async def miss(expert: Person, resident: Person) -> None:
    """The expert calls one who does not come; both go on by the keyboard where they are."""
    await expect(expert.page.get_by_test_id("call-next")).to_be_enabled()
    await press(expert.page, "call-next")
    await expert.page.get_by_test_id("call").wait_for()
    await press(expert.page, "missed")
    await expect(expert.page.get_by_test_id("call")).to_be_hidden()
    await expect(expert.page.get_by_role("heading", level=1)).to_be_focused()
    await expect(resident.page.get_by_role("heading", level=2)).to_be_focused()
    await press(resident.page, "again")
    await expect(resident.page.get_by_role("heading", level=2)).to_be_focused()


async def ticket_of(resident: Person, kind: ServiceKind) -> str:
    """The resident takes a ticket for a service; answers its number as it is shown."""
    page = resident.page
    await page.goto(f"{resident.server.url}/consult")
    await page.get_by_test_id(f"service-{kind}").click()
    await page.get_by_test_id("resident-name").fill(resident.login.name)
    await page.get_by_test_id("take-ticket").click()
    return await page.get_by_test_id("ticket-number").inner_text()


async def talk(expert: Person, resident: Person) -> None:
    """The expert calls, the resident comes; both see and hear each other."""
    await expert.page.get_by_test_id("call-next").click()
    await resident.page.get_by_test_id("answer").click()
    for person in (expert, resident):
        await person.page.get_by_test_id("call").wait_for()
    await asyncio.gather(expert.sees_and_hears(1), resident.sees_and_hears(1))


async def finish(expert: Person) -> None:
    """The expert writes the outcome and ends the talk; the desk is free again."""
    await expert.page.get_by_test_id("outcome-note").fill(OUTCOME)
    await expert.page.get_by_test_id("finish").click()
    await expect(expert.page.get_by_test_id("call-next")).to_be_visible()


async def rate(page: Page) -> int:
    """Give five stars through the page, then the same once more past it; answers the status of the latter."""
    await page.get_by_test_id("star-5").click()
    async with page.expect_request("**/rating") as sent:
        await page.get_by_test_id("send-rating").click()
    await expect(page.get_by_test_id("rated")).to_be_visible()
    request = await sent.value
    again = await page.request.post(request.url, data={"stars": 5}, headers=request.headers)
    return again.status


async def test_a_resident_on_a_phone_talks_with_the_doctor_reads_the_outcome_and_gives_stars_once(
    arrive: Arrive, resident: Person
) -> None:
    doctor = await arrive("yisheng")
    await on_duty(doctor)
    number = await ticket_of(resident, ServiceKind.MEDICAL)
    assert number.isdigit()
    await talk(doctor, resident)
    await expect(doctor.page.get_by_test_id("current-state")).to_be_visible()
    for tool in ("people", "hand"):  # of a meeting
        await expect(doctor.page.get_by_test_id(tool)).to_have_count(0)
    await the_call_fills_the_screen_and_gives_it_back(doctor.page)
    await each_is_told_that_the_other_hung_up(doctor, resident)
    await finish(doctor)
    await expect(resident.page.get_by_test_id("outcome")).to_have_text(OUTCOME)
    assert await rate(resident.page) == 409
    await expect(resident.page.get_by_test_id("send-rating")).to_have_count(0)


async def the_call_fills_the_screen_and_gives_it_back(page: Page) -> None:
    """The call alone, though beside the notices it is a part of the page."""
    call, button = page.get_by_test_id("call"), page.get_by_test_id("full-screen")
    small = await call.bounding_box()
    await button.click()
    await expect(page.locator(FULL_SCREEN)).to_have_count(1)
    width, height = await page.evaluate("[innerWidth, innerHeight]")
    assert await call.bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}
    await button.click()
    await expect(page.locator(FULL_SCREEN)).to_have_count(0)
    assert await call.bounding_box() == small


async def each_is_told_that_the_other_hung_up(doctor: Person, resident: Person) -> None:
    """The doctor hangs up, comes back by loading the page anew with a note half written; then the resident goes."""
    note = doctor.page.get_by_test_id("outcome-note")
    await note.fill("多喝")
    await doctor.page.get_by_test_id("leave").click()
    companion = resident.page.get_by_test_id("companion")
    await expect(companion).to_have_attribute("data-what", "left")
    await resident.cut()
    await expect(companion).not_to_have_attribute("data-what", "left")
    await resident.mend()
    await expect(companion).to_have_attribute("data-what", "left")  # and not that it is about to come
    await doctor.page.reload()
    await expect(note).to_have_value("多喝")
    await expect(companion).not_to_have_attribute("data-what", "left")
    await resident.page.get_by_test_id("leave").click()
    await expect(doctor.page.get_by_test_id("companion")).to_have_attribute("data-what", "left")


async def test_a_consultation_given_by_a_member_is_on_the_card(arrive: Arrive, resident: Person) -> None:
    agronomist = await arrive("nongji")
    before = (await agronomist.get("/members/me/card"))["items"]
    await on_duty(agronomist)
    await ticket_of(resident, ServiceKind.FARMING)
    await miss(agronomist, resident)
    await ticket_of(resident, ServiceKind.FARMING)
    await talk(agronomist, resident)
    await finish(agronomist)
    after = (await agronomist.get("/members/me/card"))["items"]
    known = {entry["id"] for entry in before}
    (added,) = [entry for entry in after if entry["id"] not in known]
    assert added["kind"] == "consultation_given"
    assert added["durationSeconds"] >= 0
    assert resident.login.name not in added["title"], "whom one advised is nobody else's business"


async def test_a_screen_becomes_a_station_by_its_key_and_shows_what_that_offers(
    browser: Browser, server: RunningServer
) -> None:
    station = next(one for one in STATIONS if ServiceKind.FARMING not in one.services)
    screen = await open_guest_window(browser, server, guest("屏幕"), SCREEN)
    page = screen.page
    await page.goto(f"{server.url}/station")
    await page.get_by_test_id("station-key").fill("WRON-GKEY-2345-6789")
    await page.get_by_test_id("pair").click()
    await expect(page.locator("#station-key-wrong")).not_to_be_empty()
    await page.get_by_test_id("station-key").fill(station.key.lower())
    await press(page, "pair")
    await expect(page.get_by_role("heading", level=2)).to_be_focused()
    for _ in range(2):
        await expect(page.get_by_role("heading", level=1)).to_have_text(station.name)
        for kind in ServiceKind:
            shown = 1 if kind in station.services else 0
            await expect(page.get_by_test_id(f"service-{kind}")).to_have_count(shown)
        await page.reload()  # a screen that was switched off is still the station
    await screen.context.close()
    assert not screen.problems
