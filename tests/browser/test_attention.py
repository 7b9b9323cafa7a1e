"""What asks a viewer or a participant something: whether he is still there, and whether he may be in the picture."""

from playwright.async_api import expect
from sqlalchemy import update

from database import Database, utc_now
from recordings.models import Recording, Viewing
from tests.browser.conftest import Arrive
from tests.browser.held import set_recording
from tests.browser.person import PHONE, until
from tests.browser.server import RunningServer
from tests.browser.test_player import put_recording


async def test_a_viewer_is_asked_whether_he_is_still_there_and_answers_with_one_key(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    database = Database(f"sqlite:///{server.data}/huitang.sqlite3")
    async with database.transaction() as session:
        await session.execute(update(Recording).where(Recording.id == recording).values(prompt_minutes=10))
    person = await arrive("xiaohe", PHONE)
    page = person.page
    await page.clock.install()
    await page.goto(f"{server.url}/recordings/{recording}")
    await page.get_by_test_id("player").evaluate("video => { video.muted = true }")
    await page.get_by_test_id("play").click()

    async def nearly_ten_minutes_later() -> bool:
        async with database.transaction() as session:
            mine = update(Viewing).where(Viewing.recording_id == recording).values(unasked_seconds=599.5)
            return len((await session.scalars(mine.returning(Viewing.member_id))).all()) == 1

    await until(nearly_ten_minutes_later, lambda: "the account of what is watched is open")
    await database.dispose()

    await expect(page.get_by_test_id("prompt")).to_be_visible()
    await expect(page.get_by_test_id("answer")).to_be_focused()
    assert not await page.get_by_test_id("player").evaluate("video => video.paused")
    await page.clock.fast_forward(600_000)
    await expect(page.get_by_test_id("prompt")).to_contain_text("已经暂停")
    assert await page.get_by_test_id("player").evaluate("video => video.paused"), (
        "what follows would not count"
    )
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("prompt")).to_have_count(0)
    await expect(page.get_by_test_id("player")).to_have_js_property("paused", False)
    await expect(page.get_by_test_id("play")).to_be_focused()  # where the keys were before


async def test_who_does_not_want_to_be_in_the_recording_says_so_before_and_may_change_his_mind(
    arrive: Arrive,
) -> None:
    host = await arrive("liuxi")
    meeting = await host.schedule("主题党日：村容环境我带头", record=True)
    member = await arrive("xiaohe", PHONE)
    await host.join(meeting)
    page = member.page
    await page.goto(f"{member.server.url}/meetings/{meeting}/room")
    await expect(page.get_by_text("本次会议将录制")).to_be_visible()
    await page.get_by_test_id("not-in-picture").check()
    await page.get_by_test_id("join-now").click()
    sign = page.get_by_test_id("unrecorded")
    await expect(sign).to_be_visible()

    await page.get_by_test_id("settings").click()
    await page.get_by_test_id("not-in-picture").uncheck()
    await page.get_by_test_id("settings").click()
    await expect(sign).to_have_count(0)

    await host.page.get_by_test_id("leave").click()
    await host.page.get_by_test_id("end-meeting").click()
    await expect(host.page.get_by_test_id("end-screen")).to_be_visible()
    await expect(host.page.get_by_role("alert")).to_have_count(0)  # nothing went wrong, and nothing says so


async def test_an_officer_finds_at_home_what_leaves_and_how_full_the_room_is(
    arrive: Arrive, server: RunningServer
) -> None:
    branch = server.logins["jiguan"]
    recording = await put_recording(server, branch)
    database = Database(f"sqlite:///{server.data}/huitang.sqlite3")
    async with database.transaction() as session:
        announced = update(Recording).where(Recording.id == recording)
        await session.execute(announced.values(deletion_warned_at=utc_now(), kept_bytes=950_000_000))
    await database.dispose()
    district = await arrive("zuzhibu")
    rules = {"keepDays": 20, "keepDaysByKind": {}, "quotaBytes": 1_000_000_000}
    said = await district.page.request.put(
        f"{server.url}/api/organizations/{branch.organization_id}/storage",
        data=rules,
        headers={"Origin": server.url},
    )
    assert said.ok

    secretary = await arrive("jiguan", PHONE)
    await secretary.go_home()
    page = secretary.page
    await expect(page.get_by_test_id("notice-leaving")).to_contain_text("1 个录像")
    await expect(page.get_by_test_id("notice-room")).to_contain_text("95%")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.get_by_test_id("notice-leaving").click()
    await expect(page.get_by_test_id("leaving")).to_contain_text("专题党课")

    page = district.page  # who alone can give more room
    await district.go_home()
    room = page.get_by_test_id("notice-room").filter(has_text="95%")
    await expect(room).to_contain_text("在这里增加空间")
    await room.get_by_role("link").click()
    await expect(page.get_by_label("组织", exact=True)).to_have_value(branch.organization_id)
    await expect(page.get_by_test_id("storage")).to_contain_text("95%")

    await set_recording(server, recording, kept_bytes=1_200_000_000)
    page = secretary.page
    await page.goto(f"{server.url}/meetings/new")
    await page.fill("#title", "录不下的会")
    await page.get_by_test_id("schedule-submit").click()
    await expect(page.get_by_test_id("problem")).to_contain_text(
        "可以先不勾选“录制会议”，或联系上级组织增加空间"
    )

    elsewhere = await arrive("cuiyuan")
    async with elsewhere.page.expect_response("**/api/leaving-recordings*") as answered:
        await elsewhere.go_home()
    assert (await (await answered.value).json())["items"] == []
    await expect(elsewhere.page.get_by_test_id("meeting-row").first).to_be_visible()
    await expect(elsewhere.page.get_by_test_id("notices")).to_have_count(0)
