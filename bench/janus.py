"""Debian's Janus and its video room, over its REST interface: one publisher, many subscribers."""

import asyncio
import os
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from aiortc.rtcdtlstransport import RTCCertificate

from bench.namespaces import LOAD_ADDRESS, SERVER, SERVER_ADDRESS, inside
from bench.peer import PASSWORD, UFRAG, Connection, JoinError, open_socket, reach

CONFIGURATION = Path("/etc/janus")
PLUGIN = "janus.plugin.videoroom"
URL = f"http://{SERVER_ADDRESS}:8088/janus"
ROOM = 1
START_TIMEOUT = 20.0  # seconds
STEP_TIMEOUT = 20.0
VIDEO_TYPE, AUDIO_TYPE = 96, 111
BITRATE = 128_000_000  # no cap: the pace is the benchmark's
# A REST session must outlast a run.
COMMAND = ["janus", "--debug-level=2", "--disable-colors", "--session-timeout=0"]


@asynccontextmanager
async def janus_running(core: int) -> AsyncIterator[int]:
    """Janus in the server's namespace, pinned to `core`, the video room its only plugin; gives its process id."""
    with TemporaryDirectory(prefix="huitang-bench-janus-") as folder:
        for each in ("janus.jcfg", "janus.transport.http.jcfg", f"{PLUGIN}.jcfg"):
            (Path(folder) / each).write_text((CONFIGURATION / each).read_text())
        command = [*inside(SERVER), *COMMAND, f"--configs-folder={folder}", f"--interface={SERVER_ADDRESS}"]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: ASYNC220 - before anything is measured
        os.sched_setaffinity(process.pid, {core})
        try:
            await _ready(process)
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=20)


async def _ready(process: "subprocess.Popen[bytes]") -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(START_TIMEOUT):
        while True:
            if process.poll() is not None:
                raise JoinError(f"Janus ended with code {process.returncode}")
            try:
                async with http.get(f"{URL}/info") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


@dataclass
class Client:
    """One REST session with many plugin handles; a long poll brings their events."""

    http: aiohttp.ClientSession
    certificate: RTCCertificate
    url: str = ""
    events: dict[int, asyncio.Queue[dict[str, Any]]] = field(default_factory=dict)
    polling: asyncio.Task[None] | None = None
    connections: list[Connection] = field(default_factory=list)
    keeping: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, certificate: RTCCertificate) -> "Client":
        """A session with a room in it."""
        client = cls(aiohttp.ClientSession(), certificate)
        created = await client._post(URL, {"janus": "create"})
        client.url = f"{URL}/{created['data']['id']}"
        client.polling = asyncio.create_task(client._poll())
        handle = await client.attach()
        room = {
            "request": "create",
            "room": ROOM,
            "publishers": 1,
            "bitrate": BITRATE,
            "audiolevel_event": False,
        }
        await client._post(f"{client.url}/{handle}", {"janus": "message", "body": room})
        return client

    async def close(self) -> None:
        """Leave and close the sockets."""
        for task in (self.polling, self.keeping):
            if task is not None:
                task.cancel()
        await self.http.close()
        for connection in self.connections:
            connection.socket.close()

    async def attach(self) -> int:
        """A new plugin handle."""
        attached = await self._post(self.url, {"janus": "attach", "plugin": PLUGIN})
        handle: int = attached["data"]["id"]
        self.events[handle] = asyncio.Queue()
        return handle

    async def publish(self, ssrcs: dict[str, int]) -> tuple[int, Connection]:
        """Publish VP8 and Opus; returns the feed's id and the connection."""
        handle, sock = await self.attach(), open_socket(LOAD_ADDRESS)
        joined = await self._ask(handle, {"request": "join", "ptype": "publisher", "room": ROOM})
        offer = self._description("offer", "sendonly", sock, ssrcs)
        answer = await self._ask(handle, {"request": "publish"}, offer)
        return joined["plugindata"]["data"]["id"], await self._reach(sock, answer)

    async def subscribe(self, feed: int) -> Connection:
        """Receive a feed."""
        handle, sock = await self.attach(), open_socket(LOAD_ADDRESS)
        wish = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed}]}
        offer = await self._ask(handle, wish)
        await self._ask(handle, {"request": "start"}, self._description("answer", "recvonly", sock, {}))
        return await self._reach(sock, offer)

    async def _reach(self, sock: socket.socket, described: dict[str, Any]) -> Connection:
        lines = described["jsep"]["sdp"].splitlines()
        found = {
            key: value for key, _, value in (line[2:].partition(":") for line in lines if line[:2] == "a=")
        }
        candidate = next(
            line.split() for line in lines if line.startswith("a=candidate:") and " udp " in line.lower()
        )
        ice = {"usernameFragment": found["ice-ufrag"], "password": found["ice-pwd"]}
        sock.connect((candidate[4], int(candidate[5])))
        connection = await reach(sock, ice, self.certificate)
        self.connections.append(connection)
        self.keeping = self.keeping or asyncio.create_task(self._consent())
        return connection

    async def _consent(self) -> None:
        while True:
            await asyncio.sleep(5)
            for connection in self.connections:
                connection.socket.send(connection.check)

    def _description(
        self, kind: str, direction: str, sock: socket.socket, ssrcs: dict[str, int]
    ) -> dict[str, str]:
        """An SDP of one Opus and one VP8 section, bundled; DTLS is ours to begin."""
        fingerprint = self.certificate.getFingerprints()[0]
        common = [
            "c=IN IP4 0.0.0.0",
            "a=rtcp-mux",
            f"a=ice-ufrag:{UFRAG}",
            f"a=ice-pwd:{PASSWORD}",
            f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
            "a=setup:active",
            f"a=candidate:1 1 udp 2130706431 {LOAD_ADDRESS} {sock.getsockname()[1]} typ host",
            "a=end-of-candidates",
            f"a={direction}",
        ]
        sdp = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
        for mid, (media, number, codec) in enumerate(
            (("audio", AUDIO_TYPE, "opus/48000/2"), ("video", VIDEO_TYPE, "VP8/90000"))
        ):
            sdp += [
                f"m={media} 9 UDP/TLS/RTP/SAVPF {number}",
                *common,
                f"a=mid:{mid}",
                f"a=rtpmap:{number} {codec}",
            ]
            if media in ssrcs:
                sdp.append(f"a=ssrc:{ssrcs[media]} cname:benchmark")
        return {"type": kind, "sdp": "\r\n".join(sdp) + "\r\n"}

    async def _ask(
        self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A message and the event that follows it."""
        message: dict[str, Any] = {"janus": "message", "body": body}
        if jsep is not None:
            message["jsep"] = jsep
        await self._post(f"{self.url}/{handle}", message)
        event = await asyncio.wait_for(self.events[handle].get(), STEP_TIMEOUT)
        data = event["plugindata"]["data"]
        if "error" in data:
            raise JoinError(f"{body['request']}: {data['error']}")
        return event

    async def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.http.post(url, json=body | {"transaction": secrets.token_hex(6)}) as answer:
            result: dict[str, Any] = await answer.json()
        if result["janus"] == "error":
            raise JoinError(f"{body['janus']}: {result['error']}")
        return result

    async def _poll(self) -> None:
        while True:
            async with self.http.get(self.url, params={"maxev": "10"}) as answer:
                events = await answer.json()
            for event in events if isinstance(events, list) else [events]:
                if event["janus"] == "event" and event["sender"] in self.events:
                    self.events[event["sender"]].put_nowait(event)
