"""Whom a host should help, and with what: at a desk, and in a window as narrow as a phone."""

import json
import re

from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import Arrive
from tests.browser.person import PHONE, until


async def test_a_host_reads_who_has_trouble_and_what_helps(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    meeting = await secretary.schedule("网络情况")
    await secretary.join(meeting)
    await member.join(meeting)
    identity = await member.peer_id()
    await expect(member.page.get_by_test_id("quality")).to_have_count(0)  # it is the host's

    await secretary.page.get_by_test_id("quality").click()
    row = secretary.page.locator(f'[data-testid="trouble"][data-peer-id="{identity}"]')
    await secretary.sees_and_hears(1)
    await member.unplug("audio")
    await expect(row.locator('[data-trouble="microphoneSilent"]')).to_contain_text("麦克风开着，但没有声音")
    await expect(row).to_contain_text("建议检查麦克风是否插好")
    await secretary.page.set_viewport_size(PHONE)
    await expect(row.locator('[data-trouble="microphoneSilent"]')).to_be_visible()
    assert await secretary.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await member.page.get_by_test_id("own-network").click()
    own = member.page.get_by_test_id("network-panel")
    await expect(own.locator('[data-trouble="microphoneSilent"]')).to_contain_text("您的麦克风开着")

    await member.page.get_by_test_id("microphone").click()  # off is no trouble
    await expect(row.locator('[data-trouble="microphoneSilent"]')).to_have_count(0)
    await member.cut()
    await expect(row.locator('[data-trouble="reconnecting"]')).to_contain_text("正在自动重连")


class Wire:
    """Passes a page's signaling on, notes whose size is asked for, and says in the server's place which layers
    they get: from the first word of it on the server's own are kept back, which could come at any moment."""

    def __init__(self) -> None:
        self.pictures: set[str] = set()
        self._routes: list[WebSocketRoute] = []
        self._speaks = False

    def carry(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        self._routes.append(route)

        def up(message: str | bytes) -> None:
            if isinstance(message, str) and "setPreferredLayers" in message:
                self.pictures.update(re.findall(r'"consumerId":"([^"]+)"', message))
            server.send(message)

        def down(message: str | bytes) -> None:
            if not (self._speaks and isinstance(message, str) and "consumerLayersChanged" in message):
                route.send(message)

        route.on_message(up)
        server.on_message(down)

    def layers(self, consumer: str, layer: int | None) -> None:
        """What the server says when bandwidth allows no layer (None), or one again."""
        self._speaks = True
        told = {"consumerId": consumer, "spatialLayer": layer, "temporalLayer": layer}
        self._routes[-1].send(f"42/rooms,{json.dumps(['consumerLayersChanged', told])}")


async def test_a_tile_says_that_the_line_is_too_narrow_for_its_picture(arrive: Arrive) -> None:
    secretary, member = await arrive("liuxi"), await arrive("xiulan")
    wire = Wire()
    await member.page.route_web_socket(re.compile("/socket.io/"), wire.carry)
    meeting = await secretary.schedule("窄带")
    await secretary.join(meeting)
    await member.join(meeting)
    await member.sees_and_hears(1)
    identity = await secretary.peer_id()
    tile = member.page.locator(f'[data-testid="tile"][data-peer-id="{identity}"]')
    sign = tile.get_by_test_id("starved")
    await expect(sign).to_have_count(0)

    async def asked_for() -> bool:
        return bool(wire.pictures)

    await until(asked_for, lambda: "the size of a picture was asked for")
    (picture,) = wire.pictures
    await secretary.unplug("video")
    wire.layers(picture, None)
    await expect(sign).to_be_visible()
    await expect(sign).to_have_attribute("role", "status")
    await expect(tile.locator("video")).to_be_hidden()  # no picture that stands still
    await member.page.set_viewport_size(PHONE)
    await expect(sign).to_be_visible()
    assert await member.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await secretary.plug_in()  # what is seen to run counts, also while the word that it may is on its way
    await expect(sign).to_have_count(0)
    await expect(tile.locator("video")).to_be_visible()
    wire.layers(picture, 0)
    await member.sees_and_hears(1)
    await expect(sign).to_have_count(0)
