"""The connection-test page: by somebody who is not signed in, on a phone, and by a member where there is a relay."""

import asyncio
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, WebSocketRoute, expect

from bench.namespaces import entered, inside, ip, namespace
from tests.browser.conftest import FLAGS
from tests.browser.person import DESKTOP, PHONE, guest, open_guest_window, open_window, until
from tests.browser.server import RunningServer, running_server
from tests.chromium import CHROMIUM, launched
from tests.coturn import COTURN, SECRET, Coturn, running_coturn
from tests.demo import Demo
from tests.patience import PATIENCE_SECONDS

# After which the page gives up by its own clock: a way that does not open, and one that brings nothing back.
PATH_MS, ECHO_MS = 15_000, 12_000


async def test_a_stranger_learns_what_works_and_has_a_text_to_send(
    browser: Browser, server: RunningServer
) -> None:
    page = await window(browser, server, PHONE)
    await page.goto(f"{server.url}/sign-in")
    await page.get_by_role("link", name="检测连接").click()
    await run(page)
    verdict = page.get_by_test_id("verdict")
    states = {
        name: await page.get_by_test_id(f"step-{name}").get_attribute("data-state")
        for name in ("browser", "secure", "devices", "server", "udp", "tcp", "relay")
    }
    assert states == {
        "browser": "good",
        "secure": "good",
        "devices": "good",
        "server": "good",
        "udp": "good",
        "tcp": "good",
        "relay": "skipped",
    }
    # What was measured depends on the machine; that it was measured does not.
    assert await page.get_by_test_id("step-quality").get_attribute("data-state") in {"good", "warn"}
    assert "kbit/s" in await page.get_by_test_id("step-quality").inner_text()
    assert await verdict.get_attribute("data-state") in {"good", "warn"}
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.locator("summary").click()
    assert "UDP" in await page.get_by_test_id("report").inner_text()
    assert await page.get_by_test_id("spoken").inner_text()


@pytest.fixture
def stopped_udp(tmp_path: Path) -> Iterator[str]:
    """A host whose network carries no UDP at all; answers a Chromium in it."""
    name = f"huitang-no-udp-{os.getpid()}"
    with ExitStack() as made:
        try:
            made.enter_context(namespace(name))
            ip("-n", name, "rule", "add", "pref", "10", "ipproto", "udp", "blackhole")
            # What is local comes first by itself, and cannot be moved but by a copy.
            ip("-n", name, "rule", "add", "pref", "20", "lookup", "local")
            ip("-n", name, "rule", "del", "pref", "0")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no network without UDP can be made here: {error}")
        script = tmp_path / "chromium"
        script.write_text(f'#!/bin/sh\nexec {shlex.join([*inside(name), CHROMIUM])} "$@"\n')
        script.chmod(0o755)
        made.enter_context(entered(name))
        yield str(script)


async def test_where_udp_is_stopped_the_page_says_so_and_what_to_ask_for(
    tmp_path: Path, demo: Demo, stopped_udp: str
) -> None:
    with running_server(tmp_path, demo) as server:
        async with launched(*FLAGS, executable=stopped_udp) as chromium:
            page = await window(chromium, server)
            await page.clock.install()
            asked = transports_asked(page)
            await page.goto(f"{server.url}/connection-test")
            await start(page)

            async def tcp_carries() -> bool:
                return (
                    asked.count("connectTransport") == 4 and await page.evaluate("measured.connected()") == 2
                )

            await until(tcp_carries, lambda: f"both directions of one of the ways: {asked}")
            await page.clock.fast_forward(PATH_MS)
            await finished(page)
            assert await ways(page) == {"udp": "bad", "tcp": "good", "relay": "skipped"}, await told(page)
            verdict = page.get_by_test_id("verdict")
            await expect(verdict).to_have_attribute("data-state", "warn")
            await expect(verdict).to_contain_text("请在防火墙上放行到服务器的 UDP 端口")
            made = [one for one in asked if one != "connectTransport"]
            assert made == ["createTransport"] * 4 + ["closeTransport"] * 4, (
                "both ways are waited for at once"
            )
            media = re.findall(r"端口：(\d+)", await told(page))[0]
            ip("rule", "add", "pref", "10", "ipproto", "tcp", "dport", media, "blackhole")
            asked.clear()
            await start(page)

            async def both_are_tried() -> bool:
                return asked.count("connectTransport") == 4

            await until(both_are_tried, lambda: f"both directions of both ways: {asked}")
            await page.clock.fast_forward(PATH_MS)
            await finished(page)
            assert await ways(page) == {"udp": "bad", "tcp": "bad", "relay": "skipped"}, await told(page)
            await expect(verdict).to_have_attribute("data-state", "bad")
            await expect(verdict).to_contain_text(
                f"请在防火墙上放行到服务器的 UDP 端口 {media} 和 TCP 端口 {media}"
            )


def transports_asked(page: Page) -> list[str]:
    """What the page asks of transports, as it asks."""
    asked: list[str] = []

    def note(frame: str | bytes) -> None:
        asked.extend(re.findall('"((?:create|connect|close)Transport)"', str(frame)))

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return asked


async def test_a_way_that_opens_and_brings_nothing_back_is_not_good(
    browser: Browser, server: RunningServer
) -> None:
    page = await window(browser, server)
    await page.clock.install()
    lost: list[str] = []
    await page.route_web_socket(re.compile("/socket.io/"), partial(lose_resumptions, lost))
    await page.goto(f"{server.url}/connection-test")
    await start(page)

    async def tried(many: int) -> bool:
        return len(lost) == many

    for way in (1, 2):
        await until(partial(tried, way), lambda: f"pictures are to come back: {lost}")
        await page.clock.fast_forward(ECHO_MS)
    await finished(page)
    assert await ways(page) == {"udp": "bad", "tcp": "bad", "relay": "skipped"}, await told(page)
    verdict = page.get_by_test_id("verdict")
    await expect(verdict).to_have_attribute("data-state", "bad")
    await expect(verdict).to_contain_text("MTU")


def lose_resumptions(lost: list[str], page_side: WebSocketRoute) -> None:
    """The server never hears that the picture is to flow back; the page hears that all is well. Keeps what is lost."""
    server_side = page_side.connect_to_server()

    def carry(message: str | bytes) -> None:
        found = isinstance(message, str) and re.match(
            r'42(/connection-test),(\d+)\["resumeConsumer"', message
        )
        if found:
            page_side.send(f'43{found[1]},{found[2]}[{{"ok":true,"data":{{}}}}]')
            lost.append(found[2])
        else:
            server_side.send(message)

    page_side.on_message(carry)


async def test_a_server_that_goes_in_the_middle_is_told_at_once(
    browser: Browser, server: RunningServer
) -> None:
    page = await window(browser, server)

    def cut_at_resumption(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()

        async def carry(message: str | bytes) -> None:
            if "resumeConsumer" in str(message):
                await page_side.close()
            else:
                server_side.send(message)

        page_side.on_message(carry)
        server_side.on_message(
            lambda message: page_side.send(str(message).replace('["udp","tcp"]', '["tcp"]'))
        )

    await page.route_web_socket(re.compile("/socket.io/"), cut_at_resumption)
    await page.goto(f"{server.url}/connection-test")
    await start(page)
    running = page.locator('[data-testid="step-tcp"]')
    await expect(running).to_have_attribute("data-state", "skipped")
    # Each of two answers that could not come any more was waited for by 15 s.
    await expect(page.get_by_test_id("verdict")).to_contain_text("检测中断了", timeout=10_000)


async def test_devices_that_are_allowed_after_the_page_was_left_are_closed(
    browser: Browser, server: RunningServer
) -> None:
    page = await window(browser, server)
    await page.add_init_script("""
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
        window.opened = []
        const allowed = new Promise((allow) => { window.allow = allow })
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await open(wanted)
            window.opened.push(...stream.getTracks())
            await allowed
            return stream
        }
    """)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await page.goto(f"{server.url}/sign-in")
    await page.get_by_role("link", name="检测连接").click()
    await start(page)

    async def both_are_opened() -> bool:
        return bool(await page.evaluate("window.opened.length === 2"))

    async def both_are_closed() -> bool:
        return bool(await page.evaluate("window.opened.every((track) => track.readyState === 'ended')"))

    await until(both_are_opened, lambda: "both devices opened")
    await page.go_back()
    await expect(page.get_by_role("link", name="检测连接")).to_be_visible()
    await page.evaluate("window.allow()")
    await until(both_are_closed, lambda: "both devices closed")
    assert not sockets


async def window(browser: Browser, server: RunningServer, size: ViewportSize = DESKTOP) -> Page:
    """Of somebody who is not signed in."""
    return (await open_guest_window(browser, server, guest("路人"), size)).page


async def begin(page: Page, server: RunningServer) -> None:
    """Make a test, to the end."""
    await page.goto(f"{server.url}/connection-test")
    await run(page)


async def run(page: Page) -> None:
    """Press the button and wait for the verdict."""
    await start(page)
    await finished(page)


async def start(page: Page) -> None:
    """Press the button."""
    await page.get_by_test_id("start-test").click()


async def finished(page: Page) -> None:
    """Wait for the verdict, before which the page waits for each way that is shut."""
    await expect(page.get_by_test_id("verdict")).to_be_visible(timeout=2000 * PATIENCE_SECONDS)


async def told(page: Page) -> str:
    """The text for the administrator."""
    return await page.get_by_test_id("report").text_content() or ""


async def ways(page: Page) -> dict[str, str | None]:
    """How each way that is shown did."""
    found = {}
    for name in ("udp", "tcp", "relayUdp", "relayTcp", "relayTls", "relay"):
        step = page.get_by_test_id(f"step-{name}")
        if await step.count():
            found[name] = await step.get_attribute("data-state")
    return found


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, demo: Demo) -> Iterator[tuple[Coturn, RunningServer]]:
    """A relay that lets in by UDP, TCP and TLS, and a server that names it."""
    if not COTURN.exists():
        pytest.skip("coturn is not installed")
    with running_coturn(tmp_path_factory.mktemp("coturn")) as coturn:
        kinds = (f"turn:127.0.0.1:{coturn.port}?transport=udp", f"turn:127.0.0.1:{coturn.port}?transport=tcp",
                 f"turns:127.0.0.1:{coturn.tls_port}?transport=tcp")  # fmt: skip
        ice = {"HUITANG_ICE__URLS": json.dumps(kinds), "HUITANG_ICE__SECRET": SECRET}
        with running_server(tmp_path_factory.mktemp("relayed"), demo, **ice) as server:
            yield coturn, server


EVERY_WAY = dict.fromkeys(("udp", "tcp", "relayUdp", "relayTcp", "relayTls"), "good")


async def test_a_member_sends_and_receives_through_each_relay_alone(
    browser: Browser, relay: tuple[Coturn, RunningServer]
) -> None:
    coturn, server = relay
    before = coturn.relayed_bytes()
    member = await open_window(browser, server, "xiulan", DESKTOP)
    await begin(member.page, server)
    # No authority has signed coturn's certificate, which a browser does not take.
    assert await ways(member.page) == EVERY_WAY | {"relayTls": "bad"}, await told(member.page)
    report = await told(member.page)
    assert f"{coturn.port}" not in report  # what it says of the relay is no secret
    assert "connection-test" not in report
    await member.context.close()
    await relayed(coturn, before + 20_000)


# What a network does to a browser that lets out nothing but TLS to the relay.
TLS_ALONE = """window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor({iceServers, ...rest}) {
        const tls = ({urls, ...server}) => ({...server, urls: urls.filter(url => url.startsWith('turns:'))});
        super({...rest, iceServers: iceServers.map(tls), iceTransportPolicy: 'relay'});
    }
};"""


async def test_a_meeting_runs_over_a_relay_by_tls_whose_certificate_the_browser_takes(
    relay: tuple[Coturn, RunningServer],
) -> None:
    coturn, server = relay
    async with launched(*FLAGS, f"--ignore-certificate-errors-spki-list={coturn.pin}") as browser:
        people = [await open_window(browser, server, name, DESKTOP) for name in ("liuxi", "xiulan")]
        await begin(people[0].page, server)
        assert await ways(people[0].page) == EVERY_WAY, await told(people[0].page)
        before = coturn.relayed_bytes()
        meeting = await people[0].schedule("只有中继可走的主题党日")
        for person in people:
            await person.context.add_init_script(TLS_ALONE)
            await person.join(meeting)
        await asyncio.gather(*(person.sees_and_hears(1) for person in people))
        assert [person.problems for person in people] == [[], []]
    await relayed(coturn, before + 100_000)


async def relayed(coturn: Coturn, least: int) -> None:
    """So many bytes went through; the relay counts a session when it is over."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while coturn.relayed_bytes() < least:  # noqa: ASYNC110 - another process's log
            await asyncio.sleep(0.1)
