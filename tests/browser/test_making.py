"""A film on its way: how far it is, and what it waits for, while somebody looks on."""

from playwright.async_api import expect

from database import utc_now
from recordings.jobs import LONGEST_PAUSE
from recordings.models import CompositionJob
from recordings.states import RecordingState
from tests.browser.conftest import Arrive
from tests.browser.held import records_of, set_recording
from tests.browser.person import PHONE
from tests.browser.server import RunningServer
from tests.browser.test_player import put_recording


async def put_off(server: RunningServer, recording: str) -> None:
    """The disk was full, and it will be tried again after this test."""
    database, now = records_of(server), utc_now()
    async with database.transaction() as session:
        session.add(
            CompositionJob(
                recording_id=recording, queued_at=now, not_before=now + LONGEST_PAUSE, attempts=0,
                no_room_since=now,
            )
        )  # fmt: skip
    await database.dispose()


async def test_who_waits_for_a_film_sees_it_grow_and_what_it_waits_for_and_officers_are_told(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    await set_recording(server, recording, state=RecordingState.COMPOSING, progress=0.2)
    member, officer = await arrive("xiaohe", PHONE), await arrive("linjiang")
    page = member.page
    await page.goto(f"{server.url}/recordings/{recording}")
    place, bar, said = (
        page.get_by_test_id("recording"),
        page.get_by_role("progressbar"),
        page.get_by_test_id("making"),
    )
    await expect(place).to_contain_text("已完成 20%")
    await expect(bar).to_have_js_property("value", 0.2)
    await expect(said).to_have_text("录像正在制作，完成后会自动出现。")
    await set_recording(server, recording, progress=0.6)
    await expect(bar).to_have_js_property("value", 0.6)

    await put_off(server, recording)
    await expect(place).to_contain_text("服务器的磁盘空间不足，录像暂停制作（已完成 60%）。")
    await expect(said).to_contain_text("腾出空间后会自动继续")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await officer.go_home()
    await officer.page.get_by_test_id("notice-bell").click()
    notice = officer.page.get_by_test_id("notice").filter(has=officer.page.locator(f'a[href$="{recording}"]'))
    await expect(notice).to_contain_text("磁盘空间不足，录像暂停制作：专题党课")
    await expect(notice).to_contain_text("请联系管理员腾出空间")

    await set_recording(server, recording, state=RecordingState.READY)
    await expect(said).to_have_text("录像做好了，可以观看。")
    await expect(page.get_by_test_id("player")).to_be_visible()


async def test_a_film_that_is_mended_is_watched_and_officers_read_that_it_is(
    arrive: Arrive, server: RunningServer
) -> None:
    recording = await put_recording(server, server.logins["liuxi"])
    await set_recording(server, recording, state=RecordingState.MENDING)
    member, officer = await arrive("xiaohe"), await arrive("linjiang", PHONE)
    for person in (member, officer):
        await person.page.goto(f"{server.url}/recordings/{recording}")
        await expect(person.page.get_by_test_id("recording")).to_have_attribute("data-state", "ready")
        await expect(person.page.get_by_test_id("player")).to_be_visible()
    await expect(member.page.get_by_test_id("mending")).to_have_count(0)
    note = officer.page.get_by_test_id("mending")
    await expect(note).to_contain_text("补做期间可以照常观看")
    await put_off(server, recording)
    await expect(note).to_contain_text("服务器的磁盘空间不足")
    assert await officer.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await set_recording(server, recording, state=RecordingState.READY, version=2)
    await expect(note).to_have_count(0)
    await expect(officer.page.get_by_test_id("player")).to_be_visible()
