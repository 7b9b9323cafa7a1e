"""How long from the click that joins to the first picture of somebody else: `python -m bench.joining`.

Nine participants with real pictures and voices are there already; the tenth comes with a real browser, again and again.
Needs what the tests need: Chromium and Playwright.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
from pathlib import Path

from aiortc.rtcdtlstransport import RTCCertificate
from playwright.async_api import Browser, async_playwright

from bench.cameras import Participant
from bench.server import SECRETARY_LEVEL, Server, open_meeting, running

CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-gpu",
]
WATCHER = Path(__file__).with_name("firstframe.js")
PATIENCE = 30.0  # seconds
OUTPUT = Path("build/bench-join.json")


async def arrive(browser: Browser, server: Server, meeting: str, others: int) -> tuple[float, float]:
    """Join once; milliseconds from the click to the first and to the last of the others' pictures."""
    login = next(each for each in server.logins if each["level"] == SECRETARY_LEVEL)
    context = await browser.new_context(
        locale="zh-CN", viewport={"width": 1280, "height": 800}, permissions=["camera", "microphone"]
    )
    await context.add_init_script(path=WATCHER)
    try:
        page = await context.new_page()
        await page.goto(f"{server.url}/sign-in")
        await page.fill("#username", login["username"])
        await page.fill("#password", login["password"])
        await page.get_by_test_id("sign-in").click()
        await page.wait_for_url(f"{server.url}/")
        await page.goto(f"{server.url}/meetings/{meeting}/room")
        await page.get_by_test_id("self-view").wait_for()
        await page.get_by_test_id("join-now").click()
        shown: list[float] = await asyncio.wait_for(page.evaluate("firstFrames", others), PATIENCE)
        await page.get_by_test_id("leave").click()
        return shown[0], shown[-1]
    finally:
        await context.close()


async def measure(others: int, joins: int, core: int | None) -> list[tuple[float, float]]:
    """Fill a meeting and join it so many times."""
    certificate = RTCCertificate.generateCertificate()
    async with running(core) as server, contextlib.AsyncExitStack() as leaving:
        meeting, cookie = await open_meeting(server)
        for _ in range(others):
            participant = await Participant.join(server, meeting, cookie, certificate)
            leaving.push_async_callback(participant.close)
        playwright = await leaving.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        leaving.push_async_callback(browser.close)
        results = []
        for number in range(joins):
            results.append(await arrive(browser, server, meeting, others))
            print(
                f"  join {number + 1}: first picture {results[-1][0]:.0f} ms, all {results[-1][1]:.0f} ms",
                flush=True,
            )
        return results


def main() -> None:
    """Measure, print, and write build/bench-join.json."""
    parser = argparse.ArgumentParser(prog="python -m bench.joining", description=__doc__)
    parser.add_argument(
        "--others", type=int, default=9, help="participants who are there already (default 9)"
    )
    parser.add_argument("--joins", type=int, default=9, help="how often to join (default 9)")
    options = parser.parse_args()
    results = asyncio.run(measure(options.others, options.joins, core=None))
    first, whole = (statistics.median(column) for column in zip(*results, strict=True))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(
        json.dumps(
            {
                "participants": options.others + 1,
                "joins": [{"firstPictureMs": one, "allPicturesMs": every} for one, every in results],
                "medianFirstPictureMs": first,
                "medianAllPicturesMs": whole,
            },
            indent=2,
        )
        + "\n"
    )
    print(
        f"click to first picture, {options.others + 1} participants: median {first:.0f} ms; all: {whole:.0f} ms"
    )


if __name__ == "__main__":
    main()
