"""GStreamer's webrtcbin as Debian 12 has it, as encoder and as player. Skipped where its packages are missing:

apt-get install python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-{base,good,bad,ugly}
    gstreamer1.0-{nice,libav}
"""

import asyncio
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rooms.stream_keys import StreamUse
from tests.patience import PATIENCE_SECONDS
from tests.signaling.participant import frames
from tests.signaling.stack import Branch
from tests.streams.conftest import Enter, MakeDevice

PYTHON = "/usr/bin/python3"
PEER = Path(__file__).with_name("gstreamer.py")
LOOK = """
import gi
for name in ("Gst", "GstSdp", "GstWebRTC"):
    gi.require_version(name, "1.0")
from gi.repository import Gst
Gst.init(None)
elements = "webrtcbin nicesink dtlsenc srtpenc vp8enc vp9enc x264enc avdec_h264 opusenc rtpopuspay".split()
raise SystemExit(" ".join(name for name in elements if Gst.ElementFactory.find(name) is None) or None)
"""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Skips all of this where something is missing."""
    try:
        looked = subprocess.run([PYTHON, "-c", LOOK], capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no system Python: {error}")
    if looked.returncode:
        pytest.skip(f"GStreamer's packages are not all there: {looked.stderr.strip().splitlines()[-1]}")


class GStreamer:
    """One that runs."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def sees(self, count: int, kinds: Sequence[str] = ("video", "audio")) -> None:
        """So many more frames of each kind are decoded."""
        assert self._process.stdout is not None
        left = dict.fromkeys(kinds, count)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(more > 0 for more in left.values()):
                line = await self._process.stdout.readline()
                assert line, f"it has ended with {await self._process.wait()}"
                if (kind := line.decode().strip()) in left:
                    left[kind] -= 1

    async def end(self) -> int:
        """Let it say goodbye; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._process.wait()


@asynccontextmanager
async def gstreamer(*arguments: str) -> AsyncIterator[GStreamer]:
    """Runs until the block ends."""
    process = await asyncio.create_subprocess_exec(PYTHON, PEER, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        yield GStreamer(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_it_sends_picture_and_sound_into_a_meeting(
    branch: Branch, enter: Enter, device: MakeDevice, codec: str
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting)
        async with gstreamer("send", f"{encoder.base}/whip", encoder.key, codec) as sender:
            added = [await host.heard("producerAdded") for _ in range(2)]
            assert {one["source"] for one in added} == {"microphone", "camera"}
            for one in added:
                assert await frames(await host.consume(one["producerId"]), 5)
            assert await sender.end() == 0
            assert (await host.heard("peerLeft"))["reason"] == "left"


async def test_it_shows_the_meeting_and_follows_it(branch: Branch, enter: Enter, device: MakeDevice) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        camera, screen = await device(meeting), await device(meeting, name="电脑画面")
        await camera.publish()
        player = await device(meeting, StreamUse.WATCH, "大屏幕")
        async with gstreamer("watch", f"{player.base}/whep", player.key, "VP8") as watcher:
            await watcher.sees(5)
            await screen.publish(query="?source=screen", amplitude=0.05)
            await camera.end()
            await watcher.sees(50)
            assert await watcher.end() == 0
