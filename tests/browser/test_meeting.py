"""A branch meets in real browsers: three people see and hear each other."""

import asyncio
import re

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.person import PHONE, Person, until

FRAMES_LONG_AFTER_THE_FIRST_KEY_FRAME = 30
HALF_A_MINUTE_MS = 30_000


async def test_three_people_see_and_hear_each_other_and_the_cards_tell_of_it(arrive: Arrive) -> None:
    secretary, member, on_phone = (
        await arrive("liuxi"),
        await arrive("xiulan"),
        await arrive("deshun", PHONE),
    )
    meeting = await secretary.schedule("三人的主题党日")

    await secretary.join(meeting)
    await asyncio.gather(member.join(meeting), on_phone.join(meeting))
    await asyncio.gather(*(person.sees_and_hears(2) for person in (secretary, member, on_phone)))

    await sends_its_voice_with_every_protection(secretary)

    await secretary.page.get_by_test_id("leave").click()
    await secretary.page.get_by_test_id("end-meeting").click()
    for person in (secretary, member, on_phone):
        await expect(person.page.get_by_test_id("end-screen")).to_have_attribute("data-ending", "ended")

    for person in (secretary, member, on_phone):
        await person.page.goto(f"{person.server.url}/card")
        newest = person.page.get_by_test_id("card-entry").first
        await expect(newest).to_contain_text("三人的主题党日")
        await expect(newest).to_have_attribute("data-kind", "meeting_attended")

    await secretary.page.goto(f"{secretary.server.url}/meetings/{meeting}")
    rows = secretary.page.get_by_test_id("attendance-row")
    await expect(rows.filter(has_text=secretary.login.name)).to_have_attribute("data-state", "present")
    # The others came seconds after the start of a meeting of seconds: how much of it is a matter of luck.
    await expect(rows.filter(has_text=member.login.name)).to_contain_text("在线")


async def sends_its_voice_with_every_protection(person: Person) -> None:
    """In-band FEC, DTX and redundancy, which arrive as copies of what came already."""
    answer = str(await person.page.evaluate("measured.voiceAnswer()"))
    (redundant,) = re.findall(r"a=rtpmap:(\d+) red/48000/2", answer)
    assert re.match(rf"m=audio \d+ \S+ {redundant} ", answer)
    assert "useinbandfec=1" in answer
    assert "usedtx=1" in answer

    async def copies() -> bool:
        return any(peer["microphone"]["copies"] > 0 for peer in (await person.received()).values())

    await until(copies, lambda: "copies of frames arrive")


async def test_a_late_joiner_sees_moving_pictures_at_once(arrive: Arrive) -> None:
    secretary, late = await arrive("liuxi"), await arrive("xiaohe")
    meeting = await secretary.schedule("有人晚到")
    await secretary.join(meeting)

    async def long_sending() -> bool:
        return await secretary.frames_sent() > FRAMES_LONG_AFTER_THE_FIRST_KEY_FRAME

    await until(long_sending, lambda: "the secretary's camera sends")
    await late.join(meeting)
    await late.sees_and_hears(1)


async def test_a_camera_rests_when_nobody_has_looked_for_a_while_and_whoever_comes_then_sees_it(
    arrive: Arrive,
) -> None:
    secretary, late = await arrive("liuxi"), await arrive("xiaohe")
    await secretary.page.clock.install()
    meeting = await secretary.schedule("先来的一个人")
    await secretary.join(meeting)

    async def sends_the_smallest_alone() -> bool:
        return await secretary.sizes_sent() == 1

    async def rests() -> bool:
        return await secretary.sizes_sent() == 0

    await until(sends_the_smallest_alone, lambda: "the server has told that nobody looks")
    await secretary.page.clock.fast_forward(HALF_A_MINUTE_MS)
    await until(rests, lambda: "nothing is sent for nobody")
    await late.join(meeting)
    await late.sees_and_hears(1)


async def test_who_comes_before_the_host_waits_and_is_let_in_by_itself(arrive: Arrive) -> None:
    secretary, early = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("有人早到")

    await early.page.goto(early.server.url)
    await early.page.locator(f'[data-meeting-id="{meeting}"]').get_by_test_id("join").click()
    await early.page.get_by_test_id("join-now").click()
    await expect(early.page.get_by_test_id("waiting")).to_have_attribute("data-phase", "notBegun")
    await secretary.join(meeting)
    await early.page.get_by_test_id("call").wait_for()
    await early.sees_and_hears(1)


async def test_who_opens_a_meeting_twice_is_told_of_the_other_window(arrive: Arrive) -> None:
    member = await arrive("xiulan", PHONE)
    secretary = await arrive("liuxi")
    meeting = await secretary.schedule("两个窗口")
    await secretary.join(meeting)
    await member.join(meeting)
    second = await member.context.new_page()
    await second.goto(f"{member.server.url}/meetings/{meeting}/room")
    notice = second.get_by_test_id("elsewhere")
    await expect(notice).to_contain_text("另一个窗口")
    await member.page.get_by_test_id("leave").click()
    await expect(member.page.get_by_test_id("end-screen")).to_be_visible()
    await expect(notice).to_have_count(0)
