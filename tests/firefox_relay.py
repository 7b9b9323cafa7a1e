"""Firefox as Playwright starts it, with a relay of WebDriver BiDi between the two.

Playwright asks Firefox for more than the ESR knows, and takes the refusal for the end. What Firefox does not know is
answered here as done; all else goes through as it is. This is a program: Playwright starts it with Firefox's arguments
and waits for the line that tells the address.
"""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from itertools import count

import aiohttp
from aiohttp import web

WebSocket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse

LISTENING = re.compile(rb"(WebDriver BiDi listening on )(ws://\S+)")
# What it says by itself of a WebSocket that was cut and of what a page's policy forbids, be it Playwright's own style;
# Playwright would take it for errors of the page.
BROWSER_WORDS = re.compile(r"^(Firefox|The connection to) .*\bws://|^The page’s settings blocked ")
OWN_NUMBERS = 1_000_000_000  # from here on commands are of the relay itself
SIZE_MOST = 0  # none: pictures of pages are in the messages


async def ask(playwright: WebSocket, firefox: WebSocket) -> None:
    """What Playwright wants, until it goes."""
    numbers = count(OWN_NUMBERS)
    async for message in playwright:
        asked = message.json()
        if asked.get("method") == "input.performActions":
            context = {"context": asked["params"]["context"]}
            activate = {"id": next(numbers), "method": "browsingContext.activate", "params": context}
            await firefox.send_json(activate)
        await firefox.send_json(asked)
    await firefox.close()


async def answer(firefox: WebSocket, playwright: WebSocket) -> None:
    """What Firefox says to it, until it goes."""
    async for message in firefox:
        said = message.json()
        if (said.get("id") or 0) >= OWN_NUMBERS or BROWSER_WORDS.search(
            said.get("params", {}).get("text") or ""
        ):
            continue
        if said.get("error") == "unknown command":
            said = {"type": "success", "id": said["id"], "result": {}}
        await playwright.send_json(said)
    await playwright.close()


async def relay_to(address: str) -> str:
    """Serve a relay to Firefox's address; answers its own."""

    async def relay(request: web.Request) -> web.WebSocketResponse:
        playwright = web.WebSocketResponse(max_msg_size=SIZE_MOST)
        await playwright.prepare(request)
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}/session", max_msg_size=SIZE_MOST) as firefox,
        ):
            await asyncio.gather(ask(playwright, firefox), answer(firefox, playwright))
        return playwright

    application = web.Application()
    application.router.add_get("/session", relay)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"ws://{host}:{port}"


async def main(*command: str) -> int:
    """Run it until it ends; what it says goes on, but for the address."""
    process = await asyncio.create_subprocess_exec(*command, stderr=PIPE)
    assert process.stderr is not None
    async for line in process.stderr:
        found = LISTENING.search(line)
        said = found[1] + (await relay_to(found[2].decode())).encode() + b"\n" if found else line
        sys.stderr.buffer.write(said)
        sys.stderr.buffer.flush()
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
