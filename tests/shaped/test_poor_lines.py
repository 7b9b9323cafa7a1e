"""One Chromium at the far end of a poor line watches and hears a lecturer who sits beside the server."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from media import Router
from tests.media.pages import receive
from tests.patience import PATIENCE_SECONDS
from tests.shaped.conftest import Arrive, OpenPage, long
from tests.shaped.line import Line
from tests.shaped.people import SIMULCAST
from tests.shaped.viewing import Seen, seen, watch

pytestmark = [pytest.mark.browser, pytest.mark.shaped, long]

Attend = Callable[[], Awaitable[Page]]
log = logging.getLogger(__name__)

SMALL, LARGE = (layer.height for layer in SIMULCAST)
MADE_UP = (
    0.04  # of the sound; 0.03 is what is meant, and what a machine has that is not busy with other things
)
BACK = 2.0  # seconds
STILL = 1.2  # seconds without a new picture that a person forgives; one is what is meant


@pytest.fixture
async def attend(line: Line, router: Router, open_page: OpenPage, arrive: Arrive) -> Attend:
    """A page that has the lecturer's picture and voice, and watches."""

    async def attended() -> Page:
        lecturer = await arrive(line.server, SIMULCAST)
        page = await open_page(line.members)
        await receive(page, router, lecturer.microphone, lecturer.camera)
        await watch(page)
        return page

    return attended


async def until_height(page: Page, height: int) -> Seen:
    """Look until the picture is so high and moves; the longest stillness on the way is the answer's."""
    still = 0.0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            look = await seen(page, 0.5)
            still = max(still, look.still)
            if look.height == height and look.frames:
                return look.so_far(still)


async def test_a_member_abroad_hears_every_word_and_sees_it_move(line: Line, attend: Attend) -> None:
    """A tenth of the packets lost each way, 150 ms there and back."""
    line.far(round_trip_seconds=0.15, loss=0.1)
    page = await attend()
    # As the browser client does when it hears that its line loses packets.
    await page.evaluate("receiving.getReceivers().forEach(one => one.jitterBufferTarget = 300)")
    await seen(page, 4)
    look = await seen(page, 12)
    log.info("%.1f pictures a second, %.2f %% of the sound made up", look.rate, 100 * look.made_up)
    assert look.made_up < MADE_UP
    assert look.rate >= 15
    assert look.still < STILL


async def test_eight_seconds_without_the_line_are_over_within_two(line: Line, attend: Attend) -> None:
    line.shape(2e6)
    page = await attend()
    await until_height(page, LARGE)
    await seen(page, 2)
    line.cut()
    assert (await seen(page, 8)).still > 6
    line.shape(2e6)
    back = time.monotonic()
    while not (await seen(page, 0.1)).frames:
        assert time.monotonic() - back < BACK
    log.info("a picture after %.1f s", time.monotonic() - back)


async def test_the_picture_follows_a_line_that_narrows_and_widens(line: Line, attend: Attend) -> None:
    line.shape(2e6)
    page = await attend()
    await until_height(page, LARGE)
    line.shape(400e3)
    down = await until_height(page, SMALL)
    narrow = await seen(page, 5)
    line.shape(2e6)
    up = await until_height(page, LARGE)
    still = max(down.still, narrow.still, up.still)
    log.info("still for %.2f s at most; narrow: %.2f %% made up", still, 100 * narrow.made_up)
    assert narrow.made_up < MADE_UP
