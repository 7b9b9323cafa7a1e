"""The whole server in the test process, and devices that come to it over HTTP."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession
from aiohttp.test_utils import TestServer
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from database import Database
from rooms import StreamKeys
from rooms.stream_keys import NewStreamKey, StreamUse
from signaling import SignalingSettings
from signaling.cookies import SESSION_COOKIE
from tests.media.peers import Picture, Sink, Tone
from tests.signaling.stack import Branch, Stack
from tests.web.conftest import make_services
from web.application import create_app
from web.figures import Figures
from web.health import Health
from web.pages import ClientPages
from web.services import WebSettings

SDP = "application/sdp"


class House(Stack):
    """A stack behind the real web application."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder, SignalingSettings())
        self.database = database
        self.stream_keys = StreamKeys(database, self.rooms, self.clock)
        services = replace(
            make_services(database, self.clock, folder),
            accounts=self.accounts,
            tokens=self.tokens,
            meetings=self.meetings,
            live_rooms=self.rooms,
            stream_keys=self.stream_keys,
            streams=self.signaling.streams,
        )
        app = create_app(
            services, WebSettings(), health=Health({}), figures=Figures(), pages=ClientPages(folder / "dist")
        )
        self.signaling.attach(app)
        self.http = TestServer(app)

    async def key(self, branch: Branch, meeting: str, name: str, use: StreamUse) -> NewStreamKey:
        """A stream key that the secretary makes."""
        return await self.stream_keys.create(await self.actor(branch.secretary), meeting, name, use)


@dataclass
class Answered:
    """What an HTTP call brought."""

    status: int
    text: str
    headers: Any
    code: str


class Device:
    """An encoder or player: HTTP calls with a stream key, and an aiortc peer behind them."""

    def __init__(self, url: str, meeting: str, key: str) -> None:
        self.base = f"{url}/api/meetings/{meeting}"
        self.key = key
        self.url = url
        self.session: str = ""
        self.etag = ""
        self.sinks: dict[str, Sink] = {}
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.on("track", self._on_track)
        self._http = ClientSession()

    def _on_track(self, track: Any) -> None:
        self.sinks[track.kind] = Sink(track)

    async def publish(self, *, query: str = "", amplitude: float = 0.5) -> Answered:
        """WHIP with a microphone and a camera."""
        self.peer.addTrack(Tone(amplitude=amplitude))
        self.peer.addTrack(Picture())
        return await self._negotiate("whip" + query)

    async def watch(self, *, query: str = "") -> Answered:
        """WHEP."""
        self.peer.addTransceiver("audio", direction="recvonly")
        self.peer.addTransceiver("video", direction="recvonly")
        return await self._negotiate("whep" + query)

    async def _negotiate(self, path: str) -> Answered:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        answered = await self.call("POST", f"{self.base}/{path}", self.peer.localDescription.sdp)
        if answered.status == 201:
            self.session = self.url + answered.headers["Location"]
            self.etag = answered.headers["ETag"]
            await self.peer.setRemoteDescription(RTCSessionDescription(answered.text, "answer"))
        return answered

    async def call(
        self, method: str, url: str, body: str | None = None, content_type: str = SDP, **headers: str
    ) -> Answered:
        """Any call with this device's key."""
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        if body is not None:
            sent["Content-Type"] = content_type
        async with self._http.request(method, url, data=body, headers=sent) as response:
            return await _answered(response)

    async def end(self) -> Answered:
        """The device's own DELETE."""
        return await self.call("DELETE", self.session)

    async def close(self) -> None:
        """Stop without a word."""
        for sink in self.sinks.values():
            await sink.stop()
        await self.peer.close()
        await self._http.close()


async def _answered(response: ClientResponse) -> Answered:
    text = await response.text()
    code = (await response.json())["error"]["code"] if response.content_type == "application/json" else ""
    return Answered(response.status, text, response.headers, code)


def cookie(token: str) -> dict[str, str]:
    """The session of somebody signed in."""
    return {"Cookie": f"{SESSION_COOKIE}={token}"}
