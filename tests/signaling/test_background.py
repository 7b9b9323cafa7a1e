"""Work beside: it is finished before the end, and its failure is told."""

import asyncio

from structlog.testing import capture_logs

from signaling.background import Background


async def test_finish_waits_for_what_was_started_and_for_what_that_starts() -> None:
    background, done = Background(), []

    async def second() -> None:
        await asyncio.sleep(0)
        done.append("second")

    async def first() -> None:
        background.start(second(), "second")
        await asyncio.sleep(0)
        done.append("first")

    background.start(first(), "first")
    await background.finish()
    assert sorted(done) == ["first", "second"]


async def test_a_failure_is_logged_under_the_name_of_the_work() -> None:
    background = Background()

    async def fail() -> None:
        raise RuntimeError("no")

    with capture_logs() as logs:
        background.start(fail(), "clean_up")
        await background.finish()
        await asyncio.sleep(0)
    assert [(entry["event"], entry["work"]) for entry in logs] == [("background_work_failed", "clean_up")]
