"""A meeting by the keyboard alone, and by a finger: whoever has no mouse comes in, looks and leaves."""

from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.browser.conftest import Arrive
from tests.browser.person import PHONE

FOCUSED = """() => {
  const { dataset, tagName } = document.activeElement
  return [dataset.testid ?? tagName, getComputedStyle(document.activeElement).outlineStyle !== 'none']
}"""
SIDEWAYS = ViewportSize(width=PHONE["height"], height=PHONE["width"])
TWO_LINES = 40  # pixels
FARTHEST = 40  # no page has more to go through
TOOLS = [
    "own-network",
    "layout",
    "settings",
    "microphone",
    "camera",
    "screen",
    "hand",
    "chat",
    "people",
    "leave",
]


async def walk(page: Page, target: str) -> list[str]:
    """Press Tab until the element with that test id has the focus; answers what was passed, each well visible."""
    passed: list[str] = []
    for _ in range(FARTHEST):
        await page.keyboard.press("Tab")
        name, visible = await page.evaluate(FOCUSED)
        passed.append(name)
        assert visible or name == "BODY", f"nobody sees that {name} has the focus: {passed}"
        if name == target:
            return passed
    raise AssertionError(f"no way to {target}: {passed}")


async def large_and_named_in_one_line(page: Page, main: Locator) -> None:
    """On a phone held sideways the large picture has most of the height; a short name stands beside its sign."""
    await page.set_viewport_size(SIDEWAYS)
    await expect(main.locator("figcaption svg")).to_be_visible()
    await main.locator(".name").evaluate("name => name.textContent = '周明'")
    picture, caption = await main.bounding_box(), await main.locator("figcaption").bounding_box()
    assert picture
    assert picture["height"] > 0.6 * SIDEWAYS["height"]
    assert caption
    assert caption["height"] < TWO_LINES
    await page.set_viewport_size(PHONE)


async def test_a_meeting_by_keyboard_and_by_finger(arrive: Arrive) -> None:
    secretary, member, student = await arrive("liuxi"), await arrive("xiulan"), await arrive("yutong", PHONE)
    meeting = await secretary.schedule("没有鼠标", lobby=True)
    await secretary.join(meeting)
    await student.knock(meeting)
    await member.approach(meeting)
    page = member.page
    await expect(page.get_by_test_id("join-now")).to_be_enabled()
    await walk(page, "join-now")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()  # the button is gone that had it

    await secretary.page.get_by_test_id("people").click()
    await secretary.page.get_by_test_id("admit-all").click()
    for person in (member, student):
        await person.page.get_by_test_id("call").wait_for()
        await expect(person.page.get_by_role("status").get_by_text("主持人同意了")).to_be_visible()
    await expect(page.locator("header h1")).to_be_focused()

    tile = student.page.locator(f'[data-testid="tile"][data-peer-id="{await member.peer_id()}"]')
    await tile.tap()
    await expect(tile).to_have_attribute("data-place", "main")
    await member.page.get_by_test_id("microphone").click()
    await large_and_named_in_one_line(student.page, tile)
    await page.locator("header h1").focus()
    await tile.tap()
    await expect(tile).not_to_have_attribute("data-place", "main")

    passed = await walk(page, "leave")
    assert [name for name in passed if name in TOOLS] == TOOLS
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await walk(page, "end-done")
    await expect(
        student.page.get_by_role("status").get_by_text(f"{member.login.name} 离开了")
    ).to_be_visible()
