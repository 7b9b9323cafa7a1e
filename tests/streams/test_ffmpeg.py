"""FFmpeg as encoder (`ffmpeg -f whip`), by the library that PyAV brings: it offers to be the DTLS server."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from tests.patience import PATIENCE_SECONDS
from tests.signaling.participant import frames
from tests.signaling.stack import Branch
from tests.streams.conftest import Enter, MakeDevice

PEER = Path(__file__).with_name("ffmpeg.py")


async def test_ffmpeg_is_seen_and_heard_and_says_goodbye(
    branch: Branch, enter: Enter, device: MakeDevice, tmp_path: Path
) -> None:
    meeting = await branch.meeting()
    async with enter(branch.secretary) as host:
        await host.join(meeting)
        encoder = await device(meeting)
        sending = await asyncio.create_subprocess_exec(
            sys.executable, PEER, f"{encoder.base}/whip", encoder.key, tmp_path, stdin=PIPE
        )
        try:
            joined = await host.heard("peerJoined")
            for _ in range(2):
                consumer = await host.consume((await host.heard("producerAdded"))["producerId"])
                assert await frames(consumer, 3)
            assert sending.stdin is not None
            sending.stdin.close()
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await sending.wait() == 0
            assert (await host.heard("peerLeft"))["peerId"] == joined["peerId"]
        finally:
            if sending.returncode is None:
                sending.kill()
                await sending.wait()
