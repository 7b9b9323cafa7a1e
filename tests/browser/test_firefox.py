"""The same pages in the system's Firefox, whose WebRTC is its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests import firefox
from tests.browser.conftest import Arrive
from tests.browser.person import PHONE, Person, open_window, until
from tests.browser.server import RunningServer

pytestmark = pytest.mark.skipif(
    not firefox.FIREFOX.exists(), reason="firefox-esr is not installed; `make test-firefox` does that"
)


@pytest_asyncio.fixture(loop_scope="session")
async def at_firefox(server: RunningServer) -> AsyncIterator[Person]:
    """The secretary, signed in, at a window of Firefox; the page may not have met an error by itself."""
    async with firefox.launched() as browser:
        person = await open_window(browser, server, "liuxi")
        yield person
        assert not person.problems


MOVING_FRAMES = 10
# A screen is not to be had without a window: a moving picture stands for it, everything behind it is Firefox's own.
PAINTED_SCREEN = """() => { navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 })
  const pen = canvas.getContext('2d')
  setInterval(() => {
    pen.fillStyle = pen.fillStyle === '#9d1c1f' ? '#1a5fb4' : '#9d1c1f'
    pen.fillRect(0, 0, 640, 720)
  }, 200)
  return canvas.captureStream(5)
}}"""


async def reports(person: Person, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await person.page.evaluate("kind => measured.reports(kind)", kind)
    return found


async def test_firefox_and_chromium_see_and_hear_each_other(at_firefox: Person, arrive: Arrive) -> None:
    member = await arrive("xiulan")
    meeting = await at_firefox.schedule("两种浏览器")
    await at_firefox.join(meeting)
    await member.join(meeting)
    await asyncio.gather(at_firefox.sees_and_hears(1), member.sees_and_hears(1))

    for transport in await reports(at_firefox, "transport"):
        assert (transport["tlsVersion"], transport["srtpCipher"]) == ("FEFD", "SRTP_AEAD_AES_128_GCM")

    async def sends_two_sizes() -> bool:
        sent = await reports(at_firefox, "outbound-rtp")
        return len([one for one in sent if one.get("framesEncoded", 0) > 0]) >= 2

    await until(sends_two_sizes, lambda: "Firefox sends its camera in several sizes")


async def test_a_screen_shared_from_firefox_moves_large_at_the_others(
    at_firefox: Person, arrive: Arrive
) -> None:
    member = await arrive("xiulan", PHONE)
    meeting = await at_firefox.schedule("从 Firefox 共享")
    await at_firefox.join(meeting)
    await member.join(meeting)
    identity = await at_firefox.peer_id()
    await at_firefox.page.evaluate(PAINTED_SCREEN)
    await at_firefox.page.get_by_test_id("screen").click()
    main = member.page.locator('[data-place="main"][data-source="screen"]')
    await expect(main.locator("video")).to_be_visible()

    async def moves() -> bool:
        screen = (await member.received()).get(identity, {}).get("screen", {})
        return bool(screen.get("framesDecoded", 0) > MOVING_FRAMES and screen["width"] == 1280)

    await until(moves, lambda: "the screen moves, in its own size")
    await at_firefox.page.get_by_test_id("screen").click()
    await expect(main).to_have_count(0)
