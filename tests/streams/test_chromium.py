"""WHIP from a page in Chromium and WHEP into one: a bare RTCPeerConnection and fetch, from another site."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from rooms.stream_keys import StreamUse
from tests.browser.conftest import FLAGS
from tests.chromium import launched
from tests.patience import PATIENCE_SECONDS
from tests.signaling.participant import frames
from tests.signaling.stack import Branch
from tests.streams.conftest import Enter, MakeDevice

pytestmark = pytest.mark.browser

# What publishing and watching share: the offer goes at once, candidates follow by PATCH, as the RFC's clients do it.
CLIENT = """
const FRAGMENT = 'application/trickle-ice-sdpfrag';
const line = (sdp, name) => sdp.split('\\r\\n').find(one => one.startsWith(name));
const own = pc => [line(pc.localDescription.sdp, 'a=ice-ufrag:'), line(pc.localDescription.sdp, 'a=ice-pwd:')];

window.call = (client, method, body, type, more) => fetch(client.session, {
    method, body, headers: {Authorization: `Bearer ${client.key}`, ...(type && {'Content-Type': type}), ...more}});

window.begin = async (client, url) => {
    const {pc, key} = client;
    const candidates = [];
    pc.onicecandidate = ({candidate}) =>
        candidates.push(candidate ? `a=${candidate.candidate}` : 'a=end-of-candidates');
    await pc.setLocalDescription();
    const answer = await fetch(url, {method: 'POST', body: pc.localDescription.sdp,
        headers: {'Content-Type': 'application/sdp', Authorization: `Bearer ${key}`}});
    if (answer.status !== 201) throw new Error(await answer.text());
    client.session = new URL(answer.headers.get('Location'), url).href;
    client.etag = answer.headers.get('ETag');
    client.answer = await answer.text();
    await pc.setRemoteDescription({type: 'answer', sdp: client.answer});
    while (candidates.at(-1) !== 'a=end-of-candidates') await new Promise(next => setTimeout(next, 20));
    const section = ['m=audio 9 UDP/TLS/RTP/SAVPF 0', `a=mid:${pc.getTransceivers()[0].mid}`];
    const body = [...own(pc), ...section, ...candidates, ''].join('\\r\\n');
    return (await call(client, 'PATCH', body, FRAGMENT, {'If-Match': client.etag})).status;
};

window.restart = async client => {
    const {pc} = client;
    pc.restartIce();
    await pc.setLocalDescription();
    const answer = await call(client, 'PATCH', [...own(pc), ''].join('\\r\\n'), FRAGMENT, {'If-Match': '*'});
    const fragment = await answer.text();
    let sdp = client.answer;
    for (const name of ['a=ice-ufrag:', 'a=ice-pwd:'])
        sdp = sdp.replaceAll(new RegExp(name + '.*', 'g'), line(fragment, name));
    await pc.setRemoteDescription({type: 'answer', sdp});
    const changed = answer.headers.get('ETag') !== client.etag;
    client.etag = answer.headers.get('ETag');
    return [answer.status, changed];
};

window.figures = async client => {
    const found = [...(await client.pc.getStats()).values()];
    const audio = found.find(s => s.type === 'inbound-rtp' && s.kind === 'audio');
    const video = found.find(s => s.type === 'inbound-rtp' && s.kind === 'video');
    return [video?.framesDecoded ?? 0, audio?.totalAudioEnergy ?? 0];
};

window.publish = ([url, key]) => {
    const canvas = document.createElement('canvas'); canvas.width = 320; canvas.height = 240;
    const paint = canvas.getContext('2d'); let step = 0;
    setInterval(() => {
        paint.fillStyle = `hsl(${step++ * 7 % 360} 80% 50%)`; paint.fillRect(0, 0, 320, 240);
    }, 50);
    const audio = new AudioContext(); const out = audio.createMediaStreamDestination();
    const tone = audio.createOscillator(); tone.connect(out); tone.start();
    window.encoder = {pc: new RTCPeerConnection(), key};
    encoder.pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: 'sendonly'});
    encoder.pc.addTransceiver(canvas.captureStream(20).getVideoTracks()[0], {direction: 'sendonly'});
    return begin(encoder, url);
};

window.watch = ([url, key]) => {
    window.player = {pc: new RTCPeerConnection(), key};
    player.pc.ontrack = ({track}) => {
        const element = document.createElement(track.kind); element.autoplay = true;
        element.srcObject = new MediaStream([track]); document.body.append(element);
    };
    for (const kind of ['audio', 'video']) player.pc.addTransceiver(kind, {direction: 'recvonly'});
    return begin(player, url);
};
"""
SEEN_AND_HEARD = (
    "async many => { const [seen, heard] = await figures(player); return seen > many && heard > 0; }"
)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of no site at all, so that every call of it is one from another site."""
    async with launched(*FLAGS) as browser:
        page = await browser.new_page()
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        await page.add_script_tag(content=CLIENT)
        yield page


async def test_a_page_sends_and_a_page_watches_through_an_ice_restart_to_the_end(
    branch: Branch, enter: Enter, device: MakeDevice, page: Page
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        camera, screen = await device(meeting), await device(meeting, StreamUse.WATCH, "大屏幕")
        assert await page.evaluate("asked => publish(asked)", [f"{camera.base}/whip", camera.key]) == 204
        sent = {(added := await host.heard("producerAdded"))["source"]: added for _ in range(2)}
        assert await frames(await host.consume(sent["camera"]["producerId"]), 3)
        assert await page.evaluate("asked => watch(asked)", [f"{screen.base}/whep", screen.key]) == 204
        await page.wait_for_function(SEEN_AND_HEARD, arg=5)

        for client in ("encoder", "player"):
            assert await page.evaluate(f"restart({client})") == [200, True]
        so_far, _ = await page.evaluate("figures(player)")
        await page.wait_for_function(SEEN_AND_HEARD, arg=so_far + 20)
        states = await page.evaluate("[encoder.pc, player.pc].map(pc => pc.connectionState)")
        assert states == ["connected", "connected"]

        for client in ("encoder", "player"):
            assert await page.evaluate(f"call({client}, 'DELETE').then(answer => answer.status)") == 200
            assert (await host.heard("peerLeft"))["reason"] == "left"


async def test_a_page_reads_why_it_is_refused(
    branch: Branch, enter: Enter, device: MakeDevice, page: Page
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        camera = await device(meeting)
        for url, key, code in (
            (f"{camera.base}/whip", "wrong", "stream_key_invalid"),
            (f"{camera.base}/whep", camera.key, "stream_key_for_other_use"),
        ):
            refused = await page.evaluate("asked => publish(asked).catch(error => error.message)", [url, key])
            assert f'"{code}"' in refused
        assert not host.has_heard("peerJoined")
