"""The same pages in the system's Firefox, whose WebRTC is its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests import firefox
from tests.browser.conftest import Arrive
from tests.browser.person import Person, open_window, until
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
