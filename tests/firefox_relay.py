"""Firefox as Playwright starts it, with a relay of WebDriver BiDi between the two.

Playwright asks Firefox for more than the ESR knows, and takes the refusal for the end. What Firefox does not know is
answered here as done; all else goes through as it is. This is a program: Playwright starts it with Firefox's arguments
and waits for the line that tells the address.
"""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE

import aiohttp
from aiohttp import web

WebSocket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse

LISTENING = re.compile(rb"(WebDriver BiDi listening on )(ws://\S+)")
SIZE_MOST = 0  # none: pictures of pages are in the messages


async def carry(source: WebSocket, target: WebSocket) -> None:
    """One way, until that end goes; then the other is told."""
    async for message in source:
        said = message.json()
        if said.get("error") == "unknown command":
            said = {"type": "success", "id": said["id"], "result": {}}
        await target.send_json(said)
    await target.close()


async def relay_to(address: str) -> str:
    """Serve a relay to Firefox's address; answers its own."""

    async def relay(request: web.Request) -> web.WebSocketResponse:
        playwright = web.WebSocketResponse(max_msg_size=SIZE_MOST)
        await playwright.prepare(request)
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{address}/session", max_msg_size=SIZE_MOST) as firefox,
        ):
            await asyncio.gather(carry(playwright, firefox), carry(firefox, playwright))
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
