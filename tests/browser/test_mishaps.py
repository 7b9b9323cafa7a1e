"""What goes wrong with a recording is told to those who can do something about it, and what they do helps."""

import asyncio
import shutil
from pathlib import Path

from playwright.async_api import Browser, Route, expect

from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, Folders
from recordings.states import Failure, RecordingState
from tests.browser.conftest import Arrive
from tests.browser.held import hold, set_recording
from tests.browser.person import PHONE, open_window
from tests.browser.server import RunningServer, running_server
from tests.browser.test_player import put_recording
from tests.demo import Demo

MORE_THAN_ANY_DISK_HAS = str(2**40)  # MiB


async def break_recording(server: RunningServer, recording: str) -> None:
    """Its film lacks something, and what it was made of is there."""
    folder = Folders(server.data / "recordings").of(recording)
    (folder / SOURCE_FOLDER).mkdir()
    await asyncio.to_thread(shutil.copy, folder / "meeting.mp4", folder / SOURCE_FOLDER / SOURCE_NAME)
    await set_recording(server, recording, state=RecordingState.DAMAGED, failure=Failure.COMPOSITION_FAILED)


async def test_an_officer_above_hears_of_a_damaged_recording_and_has_it_made_anew_at_the_same_place(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    await break_recording(server, recording)
    member = await arrive("xiaohe")
    await member.page.goto(f"{server.url}/recordings/{recording}")
    await expect(member.page.get_by_test_id("recording")).to_have_attribute("data-state", "damaged")
    await expect(member.page.get_by_test_id("remake")).to_have_count(0)

    officer = await arrive("linjiang", PHONE)
    await officer.go_home()
    page = officer.page
    await page.get_by_test_id("notice-bell").click()
    notice = page.get_by_test_id("notice").filter(has=page.locator(f'a[href$="{recording}"]'))
    await expect(notice).to_contain_text("录像只保住了一部分：专题党课")
    await expect(notice).to_contain_text("可以在“录像设置”里重新制作")
    await notice.get_by_role("link").click()
    place = page.get_by_test_id("recording")
    await expect(place).to_have_attribute("data-state", "damaged")
    await page.get_by_test_id("remake-begin").focus()
    await page.keyboard.press("Enter")
    await expect(place).to_have_attribute("data-state", "composing")
    looked = asyncio.Event()

    async def later(route: Route) -> None:
        await looked.wait()
        await route.continue_()

    await page.route(
        f"**/api/recordings/{recording}", later
    )  # it may be ready before all of that was looked at
    said = page.get_by_test_id("remake").get_by_role("status")
    await expect(said).to_be_focused()
    await expect(said).to_contain_text("已开始重新制作")
    making = page.get_by_test_id("making")  # one region that stays, for screen readers
    await expect(making).to_have_text("录像正在制作，完成后会自动出现。")
    looked.set()
    await expect(place).to_have_attribute("data-state", "ready")
    await expect(making).to_have_text("录像做好了，可以观看。")
    await expect(page.get_by_test_id("player")).to_be_visible()
    await expect(said).to_contain_text("已重新制作好")
    told = (await officer.get("/members/me/notices"))["items"]
    assert [one for one in told if one["subjectId"] == recording] == []


async def test_a_capture_that_stops_is_said_in_the_call_and_to_the_committee(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    full = {"HUITANG_RECORDINGS__MINIMUM_FREE_MEBIBYTES": MORE_THAN_ANY_DISK_HAS}
    with running_server(tmp_path, demo, **full) as server:
        secretary = await open_window(browser, server, "liuxi", PHONE)
        meeting = await secretary.schedule("磁盘满了的会", record=True)
        await secretary.join(meeting)
        page = secretary.page
        stopped = page.get_by_test_id("recording-stopped")
        await expect(stopped).to_contain_text("录制已停止：服务器的磁盘满了，请联系管理员腾出空间")
        toast = page.get_by_test_id("toast").filter(has_text="服务器的磁盘满了")
        await expect(toast).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

        committee = await open_window(browser, server, "linjiang")
        await committee.go_home()
        page = committee.page
        await page.get_by_test_id("notice-bell").click()
        notice = page.get_by_test_id("notice").first
        await expect(notice).to_contain_text("会议正在进行，录制停止了：磁盘满了的会")
        await expect(notice).to_contain_text("请联系管理员腾出空间")
        await notice.get_by_role("link").click()
        await page.wait_for_url(f"**/meetings/{meeting}")


async def test_who_might_have_watched_a_deleted_recording_is_told_so_and_what_to_do(
    arrive: Arrive, server: RunningServer
) -> None:
    secretary = await arrive("liuxi")
    title = "删掉的录像"
    meeting, recording = await hold(secretary, title)
    await secretary.page.goto(f"{server.url}/recordings/{recording}")
    await secretary.page.get_by_test_id("delete").click()
    await secretary.page.fill("#keeping-reason", "画面有误")
    await secretary.page.get_by_role("dialog").get_by_role("button", name="删除录像").click()
    await secretary.page.wait_for_url(f"{server.url}/recordings")

    member = await arrive("xiaohe", PHONE)
    await member.go_home()
    page = member.page
    lost = page.get_by_test_id("missed-study")
    await expect(lost).to_contain_text(title)
    await expect(lost).to_contain_text("另行安排补学")
    await lost.get_by_role("link", name=title).click()
    for path in (f"/recordings/{recording}", f"/meetings/{meeting}"):
        await page.goto(server.url + path)
        note = page.get_by_test_id("deletion")
        await expect(note).to_contain_text(f"{secretary.login.name}于 今天")
        await expect(note).to_contain_text("画面有误")
        await expect(page.get_by_test_id("problem")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    stranger = await arrive("cuiyuan")
    await stranger.page.goto(f"{server.url}/recordings/{recording}")
    await expect(stranger.page.get_by_test_id("problem")).to_contain_text("没有找到这个录像")
    await expect(stranger.page.get_by_test_id("deletion")).to_have_count(0)


async def test_a_download_that_was_forbidden_meanwhile_says_what_to_do(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    await set_recording(server, recording, downloadable=True)
    member = await arrive("xiaohe")
    page = member.page
    await page.goto(f"{server.url}/recordings/{recording}")
    async with page.expect_download() as kept:
        await page.get_by_test_id("download").click()
    assert (await kept.value).suggested_filename == "专题党课.mp4"
    await set_recording(server, recording, downloadable=False)
    await page.get_by_test_id("download").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("请支部书记在“录像设置”里勾选“允许下载”")
    await expect(page.get_by_test_id("download")).to_have_count(0)
