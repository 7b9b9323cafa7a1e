"""Takes the pictures of README and docs anew: `python -m tests.browser.screenshots` (or `make screenshots`).

A real server, real meetings among drawn people; the pictures go to docs/images/.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import FLAGS
from tests.browser.person import DESKTOP, PHONE, Person, open_window, until
from tests.browser.server import ROOT, RunningServer, served_demo
from tests.chromium import launched

IMAGES = ROOT / "docs" / "images"
PORTRAITS = Path(__file__).with_name("portraits.js")
COLOURS = 192
TITLE = "十一月主题党日：温暖过冬"
AGENDA = "一、学习冬季农田水利与防灾知识\n二、讨论怎样帮独居老人过好冬\n三、安排十二月志愿服务"
COMPOSED_SECONDS = 180
# Pictures and names have settled after so long.
SETTLE_MS = 2500


async def keep(page: Page, name: str) -> None:
    """Write what the page shows, with few colours: a tenth of the size, and nobody sees it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    shot = Image.open(BytesIO(await page.screenshot()))
    file = IMAGES / f"{name}.png"
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    sys.stdout.write(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1000} kB\n")
    sys.stdout.flush()


async def sit_down(
    browser: Browser, server: RunningServer, username: str, portrait: str, size: ViewportSize = DESKTOP
) -> Person:
    """Open somebody's window, with a drawn person before the camera."""
    person = await open_window(browser, server, username, size)
    await person.context.add_init_script(f"window.portrait = {portrait!r}")
    await person.context.add_init_script(path=PORTRAITS)
    return person


async def take(server: RunningServer) -> None:
    """All pictures, in the order of an evening."""
    async with launched(*FLAGS) as browser:
        page = await browser.new_page(locale="zh-CN", viewport=DESKTOP)
        await page.goto(f"{server.url}/sign-in")
        await page.locator("#username").wait_for()
        await keep(page, "sign-in")

        host = await sit_down(browser, server, "liuxi", "hall")
        phone = await sit_down(browser, server, "yutong", "student", PHONE)
        others = [
            await sit_down(browser, server, username, portrait)
            for username, portrait in (("xiulan", "window"), ("deshun", "village"), ("xiaohe", "study"))
        ]
        meeting = await host.schedule(TITLE, record=True, agenda=AGENDA)
        await evening(host, phone, others, meeting)
        await afterwards(host, phone, others[0], meeting)
        await consultation(browser, server, phone)


async def evening(host: Person, phone: Person, others: list[Person], meeting: str) -> None:
    """The meeting itself."""
    await host.page.goto(f"{host.server.url}/meetings/new")
    await host.page.locator("#title").fill("十二月支部党员大会")
    await keep(host.page, "schedule")
    await host.join(meeting)
    for person in others:
        await person.join(meeting)
    await phone.page.goto(phone.server.url)
    await phone.page.get_by_test_id("live-meeting").first.wait_for()
    await keep(phone.page, "home-phone")
    await phone.page.goto(f"{phone.server.url}/meetings/{meeting}/room")
    await phone.page.get_by_test_id("self-view").wait_for()
    await phone.page.wait_for_timeout(SETTLE_MS)
    await keep(phone.page, "before-joining-phone")
    await phone.page.get_by_test_id("join-now").click()
    await phone.page.get_by_test_id("call").wait_for()
    await others[0].page.get_by_test_id("hand").click()
    await host.sees_and_hears(len(others) + 1)
    await phone.sees_and_hears(len(others) + 1)
    await settle(host, phone)
    await keep(host.page, "meeting")
    await keep(phone.page, "meeting-phone")

    await host.page.get_by_test_id("people").click()
    await host.page.get_by_test_id("screen").click()
    main = host.page.locator('[data-place="main"][data-source="screen"]')
    await expect(main.locator("video")).to_be_visible()
    await others[0].page.get_by_test_id("chat").click()
    for person, line in ((others[0], "大家好，声音很清楚。"), (others[2], "我这里也清楚，谢谢郑书记。")):
        if not await person.page.get_by_test_id("panel").is_visible():
            await person.page.get_by_test_id("chat").click()
        await person.page.get_by_test_id("chat-text").fill(line)
        await person.page.get_by_test_id("chat-send").click()
    await settle(host, others[0])
    await keep(host.page, "host")
    await keep(others[0].page, "shared-screen")


async def settle(*people: Person) -> None:
    """Let the notices at the edge go away, so that they hide nothing."""
    for person in people:
        await expect(person.page.get_by_test_id("toast")).to_have_count(0)
    await people[0].page.wait_for_timeout(SETTLE_MS)


async def afterwards(host: Person, phone: Person, member: Person, meeting: str) -> None:
    """The recording, the attendance, the cards."""
    await host.page.get_by_test_id("leave").click()
    await host.page.get_by_test_id("end-meeting").click()
    await host.page.get_by_test_id("end-screen").wait_for()
    await phone.page.goto(f"{phone.server.url}/card")
    await phone.page.get_by_test_id("card-entry").first.wait_for()
    await keep(phone.page, "card-phone")
    await host.page.goto(host.server.url)
    await host.page.get_by_test_id("meeting-row").first.wait_for()
    await keep(host.page, "home")

    await member.page.goto(f"{member.server.url}/meetings/{meeting}")
    async with asyncio.timeout(COMPOSED_SECONDS):
        await until_patiently(lambda: member.page.get_by_test_id("player").is_visible())
    player = member.page.get_by_test_id("player")
    await player.evaluate("video => { video.muted = true; return video.play() }")
    await until_patiently(lambda: player.evaluate("video => video.currentTime > 6"))
    await player.evaluate("video => video.pause()")
    await member.page.wait_for_timeout(SETTLE_MS)
    await keep(member.page, "recording")
    await host.page.goto(f"{host.server.url}/meetings/{meeting}")
    await host.page.get_by_test_id("attendance").scroll_into_view_if_needed()
    await host.page.get_by_test_id("attendance-row").first.wait_for()
    await keep(host.page, "attendance")


async def consultation(browser: Browser, server: RunningServer, phone: Person) -> None:
    """A resident's phone while waiting, and the expert's desk."""
    await phone.page.goto(f"{server.url}/consult")
    await phone.page.locator("h1").first.wait_for()
    await phone.page.wait_for_timeout(SETTLE_MS)
    await keep(phone.page, "consult-phone")
    expert = await open_window(browser, server, "yisheng")
    await expert.page.goto(f"{server.url}/desk")
    await expert.page.locator("h1").first.wait_for()
    await expert.page.wait_for_timeout(SETTLE_MS)
    await keep(expert.page, "desk")


async def until_patiently(condition: Callable[[], Awaitable[bool]]) -> None:
    """Composing takes about as long as the meeting took: wait several times as long as for anything else."""
    for last in (False, False, False, True):
        try:
            await until(condition, lambda: "the recording plays")
        except AssertionError:
            if last:
                raise
        else:
            return


def main() -> int:
    """Take them all."""
    with served_demo() as server:
        asyncio.run(take(server))
    return 0


if __name__ == "__main__":
    sys.exit(main())
