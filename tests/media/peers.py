"""Whole WebRTC peers in this process: pymediasoup Devices (aiortc) that talk to a Router without any signaling."""

import asyncio
import fractions
import math
from collections.abc import Awaitable, Callable
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from pymediasoup import AiortcHandler, Device
from pymediasoup.models.transport import DtlsParameters, IceCandidate, IceParameters
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters

from media import Consumer, MediaEvent, Producer, Router, Transport
from tests.patience import PATIENCE_SECONDS

# How long anything may take on a machine that is busy with other things.

AUDIO_RATE = 48_000
AUDIO_FRAME = AUDIO_RATE // 50


class Tone(MediaStreamTrack):
    """A sine of the given pitch."""

    kind = "audio"

    def __init__(self, hertz: float = 440.0, amplitude: float = 0.5) -> None:
        super().__init__()
        self.hertz = hertz
        self.amplitude = amplitude
        self._pacer = Pacer(0.02)
        self._samples = 0

    async def recv(self) -> av.AudioFrame:
        await self._pacer.wait()
        phase = np.arange(self._samples, self._samples + AUDIO_FRAME) * (
            2 * math.pi * self.hertz / AUDIO_RATE
        )
        samples = (np.sin(phase) * self.amplitude * 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = AUDIO_RATE
        frame.pts = self._samples
        frame.time_base = fractions.Fraction(1, AUDIO_RATE)
        self._samples += AUDIO_FRAME
        return frame


class Picture(MediaStreamTrack):
    """A grey that grows lighter with every frame, small and slow enough for a shared machine."""

    kind = "video"

    def __init__(self, frames_per_second: int = 10, width: int = 160, height: int = 120) -> None:
        super().__init__()
        self._pacer = Pacer(1 / frames_per_second)
        self._step = 90_000 // frames_per_second
        self._size = (height, width, 3)
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await self._pacer.wait()
        pixels = np.full(self._size, self._count % 200 + 20, dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = self._count * self._step
        frame.time_base = fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Pacer:
    """Gives the beat of a live source."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next: float | None = None

    async def wait(self) -> None:
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.time()
        self._next += self._interval
        await asyncio.sleep(max(0.0, self._next - loop.time()))


class Sink:
    """Reads a received track for ever."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.frames = 0
        self.energy = 0.0  # mean square of the last audio frame, 1.0 is full scale
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._read(track))

    async def reach(self, frames: int) -> None:
        """Wait for so many more frames."""
        wanted = self.frames + frames
        await until(lambda: self.frames >= wanted, self._arrived)

    async def hear(self, at_least: float) -> None:
        """Wait for sound as loud as this."""
        await until(lambda: self.energy >= at_least, self._arrived)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.AudioFrame):
                samples = frame.to_ndarray().astype(np.float64) / 32_768
                self.energy = float(np.mean(samples**2))
            self.frames += 1
            self._arrived.set()


class Listener:
    """Keeps a router's events."""

    def __init__(self) -> None:
        self.events: list[MediaEvent] = []
        self._arrived = asyncio.Event()

    def on_media_event(self, event: MediaEvent) -> None:
        self.events.append(event)
        self._arrived.set()

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one class."""
        return [event for event in self.events if isinstance(event, kind)]

    async def expect(self, wanted: Callable[[MediaEvent], bool]) -> MediaEvent:
        """The first such event, now or later."""
        await until(lambda: any(wanted(event) for event in self.events), self._arrived)
        return next(event for event in self.events if wanted(event))


class Peer:
    """One participant: joins a router, publishes tracks, subscribes to producers."""

    def __init__(
        self,
        router: Router,
        *tracks: MediaStreamTrack,
        admitted: bool = True,
        candidates: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list,
    ) -> None:
        self.router = router
        self._candidates = candidates
        self.sinks: list[Sink] = []
        self.transports: list[Transport] = []
        self._tracks = list(tracks)
        self._admitted = admitted
        self._device = Device(handlerFactory=AiortcHandler.createFactory(tracks=list(tracks)))
        self._remote: dict[str, Any] = {}

    async def join(self) -> "Peer":
        await self._device.load(RtpCapabilities(**self.router.rtp_capabilities))
        return self

    @property
    def rtp_capabilities(self) -> dict[str, Any]:
        capabilities = self._device.rtpCapabilities
        assert capabilities is not None
        return dict(capabilities.model_dump())

    async def publish(self, track: MediaStreamTrack) -> Producer:
        """Send the track; the server's producer."""
        producer = await self._transport("send").produce(track=track, stopTracks=False)
        found = self.router.producer(producer.id)
        assert found is not None
        return found

    async def subscribe(self, producer: Producer, *, resume: bool = True) -> tuple[Consumer, Sink]:
        """Receive a producer; the server's consumer and what is decoded of it."""
        remote = self._transport("recv")
        consumer = self.transport("recv").consume(producer.id, self.rtp_capabilities)
        received = await remote.consume(
            id=consumer.id,
            producerId=producer.id,
            kind=consumer.kind,
            rtpParameters=RtpParameters(**consumer.rtp_parameters),
        )
        sink = Sink(received.track)
        self.sinks.append(sink)
        if resume:
            consumer.resume()
        return consumer, sink

    def transport(self, direction: str) -> Transport:
        """The server's side of it."""
        return next(t for t in self.transports if t.direction == direction and not t.closed)

    async def restart_ice(self, direction: str) -> None:
        parameters = self.transport(direction).restart_ice()
        await self._remote[direction].restartIce(IceParameters(**parameters))

    async def leave(self) -> None:
        for sink in self.sinks:
            await sink.stop()
        for remote in self._remote.values():
            await remote.close()
        for track in self._tracks:
            track.stop()

    def _transport(self, direction: str) -> Any:
        if direction in self._remote:
            return self._remote[direction]
        ours = self.router.create_transport("send" if direction == "send" else "recv")
        ours.set_admitted(self._admitted)
        self.transports.append(ours)
        options = ours.parameters()
        create: Callable[..., Any] = (
            self._device.createSendTransport if direction == "send" else self._device.createRecvTransport
        )
        remote = create(
            id=options["id"],
            iceParameters=IceParameters(**options["iceParameters"]),
            iceCandidates=[
                IceCandidate(**candidate) for candidate in self._candidates(options["iceCandidates"])
            ],
            dtlsParameters=DtlsParameters(**options["dtlsParameters"]),
            sctpParameters=None,
        )
        self._remote[direction] = remote

        @remote.on("connect")  # type: ignore[untyped-decorator]
        async def on_connect(parameters: DtlsParameters) -> None:
            await ours.connect(parameters.model_dump())

        @remote.on("produce")  # type: ignore[untyped-decorator]
        async def on_produce(kind: str, parameters: RtpParameters, _data: object) -> str:
            return ours.produce(kind, parameters.model_dump()).id

        return remote


async def until(condition: Callable[[], bool], changed: asyncio.Event) -> None:
    """Wait for a condition that can only come true when `changed` is set; TimeoutError after PATIENCE_SECONDS."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            changed.clear()
            await changed.wait()


Leaving = Callable[[], Awaitable[None]]
