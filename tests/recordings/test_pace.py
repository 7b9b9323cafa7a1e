"""A store that trickles is given up, one that is slow is not; in simulated time."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from recordings.storage.pace import read_whole, written

KIBIBYTE = 1024
SECONDS, ANSWER_SECONDS = 10.0, 90.0
ENOUGH = 12 * KIBIBYTE  # a second

T = TypeVar("T")


class Instant(asyncio.SelectorEventLoop):
    """Where nothing is to be done, the next that is waited for comes at once, and its time with it."""

    passed = 0.0

    def time(self) -> float:
        return self.passed

    def _run_once(self) -> None:
        waited_for = [one.when() for one in self._scheduled if not one.cancelled()]  # type: ignore[attr-defined]
        if waited_for and not self._ready:  # type: ignore[attr-defined]
            self.passed = max(self.passed, min(waited_for))
        super()._run_once()  # type: ignore[misc]


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Instant) as runner:
        return runner.run(work)


class Line:
    """Gives a block of so many bytes every `pause` seconds, `size` in all, and stands still after `most`."""

    def __init__(self, size: int, block: int, pause: float, most: float = float("inf")) -> None:
        self.left, self.block, self.pause, self.most = size, block, pause, most

    def at_eof(self) -> bool:
        return self.left <= 0

    async def readany(self) -> bytes:
        if self.most <= 0:
            await asyncio.Event().wait()
        await asyncio.sleep(self.pause)
        taken = min(self.left, self.block)
        self.left, self.most = self.left - taken, self.most - taken
        return bytes(taken)


@pytest.mark.parametrize(
    ("line", "whole", "within"),
    [
        pytest.param(Line(1024 * KIBIBYTE, 64 * KIBIBYTE, 0.01), True, 1, id="quick"),
        pytest.param(Line(1024 * KIBIBYTE, ENOUGH * 12 // 10, 1.0), True, 90, id="slow"),
        pytest.param(Line(1024 * KIBIBYTE, ENOUGH * 9 // 10, 1.0), False, 10, id="too slow"),
        pytest.param(Line(1024 * KIBIBYTE, 1, 3.0), False, 10, id="a byte now and then"),
        pytest.param(Line(1024 * KIBIBYTE, 64 * KIBIBYTE, 0.01, 512 * KIBIBYTE), False, 11, id="stops"),
        pytest.param(Line(3, 1, 3.0), True, 9, id="little is due of a small file"),
    ],
)
def test_what_comes_is_waited_for_while_it_comes_at_a_rate_that_somebody_could_use(
    line: Line, whole: bool, within: float
) -> None:
    async def read() -> float:
        size = line.left
        if whole:
            assert len(await read_whole(line, size, SECONDS)) == size  # type: ignore[arg-type]
        else:
            with pytest.raises(TimeoutError):
                await read_whole(line, size, SECONDS)  # type: ignore[arg-type]
        return asyncio.get_running_loop().time()

    assert run(read()) <= within


def test_what_ends_early_is_as_long_as_it_is() -> None:
    assert len(run(read_whole(Line(5, 2, 0.0), 9, SECONDS))) == 5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("block", "pause", "answers", "ended"),
    [
        pytest.param(64 * KIBIBYTE, 4.0, 80.0, None, id="slow, and so is the answer"),
        pytest.param(64 * KIBIBYTE, 4.0, 100.0, 64 + ANSWER_SECONDS, id="no answer"),
        pytest.param(1, 3.0, 0.0, SECONDS, id="a byte now and then"),
        pytest.param(64 * KIBIBYTE, 60.0, 0.0, SECONDS, id="nothing"),
    ],
)
def test_what_goes_is_waited_for_while_it_goes_and_then_for_its_answer(
    block: int, pause: float, answers: float, ended: float | None
) -> None:
    async def send() -> float | None:
        loop = asyncio.get_running_loop()
        try:
            async with written(bytes(1024 * KIBIBYTE), SECONDS, ANSWER_SECONDS) as body:
                while body.read(block):  # noqa: ASYNC110 - a line that takes its time
                    await asyncio.sleep(pause)
                await asyncio.sleep(answers)
        except TimeoutError:
            return loop.time()
        else:
            return None

    assert run(send()) == (None if ended is None else pytest.approx(ended))
