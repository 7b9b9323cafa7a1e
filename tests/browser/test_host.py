"""What a host does to others, and how it looks to them."""

from playwright.async_api import expect

from tests.browser.conftest import Arrive
from tests.browser.person import FULL_SCREEN, PHONE, Layers, Person, until

SMALL, MIDDLE, LARGE = range(3)
TOP = 2  # of the temporal layers


async def moderate(host: Person, other: str, action: str) -> None:
    """Open the list of people and choose `action` for the person with that peer id."""
    panel = host.page.get_by_test_id("panel")
    if not await panel.is_visible():
        await host.page.get_by_test_id("people").click()
    row = panel.locator(f'[data-testid="person"][data-peer-id="{other}"]')
    await row.get_by_test_id("person-menu").click()
    await host.page.get_by_test_id(f"moderate-{action}").locator("visible=true").click()


async def test_a_host_mutes_stops_the_picture_and_removes(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("主持人管理")
    await secretary.join(meeting)
    await member.join(meeting)
    other = await member.peer_id()

    await moderate(secretary, other, "mute")
    await expect(member.page.get_by_test_id("microphone")).to_have_attribute("aria-pressed", "false")
    await member.page.get_by_test_id("microphone").click()  # muting is no lock
    await expect(member.page.get_by_test_id("microphone")).to_have_attribute("aria-pressed", "true")

    await moderate(secretary, other, "stopVideo")
    await expect(member.page.get_by_test_id("camera")).to_have_attribute("aria-pressed", "false")

    await moderate(secretary, other, "remove")
    await secretary.page.get_by_test_id("remove-confirm").click()
    await expect(member.page.get_by_test_id("end-screen")).to_have_attribute("data-ending", "removed")
    await expect(secretary.page.get_by_test_id("tile")).to_have_count(1)

    await member.knock(meeting)
    await expect(member.page.get_by_test_id("end-screen")).to_have_attribute("data-ending", "removed")


async def test_a_host_in_full_screen_has_menus_and_notices_and_leaves_it_with_the_call(
    arrive: Arrive,
) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("全屏主持")
    await secretary.join(meeting)
    await member.join(meeting)
    page = secretary.page
    await page.get_by_test_id("full-screen").click()
    await expect(page.locator(FULL_SCREEN)).to_have_count(1)

    await moderate(secretary, await member.peer_id(), "mute")
    await expect(member.page.get_by_test_id("microphone")).to_have_attribute("aria-pressed", "false")
    await member.page.get_by_test_id("hand").click()
    notice = page.get_by_test_id("toast").filter(has_text="举手")
    await notice.get_by_role("button").click()  # which only what is on top of the page takes
    await expect(notice).to_be_hidden()

    await page.get_by_test_id("leave").click()
    await page.get_by_test_id("leave-only").click()
    await expect(page.get_by_test_id("end-screen")).to_have_attribute("data-ending", "left")
    await expect(page.locator(FULL_SCREEN)).to_have_count(0)


async def test_a_host_lets_people_in_from_the_lobby(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("等候室", lobby=True)
    await secretary.join(meeting)
    await member.knock(meeting)
    await expect(member.page.get_by_test_id("waiting")).to_have_attribute("data-phase", "lobby")

    people, leave = secretary.page.get_by_test_id("people"), secretary.page.get_by_test_id("leave")
    await people.click()
    await secretary.page.get_by_test_id("admit").click()
    await member.page.get_by_test_id("call").wait_for()
    await member.sees_and_hears(1)

    await secretary.page.keyboard.press("Escape")
    await expect(people).to_be_focused()  # whoever goes by the keyboard is where he was
    await leave.click()
    await secretary.page.get_by_test_id("leave-only").press("Escape")
    await expect(leave).to_be_focused()


async def test_chat_and_a_raised_hand_reach_the_others(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("聊天举手")
    await secretary.join(meeting)
    await member.join(meeting)

    await member.page.get_by_test_id("chat").click()
    await member.page.get_by_test_id("chat-text").fill("各位同志好！<b>不是标签</b>")
    await member.page.get_by_test_id("chat-send").click()
    await secretary.page.get_by_test_id("chat").click()
    await expect(secretary.page.get_by_test_id("chat-line")).to_contain_text("各位同志好！<b>不是标签</b>")

    await member.page.get_by_test_id("hand").click()
    await expect(secretary.page.get_by_test_id("tile-hand")).to_be_visible()


async def test_a_shared_screen_is_shown_large_and_every_picture_comes_in_layers(arrive: Arrive) -> None:
    """In all sizes of the camera, so that a line just too narrow costs frames of it first."""
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    told = member.told_layers()
    meeting = await secretary.schedule("共享屏幕")
    await secretary.join(meeting)
    await member.join(meeting)
    camera = member.page.locator('[data-testid="tile"][data-source="camera"][data-self="false"]')
    await expect(camera.locator("video")).to_be_visible()
    await comes_in_layers(told, {MIDDLE})
    await camera.get_by_role("button").click()  # keep it large
    await comes_in_layers(told, {MIDDLE, LARGE})
    await camera.get_by_role("button").click()

    await secretary.page.get_by_test_id("screen").click()
    main = member.page.locator('[data-place="main"][data-source="screen"]')
    await expect(main.locator("video")).to_be_visible()
    await comes_in_layers(told, {SMALL, MIDDLE, LARGE})
    await comes_in_layers(told, {SMALL}, pictures=2)
    await secretary.page.get_by_test_id("screen").click()
    await expect(main).to_have_count(0)


async def comes_in_layers(told: set[Layers], sizes: set[int], pictures: int = 1) -> None:
    """Wait until so many pictures have come in these sizes, each with the uppermost of three temporal layers."""

    async def come() -> bool:
        whole = {(one.consumer, one.spatial) for one in told if one.temporal == TOP}
        consumers = {one.consumer for one in told}
        return sum({(one, size) for size in sizes} <= whole for one in consumers) >= pictures

    await until(come, lambda: f"{pictures} in all frames of {sizes}: {told}")


async def test_a_host_goes_through_the_agenda_and_everybody_sees_where_it_is(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi", PHONE), await arrive("xiulan")
    meeting = await secretary.schedule(
        "议程", agenda="一、学习冬季防灾知识\n二、讨论怎样帮独居老人过好冬\n三、安排志愿服务"
    )
    for person in (secretary, member):
        await person.join(meeting)
        await person.page.get_by_test_id("people").click()
    following = secretary.page.get_by_test_id("next-item")
    now = member.page.locator('[data-testid="agenda"] [aria-current="step"]')
    await expect(now).to_have_count(0)
    await expect(member.page.get_by_test_id("next-item")).to_have_count(0)
    for item in ("一、学习冬季防灾知识", "二、讨论怎样帮独居老人过好冬", "三、安排志愿服务"):
        await following.click()
        await expect(now).to_have_text(item)
    await expect(following).to_have_count(0)
    await secretary.page.get_by_test_id("agenda").get_by_role("button").first.click()  # back to it
    await expect(now).to_have_text("一、学习冬季防灾知识")
