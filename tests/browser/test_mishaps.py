"""What goes wrong with a recording is told to those who can do something about it, and what they do helps."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Route, expect

from recordings.folders import SOURCE_FOLDER, SOURCE_NAME, Folders
from recordings.losses import Loss, losses_out
from recordings.states import Failure, RecordingState
from tests.browser.conftest import Arrive
from tests.browser.held import hold, set_recording
from tests.browser.person import PHONE, open_window
from tests.browser.server import RunningServer, running_server
from tests.browser.test_player import put_recording, write_pictures
from tests.demo import Demo

MORE_THAN_ANY_DISK_HAS = str(2**40)  # MiB


async def break_recording(server: RunningServer, recording: str) -> None:
    """Its film lacks something, and what it was made of is there: short, because all its sizes are made of it."""
    source = Folders(server.data / "recordings").of(recording) / SOURCE_FOLDER
    source.mkdir()
    await asyncio.to_thread(write_pictures, source / SOURCE_NAME, 2)
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
    await expect(notice).to_contain_text("录像不完整：专题党课")
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
        recording = (await committee.get(f"/meetings/{meeting}"))["recordingId"]
        await page.goto(f"{server.url}/recordings/{recording}")
        place = page.get_by_test_id("recording")
        await expect(place).to_contain_text("录制暂时中断：服务器的磁盘满了")
        await expect(place).to_contain_text("会自动接着录")
        await expect(page.get_by_test_id("keeping")).to_be_visible()
        await expect(page.get_by_test_id("delete")).to_have_count(0)
        await page.goto(f"{server.url}/recordings")
        await expect(page.get_by_test_id("recording-row").first).to_contain_text("录制中断")


async def test_what_a_film_lacks_is_said_in_words_and_of_an_upload_nobody_says_that_it_was_recorded(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    broken = {"state": RecordingState.DAMAGED, "failure": Failure.CAPTURE_UNREADABLE}
    upload = losses_out(
        [
            Loss(SOURCE_NAME, SOURCE_FOLDER, "it ends early", 95.0),
            Loss(SOURCE_NAME, "sound", "damaged", 6.0),
        ]
    )
    await set_recording(server, recording, **broken, losses=upload)
    page = (await arrive("xiaohe", PHONE)).page
    await page.goto(f"{server.url}/recordings/{recording}")
    note, lacks = page.get_by_test_id("damaged"), page.get_by_test_id("lacks")
    await expect(note.get_by_role("status")).to_have_text(
        "视频可以观看，但不完整：上传的文件不完整或者有损坏，请换一个完好的文件重新上传。"
    )
    await expect(lacks.get_by_role("listitem")).to_have_text(
        ["视频的末尾：缺约 2 分钟", "视频的声音：缺约 6 秒"]
    )

    captured = losses_out(
        [
            Loss("segment-0001/1", "microphone", "damaged", 4.2, "陈秀兰"),
            Loss("segment-0001/2", "camera", "SIGSEGV", name="欧阳建国（临江镇流动党员）"),
            Loss("segment-0001/3", "screen", "damaged", 75.0, "刘书记", ((1.0, 2.0), (2.5, 3.0))),
            Loss("segment-0001/4", "camera", "damaged", 2.0),
        ]
    )
    await set_recording(server, recording, losses=captured, uploader_account_id=None)
    await page.reload()
    await expect(note.get_by_role("status")).to_have_text(
        "录像可以观看，但不完整：录下的内容有损坏，无法全部读取。"
    )
    await expect(lacks.get_by_role("listitem").first).to_be_hidden()
    summary = lacks.get_by_text("缺了这些（4 处）")
    await summary.focus()
    await page.keyboard.press("Enter")
    await expect(lacks.get_by_role("listitem")).to_have_text(
        [
            "欧阳建国（临江镇流动党员）的画面：全部或大部分没有", "刘书记共享的屏幕：缺约 1 分钟 0:010:02",
            "陈秀兰的声音：缺约 4 秒", "有人的画面：缺约 2 秒",
        ]
    )  # fmt: skip
    await expect(lacks.get_by_role("listitem").last).to_be_visible()
    await lacks.get_by_role("button", name=re.compile("^跳到 1秒钟?，刘书记")).click()
    bar = page.get_by_test_id("seek")
    await expect(bar).to_have_value("1")
    await expect(bar).to_have_attribute("aria-valuetext", re.compile("，这里缺刘书记共享的屏幕$"))
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


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
