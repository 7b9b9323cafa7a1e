"""Questions that come together are answered together, by a reading that begins after they were asked."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from database import Gathering
from database.gathering import MOST_AT_ONCE
from errors import Kind, Problem


class Records:
    """What can be read: a name's length, but of the empty name nothing. Each reading waits to be let go on."""

    def __init__(self) -> None:
        self.read: list[Collection[str]] = []
        self.go_on = asyncio.Semaphore(0)
        self.fault: Exception | None = None

    async def answer(self, names: Collection[str]) -> Mapping[str, int]:
        self.read.append(names)
        await self.go_on.acquire()
        if self.fault is not None:
            raise self.fault
        return {name: len(name) for name in names if name}


async def _asked(gathering: Gathering[str, int], *names: str) -> list[asyncio.Task[int | None]]:
    tasks = [asyncio.create_task(gathering.ask(name)) for name in names]
    await asyncio.sleep(0)  # each has asked,
    await asyncio.sleep(0)  # and where nobody else was before them, the reading has begun
    return tasks


async def test_who_comes_alone_is_asked_about_at_once_and_whoever_comes_meanwhile_together() -> None:
    records = Records()
    gathering = Gathering(records.answer)
    alone = await _asked(gathering, "a")
    crowd = await _asked(gathering, "bb", "", "bb", "a")
    assert records.read == [{"a"}]
    records.go_on.release()
    assert await asyncio.gather(*alone) == [1]
    records.go_on.release()
    assert await asyncio.gather(*crowd) == [2, None, 2, 1]
    assert records.read == [
        {"a"},
        {"bb", "", "a"},
    ]  # "a" anew: what was read before he asked may be out of date


async def test_a_bunch_is_bounded() -> None:
    records = Records()
    gathering = Gathering(records.answer)
    tasks = await _asked(gathering, *(str(number) for number in range(2 * MOST_AT_ONCE + 1)))
    for _ in range(3):
        records.go_on.release()
    await asyncio.gather(*tasks)
    assert [len(names) for names in records.read] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]


async def test_a_fault_is_told_to_those_it_met_and_to_nobody_after_them() -> None:
    records = Records()
    gathering = Gathering(records.answer)
    records.fault = Problem(Kind.UNAVAILABLE, "database_unavailable")
    met = await _asked(gathering, "a", "b")
    records.go_on.release()
    for task in met:
        with pytest.raises(Problem, match="database_unavailable"):
            await task
    records.fault = None
    records.go_on.release()
    assert await gathering.ask("ccc") == 3


async def test_who_went_away_meanwhile_keeps_nobody_from_an_answer() -> None:
    records = Records()
    gathering = Gathering(records.answer)
    gone, stays = await _asked(gathering, "a", "b")
    gone.cancel()
    records.go_on.release()
    assert await stays == 1
    assert gone.cancelled()
