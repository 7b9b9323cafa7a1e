"""The system's Chromium against the engine: a bare RTCPeerConnection, so what fails here is ICE, DTLS, SRTP or RTP.

One Chromium for all of them, and so one event loop: to start it takes as long as a test.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from aiortc.sdp import SessionDescription
from playwright.async_api import Browser, Page

from media import Consumer, MediaEngine, MediaEvent, MediaSettings, Router
from media.events import ConsumerLayersChanged, TransportState, TransportStateChanged
from tests.chromium import launched
from tests.media import sdp
from tests.media.conftest import Join, joining, started
from tests.media.pages import FAKE_CAMERA, answer, empty_page, publish, receive
from tests.media.peers import Listener, Picture, Tone
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

GCM, CM = "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"

RESTART = """async () => {
    sending.restartIce();
    await sending.setLocalDescription();
    return sending.localDescription.sdp;
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


# Resolves when the page has got, and thrown away, copies of twenty frames of sound that it had already.
COPIES_RECEIVED = """async () => {
    for (;;) {
        const stats = [...(await receiving.getStats()).values()].filter(s => s.type === 'inbound-rtp');
        const audio = stats.find(s => s.kind === 'audio');
        if (audio?.packetsDiscarded >= 20) return [audio.packetsDiscarded, audio.packetsReceived];
        await new Promise(next => setTimeout(next, 50));
    }
}"""


# Whether the page has decoded more pictures than so many.
MORE_DECODED = """async (many) => {
    const stats = [...(await receiving.getStats()).values()].find(s => s.type === 'inbound-rtp' && s.kind === 'video');
    return stats.framesDecoded > many;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched(FAKE_CAMERA) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with empty_page(browser) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def engine(settings: MediaSettings) -> AsyncIterator[MediaEngine]:
    async with started(settings) as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="module")
async def join(router: Router) -> AsyncIterator[Join]:
    async with joining(router) as join:
        yield join


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
    transport, _ = await publish(page, router)
    await listener.expect(lambda e: e == TransportStateChanged(transport.id, TransportState.CONNECTED))
    assert transport.statistics()["srtpCipher"] == GCM


async def test_chromium_sees_and_hears(page: Page, router: Router, join: Join) -> None:
    voice, picture = Tone(), Picture()
    speaker = await join(voice, picture)
    await receive(page, router, *[await speaker.publish(track) for track in (voice, picture)])
    assert await page.evaluate(RECEIVED) >= 5


@pytest.mark.parametrize("codec", ["video/VP9", "video/H264", "video/AV1"])
async def test_every_video_codec_passes_from_chromium_to_chromium(
    page: Page, router: Router, codec: str
) -> None:
    _, producers = await publish(page, router, codec=codec)
    consumers = await receive(page, router, *producers)
    assert consumers[1].rtp_parameters["codecs"][0]["mimeType"] == codec
    assert await page.evaluate(RECEIVED) >= 5


async def test_redundant_audio_passes_from_chromium_to_chromium_and_plain_to_others(
    page: Page, router: Router, join: Join
) -> None:
    _, producers = await publish(page, router, red=True)
    _, heard = await (await join()).subscribe(producers[0])  # aiortc knows no RED
    await receive(page, router, *producers)
    await page.evaluate(RECEIVED)
    discarded, received = await page.evaluate(COPIES_RECEIVED)
    assert discarded <= received
    await heard.hear(0.01)


def forwards(consumer: Consumer, spatial_layer: int) -> Callable[[MediaEvent], bool]:
    return lambda event: (
        isinstance(event, ConsumerLayersChanged)
        and (event.consumer_id, event.spatial_layer) == (consumer.id, spatial_layer)
    )


@pytest.mark.parametrize("codec", ["video/VP8", "video/H264"])
async def test_the_best_simulcast_layer_is_forwarded(
    page: Page, router: Router, listener: Listener, codec: str
) -> None:
    # Chromium sends no third layer of so small a picture.
    _, producers = await publish(page, router, codec=codec, layers=2)
    assert producers[1].type == "simulcast"
    _, consumer = await receive(page, router, *producers)
    await listener.expect(forwards(consumer, 1))
    await page.wait_for_function("document.querySelector('video')?.videoWidth === 640")
    consumer.set_preferred_layers(0)
    await page.wait_for_function("document.querySelector('video').videoWidth === 320")
    await listener.expect(forwards(consumer, 0))


@pytest.mark.parametrize(
    ("codec", "mode", "announced"),
    [
        ("video/VP9", "L3T3_KEY", False),
        ("video/VP9", "L3T3", True),
        ("video/AV1", "L3T3_KEY", True),
        ("video/AV1", "L3T3", False),
    ],
)
async def test_spatial_layers_of_one_stream_are_chosen(
    page: Page, router: Router, listener: Listener, codec: str, mode: str, announced: bool
) -> None:
    _, producers = await publish(page, router, codec=codec, mode=mode, announced=announced, size=(960, 540))
    assert producers[1].type == "svc"
    _, consumer = await receive(page, router, *producers)
    assert consumer.type == "svc"
    for layer, width in ((2, 960), (0, 240), (1, 480)):
        consumer.set_preferred_layers(layer)
        await listener.expect(forwards(consumer, layer))
        await page.wait_for_function(
            "width => document.querySelector('video')?.videoWidth === width", arg=width
        )
        decoded = await page.evaluate(RECEIVED)
        await page.wait_for_function(MORE_DECODED, arg=decoded + 5)


async def test_chromium_restarts_ice_and_goes_on(page: Page, router: Router, join: Join) -> None:
    transport, (microphone, _) = await publish(page, router)
    _, heard = await (await join()).subscribe(microphone)
    await heard.reach(10)
    ice = transport._connection.ice
    left = ice.selected
    transport.restart_ice()
    offer = SessionDescription.parse(await page.evaluate(RESTART))
    await answer(page, sdp.answer(offer, transport.parameters(), "passive"))
    # To its new port; with the new credentials, or still with the old ones if it was there before the answer.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ice.selected == left:
            await heard.reach(5)
    await heard.reach(25)
    assert await page.evaluate("sending.iceConnectionState") in {"connected", "completed"}


async def test_chromium_whose_udp_is_blocked_sends_and_sees_by_tcp(page: Page, router: Router) -> None:
    candidates = router._context.candidates
    router._context.candidates = lambda: [one for one in candidates() if one["protocol"] == "tcp"]
    transport, producers = await publish(page, router)
    await receive(page, router, *producers)
    assert await page.evaluate(RECEIVED) >= 5
    assert {one.statistics()["protocol"] for one in router.transports.values()} == {"tcp"}
    assert transport.statistics()["dtlsState"] == "connected"
