"""A client that speaks Engine.IO by hand, for what well-behaved clients never send."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from tests.patience import PATIENCE_SECONDS


async def until(true: Callable[[], bool]) -> None:
    """Give everybody their turns until something is so; TimeoutError when it does not become so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110 - what is waited for has no event: it is a count, or gone
            await asyncio.sleep(0.002)


class RawClient:
    """One WebSocket; packets are Socket.IO's text."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self._acks = 0

    async def send(self, packet: str) -> None:
        """A Socket.IO packet as it stands, in an Engine.IO message."""
        await self.socket.send_str("4" + packet)

    async def receive(self) -> str:
        """The next Socket.IO packet; pings are answered. ConnectionError when the server has hung up."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await self.socket.receive()
                if message.type is not WSMsgType.TEXT:
                    raise ConnectionError(f"closed: {message.type.name}")
                if message.data == "2":
                    await self.socket.send_str("3")
                elif message.data.startswith("4"):
                    return str(message.data[1:])

    async def connect(self, namespace: str, auth: Any = None) -> str:
        """Open a namespace; answers the packet that came back."""
        await self.send(f"0{namespace}," + ("" if auth is None else json.dumps(auth)))
        return await self.receive()

    async def call(self, namespace: str, *data: Any) -> Any:
        """Send an event and answer its acknowledgement."""
        return await self.call_text(namespace, json.dumps(list(data)))

    async def call_text(self, namespace: str, text: str) -> Any:
        """The same with an event's JSON as text, which may be none."""
        self._acks += 1
        await self.send(f"2{namespace},{self._acks}{text}")
        head = f"3{namespace},{self._acks}"
        while True:
            packet = await self.receive()
            if packet.startswith(head + "["):
                [answer] = json.loads(packet.removeprefix(head))
                return answer


@asynccontextmanager
async def raw_client(url: str, **options: Any) -> AsyncIterator[RawClient]:
    """Connected, with no namespace open."""
    async with (
        ClientSession() as http,
        http.ws_connect(
            f"{url}/socket.io/?EIO=4&transport=websocket", timeout=ClientWSTimeout(ws_close=0.1), **options
        ) as socket,
    ):
        opened = await socket.receive_str(timeout=PATIENCE_SECONDS)
        assert opened.startswith("0")
        yield RawClient(socket)
