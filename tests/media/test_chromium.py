"""The system's Chromium against the engine: a bare RTCPeerConnection, so what fails here is ICE, DTLS, SRTP or RTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc.sdp import SessionDescription
from playwright.async_api import Page, async_playwright

from media import MediaSettings, Router, Transport
from media.events import TransportState, TransportStateChanged
from media.producer import Producer
from tests.media import sdp
from tests.media.conftest import Join
from tests.media.peers import Listener, Picture, Tone
from tests.media.samples import everything

pytestmark = pytest.mark.browser

GCM, CM = "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"

SEND = """async () => {
    const canvas = document.createElement('canvas'); canvas.width = 320; canvas.height = 240;
    const paint = canvas.getContext('2d'); let step = 0;
    setInterval(() => { paint.fillStyle = `hsl(${step++ * 7 % 360} 80% 50%)`; paint.fillRect(0, 0, 320, 240); }, 50);
    const audio = new AudioContext(); const out = audio.createMediaStreamDestination();
    const tone = audio.createOscillator(); tone.connect(out); tone.start();
    const pc = window.sending = new RTCPeerConnection();
    pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: 'sendonly'});
    const video = pc.addTransceiver(canvas.captureStream(20).getVideoTracks()[0], {direction: 'sendonly'});
    const all = RTCRtpSender.getCapabilities('video').codecs;
    video.setCodecPreferences(all.filter(c => ['video/VP8', 'video/rtx'].includes(c.mimeType)));
    pc.getTransceivers()[0].setCodecPreferences(
        RTCRtpSender.getCapabilities('audio').codecs.filter(c => c.mimeType === 'audio/opus'));
    await pc.setLocalDescription();
    return pc.localDescription.sdp;
}"""

RESTART = """async () => {
    sending.restartIce();
    await sending.setLocalDescription();
    return sending.localDescription.sdp;
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

# Resolves when the page decodes pictures and hears sound.
RECEIVED = """async () => {
    for (;;) {
        const stats = [...(await receiving.getStats()).values()].filter(s => s.type === 'inbound-rtp');
        const video = stats.find(s => s.kind === 'video'), audio = stats.find(s => s.kind === 'audio');
        if (video?.framesDecoded >= 5 && audio?.totalAudioEnergy > 0) return video.framesDecoded;
        await new Promise(next => setTimeout(next, 50));
    }
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield await browser.new_page()
        await browser.close()


async def publish(page: Page, router: Router, role: str) -> tuple[Transport, list[Producer]]:
    """Let the page send its tone and its canvas."""
    transport = router.create_transport("send")
    transport.set_admitted(True)
    offer = SessionDescription.parse(await page.evaluate(SEND))
    await transport.connect(sdp.dtls_parameters(offer, role))
    producers = [transport.produce(media.kind, sdp.rtp_parameters(media)) for media in offer.media]
    setup = "passive" if role == "client" else "active"
    await answer(page, sdp.answer(offer, transport.parameters(), setup))
    return transport, producers


async def answer(page: Page, text: str) -> None:
    await page.evaluate("sdp => sending.setRemoteDescription({type: 'answer', sdp})", text)


@pytest.mark.parametrize(("profile", "role"), [(GCM, "client"), (CM, "client"), (GCM, "server")])
class TestChromiumSends:
    @pytest.fixture
    def settings(self, profile: str) -> MediaSettings:
        return MediaSettings(port=0, srtp_profiles=(profile,))

    async def test_its_tone_and_pictures_arrive(
        self, page: Page, router: Router, join: Join, profile: str, role: str
    ) -> None:
        transport, (microphone, camera) = await publish(page, router, role)
        viewer = await join()
        _, heard = await viewer.subscribe(microphone)
        _, seen = await viewer.subscribe(camera)
        await seen.reach(5)
        await heard.hear(0.01)
        assert transport.statistics()["srtpCipher"] == profile


async def test_gcm_is_what_chromium_takes_by_default(page: Page, router: Router, listener: Listener) -> None:
    transport, _ = await publish(page, router, "client")
    await listener.expect(lambda e: e == TransportStateChanged(transport.id, TransportState.CONNECTED))
    assert transport.statistics()["srtpCipher"] == GCM


async def test_chromium_sees_and_hears(page: Page, router: Router, join: Join) -> None:
    voice, picture = Tone(), Picture()
    speaker = await join(voice, picture)
    producers = [await speaker.publish(track) for track in (voice, picture)]
    transport = router.create_transport("recv")
    transport.set_admitted(True)
    consumers = [transport.consume(producer.id, everything()) for producer in producers]
    offer = sdp.offer([consumer.rtp_parameters for consumer in consumers], transport.parameters())
    local: Any = SessionDescription.parse(await page.evaluate(RECEIVE, offer))
    await transport.connect(sdp.dtls_parameters(local, "client"))
    for consumer in consumers:
        consumer.resume()
    assert await page.evaluate(RECEIVED) >= 5


async def test_chromium_restarts_ice_and_goes_on(page: Page, router: Router, join: Join) -> None:
    transport, (microphone, _) = await publish(page, router, "client")
    _, heard = await (await join()).subscribe(microphone)
    await heard.reach(10)
    old = transport.parameters()["iceParameters"]["usernameFragment"]
    transport.restart_ice()
    offer = SessionDescription.parse(await page.evaluate(RESTART))
    await answer(page, sdp.answer(offer, transport.parameters(), "passive"))
    await heard.reach(100)
    assert router._context.pump.by_ufrag.keys().isdisjoint({old})
    assert await page.evaluate("sending.iceConnectionState") in {"connected", "completed"}
