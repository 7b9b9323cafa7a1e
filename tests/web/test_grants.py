"""Who was let in a moment ago: how long that counts, and that everybody is asked about again at once."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from errors import Kind, Problem
from recordings.states import RecordingState
from recordings.views import OpenedRecording
from web.grants import GRANT_SECONDS, MOST_GRANTS, Grants, Visit

OPENED = OpenedRecording("film", RecordingState.READY, version=1, stored_version=0)
VISIT = Visit("session", "film", "version=1")
OTHER = VISIT._replace(session="another")


class Records:
    """A clock, and who would be let in now; remembers what it was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.open: dict[Visit, OpenedRecording] = {}
        self.asked: list[set[Visit]] = []
        self.grants = Grants(lambda: self.now, self.ask)

    async def ask(self, visits: Collection[Visit]) -> Mapping[Visit, OpenedRecording]:
        self.asked.append(set(visits))
        await asyncio.sleep(0)
        return self.open

    def enter(self, *visits: Visit) -> None:
        for visit in visits:
            self.open[visit] = OPENED
            self.grants.note(visit, OPENED)


@pytest.fixture
async def records() -> Records:
    return Records()


async def test_a_grant_is_his_alone_to_whom_it_was_given(records: Records) -> None:
    records.enter(VISIT)
    records.now = GRANT_SECONDS - 0.1
    assert await records.grants.find(VISIT) is not None
    for other in (
        OTHER,
        VISIT._replace(session=""),
        VISIT._replace(recording_id="x"),
        VISIT._replace(query=""),
    ):
        assert await records.grants.find(other) is None
    assert records.asked == []


async def test_a_grant_lasts_from_the_check_and_not_from_its_last_use(records: Records) -> None:
    records.enter(VISIT)
    del records.open[VISIT]
    records.now = GRANT_SECONDS - 0.1
    assert await records.grants.find(VISIT) is not None
    records.now = GRANT_SECONDS
    assert await records.grants.find(VISIT) is None


async def test_everybody_who_comes_is_asked_about_at_once_and_goes_on(records: Records) -> None:
    visits = [VISIT._replace(session=str(number)) for number in range(40)]
    records.enter(*visits)
    for _ in range(3):
        records.now += GRANT_SECONDS
        found = await asyncio.gather(*(records.grants.find(visit) for visit in visits))
        assert all(grant is not None for grant in found)
    assert records.asked == [set(visits)] * 3


async def test_many_are_asked_about_some_at_a_time(records: Records) -> None:
    visits = [VISIT._replace(session=str(number)) for number in range(130)]
    records.enter(*visits)
    records.now = GRANT_SECONDS
    assert await records.grants.find(visits[-1]) is not None
    assert [len(some) for some in records.asked] == [50, 50, 30]


async def test_who_does_not_come_is_not_asked_about_and_forgotten(records: Records) -> None:
    records.enter(VISIT, OTHER)
    for _ in range(20):
        records.now += GRANT_SECONDS
        assert await records.grants.find(VISIT) is not None
    assert records.asked == [{VISIT, OTHER}] + [{VISIT}] * 19
    assert await records.grants.find(OTHER) is None, "his next request is a first one"


@pytest.mark.parametrize(
    "now",
    [
        replace(OPENED, version=2),
        replace(OPENED, stored_version=1),
        replace(OPENED, state=RecordingState.DAMAGED),
    ],
)
async def test_another_film_is_another_grant(records: Records, now: OpenedRecording) -> None:
    records.enter(VISIT, OTHER)
    records.open[VISIT] = now
    records.now = GRANT_SECONDS
    assert await records.grants.find(VISIT) is None
    assert await records.grants.find(OTHER) is not None


async def test_while_nobody_can_be_asked_nobody_is_let_in(records: Records) -> None:
    records.enter(VISIT)
    records.now = GRANT_SECONDS
    closed = Problem(Kind.UNAVAILABLE, "database_unavailable")

    async def refuse(_visits: Collection[Visit]) -> Mapping[Visit, OpenedRecording]:
        raise closed

    records.grants._ask = refuse
    for _ in range(2):
        with pytest.raises(Problem) as refused:
            await records.grants.find(VISIT)
        assert refused.value is closed
    records.grants._ask = records.ask
    assert await records.grants.find(VISIT) is not None


async def test_there_are_only_so_many_grants(records: Records) -> None:
    visits = [VISIT._replace(session=str(number)) for number in range(MOST_GRANTS + 1)]
    records.enter(*visits)
    assert await records.grants.find(visits[0]) is None
    assert await records.grants.find(visits[1]) is not None
