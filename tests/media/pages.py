"""A page of the system's Chromium and a router: a bare RTCPeerConnection that sends, and one that receives."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiortc.sdp import SessionDescription
from playwright.async_api import Browser, Page

from media import Consumer, Router, Transport
from media.producer import Producer
from tests.chromium import ALLOWED, CHROMIUM, launched
from tests.media import sdp
from tests.media.samples import everything
from tests.patience import PATIENCE_SECONDS

FAKE_CAMERA = "--use-fake-device-for-media-stream"
SECURE = "http://localhost/"  # where a browser gives a camera; nobody is asked for it

SEND = """async ({codec, sendEncodings, camera, width, height, audioCodecs}) => {
    const canvas = document.createElement('canvas'); canvas.width = width; canvas.height = height;
    const paint = canvas.getContext('2d'); let step = 0;
    setInterval(() => {
        paint.fillStyle = `hsl(${step++ * 7 % 360} 80% 50%)`; paint.fillRect(0, 0, width, height);
    }, 50);
    const pictures = camera ? await navigator.mediaDevices.getUserMedia({video: {width, height, frameRate: 20}})
        : canvas.captureStream(20);
    const audio = new AudioContext(); const out = audio.createMediaStreamDestination();
    const tone = audio.createOscillator(); tone.connect(out); tone.start();
    const pc = window.sending = new RTCPeerConnection();
    pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: 'sendonly'});
    const video = pc.addTransceiver(pictures.getVideoTracks()[0], {direction: 'sendonly', sendEncodings});
    const all = RTCRtpSender.getCapabilities('video').codecs;
    video.setCodecPreferences(all.filter(c => c.mimeType === 'video/rtx' || (c.mimeType === codec
        && !/packetization-mode=0|profile-id=[1-9]|profile=[1-9]|profile-level-id=(?!42e01f)/.test(c.sdpFmtpLine))));
    pc.getTransceivers()[0].setCodecPreferences(
        audioCodecs.map(wanted => RTCRtpSender.getCapabilities('audio').codecs.find(c => c.mimeType === wanted)));
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""

RECEIVE = """async (offer) => {
    const pc = window.receiving = new RTCPeerConnection();
    pc.ontrack = ({track, streams}) => {
        const element = document.createElement(track.kind); element.autoplay = true;
        element.srcObject = new MediaStream([track]); document.body.append(element);
    };
    await pc.setRemoteDescription({type: 'offer', sdp: offer});
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""


@asynccontextmanager
async def chromium(executable: str = CHROMIUM) -> AsyncIterator[Page]:
    """An empty page of a Chromium of its own."""
    async with launched(FAKE_CAMERA, executable=executable) as browser, empty_page(browser) as page:
        yield page


@asynccontextmanager
async def empty_page(browser: Browser) -> AsyncIterator[Page]:
    """One that ends with the block."""
    async with await browser.new_context(permissions=ALLOWED) as context:
        page = await context.new_page()
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        await page.route(SECURE, lambda route: route.fulfill(body=""))
        await page.goto(SECURE)
        yield page


async def publish(
    page: Page,
    router: Router,
    role: str = "client",
    *,
    codec: str = "video/VP8",
    layers: int = 1,
    mode: str | None = None,
    announced: bool = True,
    size: tuple[int, int] = (640, 480),
    red: bool = False,
    camera: Sequence[int] = (),
) -> tuple[Transport, list[Producer]]:
    """Let the page send its tone and its canvas, or its camera in layers of so many bit/s each."""
    transport = router.create_transport("send")
    transport.set_admitted(True)
    layers = len(camera) or layers
    rids = [f"r{layer}" for layer in range(layers)] if layers > 1 else []
    scalability = {"scalabilityMode": mode} if mode else {}
    encodings: list[dict[str, Any]] = [
        {"rid": rid, "scaleResolutionDownBy": 2 ** (layers - 1 - layer), **scalability}
        for layer, rid in enumerate(rids)
    ]
    for encoding, bps in zip(encodings, camera, strict=False):
        encoding["maxBitrate"] = bps
    wanted = {
        "codec": codec,
        "sendEncodings": encodings or ([scalability] if mode else []),
        "camera": bool(camera),
        "width": size[0],
        "height": size[1],
        "audioCodecs": [*(["audio/red"] if red else []), "audio/opus"],
    }
    offer = SessionDescription.parse(await page.evaluate(SEND, wanted))
    await transport.connect(sdp.dtls_parameters(offer, role))
    audio, video = offer.media
    pictures = sdp.rtp_parameters(video, rids)
    for encoding in pictures["encodings"] if announced else []:
        encoding.update(scalability)
    producers = [
        transport.produce("audio", sdp.rtp_parameters(audio)),
        transport.produce("video", pictures),
    ]
    setup = "passive" if role == "client" else "active"
    await answer(page, sdp.answer(offer, transport.parameters(), setup, rids))
    return transport, producers


async def receive(page: Page, router: Router, *producers: Producer) -> list[Consumer]:
    """Let the page play these."""
    transport = router.create_transport("recv")
    transport.set_admitted(True)
    consumers = [transport.consume(producer.id, everything()) for producer in producers]
    offer = sdp.offer([consumer.rtp_parameters for consumer in consumers], transport.parameters())
    local = SessionDescription.parse(await page.evaluate(RECEIVE, offer))
    await transport.connect(sdp.dtls_parameters(local, "client"))
    for consumer in consumers:
        consumer.resume()
    return consumers


async def answer(page: Page, text: str) -> None:
    await page.evaluate("sdp => sending.setRemoteDescription({type: 'answer', sdp})", text)
