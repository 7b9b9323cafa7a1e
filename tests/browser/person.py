"""One person at one browser window: signs in, joins, looks and listens."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

from tests.browser.server import Login, RunningServer
from tests.chromium import ALLOWED
from tests.patience import PATIENCE_SECONDS

POLLING = "**/socket.io/**"
FULL_SCREEN = ":fullscreen"  # whatever fills it
MEASURE = Path(__file__).with_name("measure.js")
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
# Everything on two cores shared with others; a person would not wait so long, a test must.
GLANCE_SECONDS = 0.25

Received = dict[str, dict[str, dict[str, Any]]]


class Layers(NamedTuple):
    """Of a picture, as it comes now: the size, and how many of its frames; None while the line bears none."""

    consumer: str
    spatial: int | None
    temporal: int | None


@dataclass(slots=True)
class Person:
    """`page` is what the person sees."""

    login: Login
    server: RunningServer
    context: BrowserContext
    page: Page
    problems: list[str]

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A call of the HTTP API with the person's session."""
        answer = await self.page.request.post(
            f"{self.server.url}/api{path}", data=body, headers={"Origin": self.server.url}
        )
        assert answer.ok, await answer.text()
        result: dict[str, Any] = await answer.json()
        return result

    async def get(self, path: str) -> dict[str, Any]:
        """What the HTTP API answers this person."""
        answer = await self.page.request.get(f"{self.server.url}/api{path}")
        assert answer.ok, await answer.text()
        result: dict[str, Any] = await answer.json()
        return result

    async def schedule(self, title: str, **more: object) -> str:
        """Schedule a meeting of the own branch that could begin now; answers its id."""
        now = datetime.now(UTC)
        body = {
            "organizationId": self.login.organization_id,
            "kind": "theme_day",
            "title": title,
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
        }
        meeting = await self.post("/meetings", body | more)
        return str(meeting["id"])

    async def sign_in(self) -> None:
        """By a call, which is no page's to load."""
        await self.post("/session", {"username": self.login.username, "password": self.login.password})

    async def go_home(self) -> None:
        """To the page that one comes to first."""
        await self.page.goto(f"{self.server.url}/")

    async def approach(self, meeting_id: str) -> None:
        """Go as far as the button that joins."""
        await self.page.goto(f"{self.server.url}/meetings/{meeting_id}/room")
        await self.page.get_by_test_id("self-view").wait_for()

    async def enter(self) -> None:
        """Press that button, and be in the call."""
        await self.page.get_by_test_id("join-now").click()
        await self.page.get_by_test_id("call").wait_for()

    async def knock(self, meeting_id: str) -> None:
        """Go as far as the button that joins, and press it."""
        await self.approach(meeting_id)
        await self.page.get_by_test_id("join-now").click()

    async def join(self, meeting_id: str) -> None:
        """Be in the call."""
        await self.approach(meeting_id)
        await self.enter()

    async def peer_id(self) -> str:
        """Who this page is in the room."""
        identity = await self.page.get_by_test_id("call").get_attribute("data-peer-id")
        assert identity
        return identity

    def told_layers(self) -> set[Layers]:
        """What the server says of the layers of pictures, from the next join on; the set grows."""
        told: set[Layers] = set()

        def read(message: str | bytes) -> None:
            if isinstance(message, str) and "consumerLayersChanged" in message:
                said = json.loads(message[message.index("[") :])[1]
                told.add(Layers(said["consumerId"], said["spatialLayer"], said["temporalLayer"]))

        self.page.on("websocket", lambda socket: socket.on("framereceived", read))
        return told

    async def received(self) -> Received:
        """What is decoded now, by peer and source."""
        result: Received = await self.page.evaluate("measured.received()")
        return result

    async def frames_sent(self) -> int:
        """How many pictures of the own camera were encoded."""
        return int(await self.page.evaluate("measured.framesSent()"))

    async def sizes_sent(self) -> int:
        """How many sizes of the own pictures are sent now."""
        return int(await self.page.evaluate("measured.sizesSent()"))

    async def unplug(self, kind: Literal["audio", "video"]) -> None:
        """Send none of it any more, without a word to the page; who is heard or seen has something to unplug."""
        assert await self.page.evaluate("(kind) => measured.unplug(kind)", kind)

    async def plug_in(self) -> None:
        """Send all of it again."""
        await self.page.evaluate("measured.plugIn()")

    async def cut(self) -> None:
        """Cut the signaling connection; it cannot be made anew until `mend`. Media has paths of its own."""
        await self.page.route(POLLING, lambda route: route.abort())  # after WebSockets in vain that is tried
        await self.page.evaluate("measured.cut()")

    async def mend(self) -> None:
        """Let the page connect again."""
        await self.page.evaluate("measured.mend()")
        await self.page.unroute(POLLING)

    async def sees_and_hears(self, others: int) -> None:
        """Wait until moving pictures and sound of so many others arrive and go on arriving."""
        before = await self.received()

        async def grows() -> bool:
            now = await self.received()
            return (
                sum(
                    _moves(before.get(peer, {}), now[peer]) and _sounds(before.get(peer, {}), now[peer])
                    for peer in now
                )
                >= others
            )

        await until(grows, lambda: f"{self.login.name} of {others} others: {before}")


def _moves(before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> bool:
    frames = now.get("camera", {}).get("framesDecoded", 0)
    return bool(frames > before.get("camera", {}).get("framesDecoded", 0) + 3)


def _sounds(before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> bool:
    energy = now.get("microphone", {}).get("energy", 0.0)
    return bool(energy > before.get("microphone", {}).get("energy", 0.0))


async def until(condition: Callable[[], Awaitable[bool]], story: Callable[[], str]) -> None:
    """Ask again and again until it is so; the story is told when it is not in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await condition():  # noqa: ASYNC110 - a page's statistics tell of no change
                await asyncio.sleep(GLANCE_SECONDS)
    except TimeoutError:
        raise AssertionError(f"did not come about: {story()}") from None


async def open_window(
    browser: Browser, server: RunningServer, username: str, size: ViewportSize = DESKTOP
) -> Person:
    """A window of its own, signed in; what goes wrong inside is in `problems`."""
    person = await open_guest_window(browser, server, server.logins[username], size)
    await person.sign_in()
    return person


def guest(name: str) -> Login:
    """Somebody without a log-in."""
    return Login("", "", name, None, "")


async def open_guest_window(
    browser: Browser, server: RunningServer, guest: Login, size: ViewportSize = DESKTOP
) -> Person:
    """The same for somebody who does not sign in: only the name of `guest` counts."""
    # Without motion: on a busy machine a list that is still opening may move away between a button's down and up.
    context = await browser.new_context(
        viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=size is PHONE,
        reduced_motion="reduce", permissions=ALLOWED if browser.browser_type.name == "chromium" else None,
    )  # fmt: skip
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    await context.add_init_script(path=MEASURE)
    page = await context.new_page()
    person = Person(guest, server, context, page, [])
    page.on("pageerror", lambda error: person.problems.append(str(error)))
    return person
