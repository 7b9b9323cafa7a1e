"""A lost signaling connection is not leaving: pictures and voices go on, and the same participant comes back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.conftest import Arrive
from tests.browser.person import PHONE, open_window
from tests.browser.server import running_server
from tests.demo import Demo

CUT_SECONDS = 10
LONG_SECONDS = 30  # more than the client calls long


async def test_a_websocket_cut_for_ten_seconds_keeps_media_flowing_and_resumes_the_same_participant(
    arrive: Arrive,
) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("断线十秒")
    await secretary.join(meeting)
    await member.join(meeting)
    await asyncio.gather(secretary.sees_and_hears(1), member.sees_and_hears(1))
    identity = await member.peer_id()

    await member.cut()
    notice = member.page.get_by_test_id("line-notice")
    await expect(notice).to_contain_text("正在自动重新连接，请稍等，不用退出")
    tile = secretary.page.locator(f'[data-testid="tile"][data-peer-id="{identity}"]')
    await expect(tile).to_contain_text("正在重新连接")
    await asyncio.gather(secretary.sees_and_hears(1), member.sees_and_hears(1))
    await asyncio.sleep(CUT_SECONDS)  # the length of the cut is what is tested
    await member.mend()

    await expect(notice).to_have_text("")
    await expect(tile).not_to_contain_text("正在重新连接")
    assert await member.peer_id() == identity
    await asyncio.gather(secretary.sees_and_hears(1), member.sees_and_hears(1))
    await expect(secretary.page.get_by_test_id("tile")).to_have_count(2)


async def test_buttons_pressed_during_a_cut_hold_after_it(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("断线时静音")
    await secretary.join(meeting)
    await member.join(meeting)
    await secretary.sees_and_hears(1)

    await member.cut()
    notice = member.page.get_by_test_id("line-notice")
    await expect(notice).to_contain_text("网络断开")
    await member.page.get_by_test_id("microphone").click()
    await member.mend()
    await expect(notice).to_have_text("")

    tile = secretary.page.get_by_test_id("tile").filter(has_text=member.login.name)
    await expect(tile.get_by_label("已静音")).to_be_visible()


async def test_who_cannot_wait_has_the_line_tried_at_once(arrive: Arrive) -> None:
    """His page's clock stands when he presses: no pause ends by itself."""
    secretary, member = await arrive("liuxi"), await arrive("xiulan", PHONE)
    meeting = await secretary.schedule("等不及")
    await secretary.join(meeting)
    await member.page.clock.install()
    await member.join(meeting)
    await member.sees_and_hears(1)
    identity = await member.peer_id()

    await member.cut()
    notice, again = member.page.get_by_test_id("line-notice"), member.page.get_by_test_id("line-again")
    await expect(notice).to_contain_text("正在自动重新连接，请稍等，不用退出")
    await expect(again).to_have_count(0)
    await member.page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=LONG_SECONDS))
    await expect(notice).to_contain_text("还没有连上，会一直自动重试")
    await again.click()  # in vain: the line is still away
    await expect(again).to_have_count(0)
    await expect(notice).to_contain_text("正在自动重新连接，请稍等，不用退出")
    await member.page.clock.run_for(1000 * LONG_SECONDS)
    await member.mend()
    await expect(notice).to_contain_text("还没有连上")
    await again.focus()
    await member.page.keyboard.press("Enter")
    await expect(notice).to_have_text("")
    await member.page.clock.resume()
    assert await member.peer_id() == identity
    await asyncio.gather(secretary.sees_and_hears(1), member.sees_and_hears(1))


async def test_after_a_crash_of_the_server_everybody_is_back_by_himself(
    browser: Browser, tmp_path: Path, demo: Demo
) -> None:
    with running_server(tmp_path, demo) as server:
        people = [await open_window(browser, server, username) for username in ("liuxi", "xiulan")]
        meeting = await people[0].schedule("服务器中断")
        for person in people:
            await person.join(meeting)
        await asyncio.gather(*(person.sees_and_hears(1) for person in people))

        identities = [await person.peer_id() for person in people]

        await asyncio.to_thread(server.kill_and_restart)

        for person, identity in zip(people, identities, strict=True):
            call = person.page.get_by_test_id("call")
            await expect(call).not_to_have_attribute("data-peer-id", identity)
        for person in people:
            await expect(person.page.get_by_test_id("tile")).to_have_count(2)
        await asyncio.gather(*(person.sees_and_hears(1) for person in people))
        for person in people:
            assert not person.problems
            await person.context.close()
