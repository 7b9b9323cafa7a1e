"""Socket.IO over one WebSocket, no more than a peer needs: what the server tells unasked is not even parsed."""

import asyncio
import contextlib
import json
from typing import Any

import aiohttp

NAMESPACE = "/rooms"
ACKNOWLEDGEMENT = f"43{NAMESPACE},"
MESSAGE_MOST = 8 << 20  # the answer to a join of a large room


class Wire:
    """One connection. `open` it, `call`, `close`."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = socket
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, cookie: str, timeout: float) -> "Wire":
        """Connect to the namespace with the session `cookie`; ConnectionError if it is refused."""
        http = aiohttp.ClientSession(headers={"Cookie": cookie})
        try:
            async with asyncio.timeout(timeout):
                socket = await http.ws_connect(
                    f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=MESSAGE_MOST
                )
                await socket.receive_str()  # Engine.IO's own opening
                await socket.send_str(f"40{NAMESPACE},")
                answer = await socket.receive_str()
        except BaseException:
            await http.close()
            raise
        if not answer.startswith(f"40{NAMESPACE},"):
            await http.close()
            raise ConnectionError(answer)
        wire = cls(http, socket)
        wire._reading = asyncio.create_task(wire._read())
        return wire

    async def call(self, event: str, payload: dict[str, Any], timeout: float) -> Any:
        """Send an event and return what it is acknowledged with."""
        self._asked += 1
        answer = self._waiting[self._asked] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(f"42{NAMESPACE},{self._asked}{json.dumps([event, payload])}")
        async with asyncio.timeout(timeout):
            return await answer

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self._socket.close()
        await self._http.close()

    async def _read(self) -> None:
        async for message in self._socket:
            text = message.data
            if text == "2":
                await self._socket.send_str("3")
            elif text.startswith(ACKNOWLEDGEMENT):
                number, bracket, rest = text[len(ACKNOWLEDGEMENT) :].partition("[")
                answer = self._waiting.pop(int(number))
                if not answer.done():  # nobody waits any more
                    answer.set_result(json.loads(bracket + rest)[0])
