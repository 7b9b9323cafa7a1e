"""A client as people have it: python-socketio for signaling, pymediasoup and aiortc for media, both unmodified."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
import socketio
from aiortc import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from pymediasoup import AiortcHandler, Device
from pymediasoup.consumer import Consumer
from pymediasoup.models.transport import DtlsParameters, IceCandidate, IceParameters
from pymediasoup.producer import Producer
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters
from pymediasoup.transport import Transport

from tests.patience import PATIENCE_SECONDS

Payload = dict[str, Any]


class Refused(Exception):  # noqa: N818 - what became of a call
    """An acknowledgement that said no."""

    def __init__(self, error: Payload) -> None:
        super().__init__(f"{error['code']}: {error.get('details')}")
        self.code: str = error["code"]
        self.details: Payload = error.get("details", {})


class Tone(AudioStreamTrack):
    """A loud tone; so many `seconds` of it have been given."""

    def __init__(self, hertz: int = 440) -> None:
        super().__init__()
        self._hertz = hertz
        self.seconds = 0.0

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms."""
        frame = cast("av.AudioFrame", await super().recv())
        times = (np.arange(frame.samples) + (frame.pts or 0)) / frame.sample_rate
        sound = (np.sin(2 * np.pi * self._hertz * times) * 20_000).astype(np.int16)
        frame.planes[0].update(sound.tobytes())
        self.seconds = ((frame.pts or 0) + frame.samples) / frame.sample_rate
        return frame


class SmallPicture(VideoStreamTrack):
    """A grey picture of 96 by 64 that grows lighter: cheap to encode, and it moves."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    async def recv(self) -> av.VideoFrame:
        """The next picture, at 30 a second."""
        pts, time_base = await self.next_timestamp()
        self.sent += 1
        pixels = np.full((64, 96, 3), self.sent % 256, dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = pts, Fraction(time_base)
        return frame


class Participant:
    """One device of somebody in `/rooms` (or a page in `/stations`)."""

    def __init__(self, url: str, namespace: str = "/rooms") -> None:
        self._url = url
        self._namespace = namespace
        self._news = asyncio.Condition()
        self._client = socketio.AsyncClient(reconnection=False)
        self._listen()
        self.events: list[tuple[str, Payload]] = []
        self.answer: Payload = {}
        self.device: Device | None = None
        self.transports: dict[str, Transport] = {}
        self.tracks: list[MediaStreamTrack] = []

    # Signaling

    async def connect(
        self, *, cookie: str | None = None, auth: Payload | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Open the namespace; socketio's ConnectionError when refused."""
        await self._client.connect(
            self._url,
            namespaces=[self._namespace],
            transports=["websocket"],
            headers={"Cookie": f"huitang_session={cookie}"} if cookie else headers or {},
            auth=auth,
            wait_timeout=PATIENCE_SECONDS,
        )

    async def call(self, event: str, payload: Payload | None = None) -> Payload:
        """Ask; Refused when the answer is no."""
        answer = await self._client.call(
            event, payload or {}, namespace=self._namespace, timeout=PATIENCE_SECONDS
        )
        if not answer["ok"]:
            raise Refused(answer["error"])
        data: Payload = answer["data"]
        return data

    async def refused(self, event: str, payload: Payload | None = None) -> str:
        """Ask what is to be refused; answers the code."""
        try:
            data = await self.call(event, payload)
        except Refused as refusal:
            return refusal.code
        raise AssertionError(f"{event} was not refused: {data}")

    async def join(self, meeting_id: str, **payload: Any) -> Payload:
        """Enter; the answer is kept."""
        self.answer = await self.call("join", {"meetingId": meeting_id, **payload})
        return self.answer

    async def heard(self, event: str, test: Callable[[Payload], bool] = lambda _: True) -> Payload:
        """The first such event, come already or yet to come; taken out of `events`."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            while True:
                for index, (name, payload) in enumerate(self.events):
                    if name == event and test(payload):
                        del self.events[index]
                        return payload
                await self._news.wait()

    def has_heard(self, event: str) -> bool:
        """Whether such an event has come."""
        return any(name == event for name, _ in self.events)

    @property
    def connected(self) -> bool:
        """Whether the namespace is open."""
        return self._namespace in self._client.namespaces

    async def cut(self) -> None:
        """Lose the WebSocket as a network loses it: without a word."""
        self._client.eio.ws._response.connection.transport.abort()
        await self.disconnected()

    @property
    def engine_sid(self) -> str:
        """Engine.IO's name for the connection."""
        return str(self._client.eio.sid)

    async def disconnected(self) -> None:
        """Wait until the connection is gone."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._gone.wait()

    async def drop_media(self) -> None:
        """Give up every transport and track: what they were made with is gone."""
        for transport in self.transports.values():
            await transport.close()
        self.transports.clear()
        for track in self.tracks:
            track.stop()
        self.tracks.clear()

    async def reconnect(self, **credential: Any) -> None:
        """A new Socket.IO connection beside the media that live on."""
        self._client = socketio.AsyncClient(reconnection=False)
        self._listen()
        await self.connect(**credential)

    async def close(self) -> None:
        """Go, media first."""
        await self.drop_media()
        await self._client.disconnect()

    def _listen(self) -> None:
        self._gone = gone = asyncio.Event()

        async def note_the_end(_reason: str) -> None:
            gone.set()

        async def remember(event: str, payload: Payload | None = None) -> None:
            async with self._news:
                self.events.append((event, payload or {}))
                self._news.notify_all()

        self._client.on("*", remember, namespace=self._namespace)
        self._client.on("disconnect", note_the_end, namespace=self._namespace)

    # Media

    async def transport(self, direction: str) -> Transport:
        """A transport of the device, made at first use."""
        if direction in self.transports:
            return self.transports[direction]
        device = await self._loaded_device()
        options = await self.call("createTransport", {"direction": direction})
        make = device.createSendTransport if direction == "send" else device.createRecvTransport
        transport = make(
            id=options["id"],
            iceParameters=IceParameters(**options["iceParameters"]),
            iceCandidates=[IceCandidate(**candidate) for candidate in options["iceCandidates"]],
            dtlsParameters=DtlsParameters(**options["dtlsParameters"]),
            sctpParameters=None,
        )
        self._answer_questions(transport)
        self.transports[direction] = transport
        return transport

    async def publish(
        self, source: str, *, paused: bool = False, track: MediaStreamTrack | None = None
    ) -> Producer:
        """Send a microphone's or a camera's track; by itself a tone or a small picture."""
        track = track or (SmallPicture() if source in {"camera", "screen"} else Tone())
        self.tracks.append(track)
        transport = await self.transport("send")
        return await transport.produce(
            track=track, stopTracks=False, appData={"source": source, "paused": paused}
        )

    async def consume(self, producer_id: str) -> Consumer:
        """Receive a producer, and begin."""
        transport = await self.transport("recv")
        capabilities = (await self._loaded_device()).rtpCapabilities
        assert capabilities is not None
        answer = await self.call(
            "consume",
            {
                "transportId": transport.id,
                "producerId": producer_id,
                "rtpCapabilities": capabilities.model_dump(exclude_none=True),
            },
        )
        consumer = await transport.consume(
            id=answer["id"],
            producerId=answer["producerId"],
            kind=answer["kind"],
            rtpParameters=RtpParameters(**answer["rtpParameters"]),
        )
        await self.call("resumeConsumer", {"consumerId": consumer.id})
        return consumer

    async def _loaded_device(self) -> Device:
        if self.device is None:
            device = Device(handlerFactory=AiortcHandler.createFactory(tracks=[]))
            await device.load(RtpCapabilities(**self.answer["routerRtpCapabilities"]))
            self.device = device
        return self.device

    def _answer_questions(self, transport: Transport) -> None:
        @transport.on("connect")
        async def on_connect(dtls_parameters: DtlsParameters) -> None:
            await self.call(
                "connectTransport",
                {
                    "transportId": transport.id,
                    "dtlsParameters": dtls_parameters.model_dump(exclude_none=True),
                },
            )

        @transport.on("produce")
        async def on_produce(kind: str, rtp_parameters: RtpParameters, app_data: Payload) -> str:
            answer = await self.call(
                "produce",
                {
                    "transportId": transport.id,
                    "kind": kind,
                    "rtpParameters": rtp_parameters.model_dump(exclude_none=True),
                    **app_data,
                },
            )
            return str(answer["id"])


async def frames(consumer: Consumer, count: int) -> list[Any]:
    """The next decoded frames of a track."""
    assert consumer.track is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [await consumer.track.recv() for _ in range(count)]


@asynccontextmanager
async def participant(
    url: str, *, namespace: str = "/rooms", **credential: Any
) -> AsyncIterator[Participant]:
    """Somebody connected, gone at the end."""
    somebody = Participant(url, namespace)
    try:
        await somebody.connect(**credential)
        yield somebody
    finally:
        await somebody.close()
