"""What is tried again is tried until it is done, whatever one attempt brings."""

import asyncio

from structlog.testing import capture_logs

from recordings.resumption import Resumption


async def test_an_attempt_that_raises_is_made_again_and_told_of_once() -> None:
    resumption, done, made = Resumption(0.001), asyncio.Event(), 0

    async def attempt() -> bool:
        nonlocal made
        made += 1
        if made < 4:
            raise RuntimeError("nobody thought of that")
        done.set()
        return True

    with capture_logs() as logs:
        resumption.begin("meeting", attempt)
        await asyncio.wait_for(done.wait(), 5)
    await resumption.stop()
    assert [(entry["event"], entry["meeting_id"]) for entry in logs] == [("recording_not_resumed", "meeting")]
    assert made == 4
