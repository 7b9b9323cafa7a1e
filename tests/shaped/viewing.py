"""What somebody at a page of Chromium has of it: sound made up for lost sound, pictures, and how long they stand."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from playwright.async_api import Page

from tests.patience import PATIENCE_SECONDS

# `seen()` answers what has been of the sound and the first picture since the last time. The time of the newest picture
# goes on into the next answer, so that a picture that stands still from one into the other is not missed.
WATCH = """async () => {
    const first = (kind) => receiving.getReceivers().find(one => one.track.kind === kind);
    const inbound = async (kind) => [...(await first(kind).getStats()).values()].find(s => s.type === 'inbound-rtp');
    while (!((await inbound('video'))?.framesDecoded && (await inbound('audio'))?.totalAudioEnergy))
        await new Promise(next => setTimeout(next, 50));
    const video = document.querySelector('video');
    let frames = 0, stills = [], newest = performance.now(), before = {}, began = newest;
    const shown = () => {
        const now = performance.now();
        stills.push(now - newest); newest = now; frames++;
        video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
    window.seen = async () => {
        const audio = await inbound('audio'), picture = await inbound('video');
        const counts = {
            samples: audio.totalSamplesReceived - (audio.silentConcealedSamples ?? 0),
            concealed: audio.concealedSamples - (audio.silentConcealedSamples ?? 0),
            decoded: picture.framesDecoded,
            lost: picture.packetsLost,
            nacks: picture.nackCount,
            keys: picture.keyFramesDecoded,
            plis: picture.pliCount,
        };
        const now = performance.now();
        const answer = {seconds: (now - began) / 1000, frames, height: video.videoHeight,
                        still: Math.max(now - newest, ...stills) / 1000};
        for (const name in counts) answer[name] = counts[name] - (before[name] ?? 0);
        before = counts; began = now; frames = 0; stills = [];
        return answer;
    };
    await window.seen();
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """Since the last look."""

    seconds: float
    frames: int  # shown
    decoded: int
    height: int  # of the picture now
    still: float  # seconds without a new picture, at the longest
    samples: int  # of sound
    concealed: int  # of them made up; silence is not counted
    lost: int  # packets of video, less those that came again
    nacks: int
    keys: int
    plis: int

    def so_far(self, still: float) -> "Seen":
        """The same, after a stillness before."""
        return replace(self, still=max(still, self.still))

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.frames / self.seconds

    @property
    def heard(self) -> bool:
        """Whether any sound was played that had come."""
        return self.samples > self.concealed

    @property
    def made_up(self) -> float:
        """The share of the sound that was concealed."""
        return self.concealed / max(self.samples, 1)


async def watch(page: Page) -> None:
    """Begin, once pictures and sound are there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await page.evaluate(WATCH)


async def seen(page: Page, seconds: float = 0) -> Seen:
    """What has been seen since the last time, and for so many seconds more."""
    await asyncio.sleep(seconds)
    found: dict[str, Any] = await page.evaluate("seen()")
    return Seen(**found)


async def until_height(page: Page, *heights: int) -> Seen:
    """Look until the picture has one of these heights and moves; the longest stillness on the way is the answer's."""
    still = 0.0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            look = await seen(page, 0.5)
            still = max(still, look.still)
            if look.height in heights and look.frames:
                return look.so_far(still)
