"""Who was let in a moment ago: how long that counts, and that everybody is asked about again at once."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from errors import Kind, Problem
from recordings.states import RecordingState
from recordings.views import OpenedRecording
from web.grants import GATHER_SECONDS, GRANT_SECONDS, MOST_GRANTS, MOST_NEWCOMERS, Grants, Visit

OPENED = OpenedRecording("film", RecordingState.READY, version=1, stored_version=0)
VISIT = Visit("session", "film", "version=1")
OTHER = VISIT._replace(session="another")


class Records:
    """A clock, and who would be let in now; remembers what it was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.open: dict[Visit, OpenedRecording] = {}
        self.asked: list[set[Visit]] = []
        self.grants = Grants(lambda: self.now, self.ask, self.pause)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds

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


async def test_who_is_new_is_asked_about_at_once_and_those_who_follow_together(records: Records) -> None:
    visits = [VISIT._replace(session=str(number)) for number in range(30)]
    records.open = dict.fromkeys(visits, OPENED)
    found = await asyncio.gather(*(records.grants.enter(visit, None) for visit in visits))
    assert all(grant is not None for grant in found)
    assert records.asked == [{visits[0]}, set(visits[1:])]
    assert records.now == GATHER_SECONDS
    assert [await records.grants.find(visit) for visit in visits] == found
    records.now += GATHER_SECONDS
    quiet = records.now
    assert await records.grants.enter(VISIT, None) is None
    assert records.now == quiet, "nobody else came, so nobody waited"


async def test_where_many_are_new_nobody_waits_for_more(records: Records) -> None:
    visits = [VISIT._replace(session=str(number)) for number in range(152)]
    records.open = dict.fromkeys(visits, OPENED)
    found = await asyncio.gather(*(records.grants.enter(visit, None) for visit in visits))
    assert all(grant is not None for grant in found)
    assert [len(some) for some in records.asked] == [1, 50, 50, 50, 1]
    assert records.now == GATHER_SECONDS


@pytest.mark.parametrize(("wanted", "let_in"), [(None, True), (1, True), (2, False)])
async def test_only_who_wants_this_very_film_is_let_in_to_it(
    records: Records, wanted: int | None, let_in: bool
) -> None:
    records.open[VISIT] = OPENED
    assert (await records.grants.enter(VISIT, wanted) is not None) is let_in
    assert (await records.grants.find(VISIT) is not None) is let_in


async def test_a_newcomer_is_granted_from_when_the_records_were_asked(records: Records) -> None:
    """What is taken away while they answer bites as soon as for everybody else."""

    async def slowly(_visits: Collection[Visit]) -> Mapping[Visit, OpenedRecording]:
        records.now += 3
        return {VISIT: OPENED}

    records.grants._ask = slowly
    grant = await records.grants.enter(VISIT, None)
    assert grant is not None
    assert grant.ends == GRANT_SECONDS


async def test_each_newcomer_hears_that_nobody_can_be_asked(records: Records) -> None:
    closed = Problem(Kind.UNAVAILABLE, "database_unavailable")

    async def refuse(_visits: Collection[Visit]) -> Mapping[Visit, OpenedRecording]:
        await asyncio.sleep(0)
        raise closed

    records.grants._ask = refuse
    entering = [asyncio.ensure_future(records.grants.enter(visit, None)) for visit in (VISIT, OTHER)]
    await asyncio.wait(entering)
    assert [one.exception() for one in entering] == [closed, closed]
    records.open = {VISIT: OPENED}
    records.grants._ask = records.ask
    assert await records.grants.enter(VISIT, None) is not None
    assert records.asked == [{VISIT}], "nobody is left waiting"


async def test_a_newcomer_who_leaves_keeps_nobody_from_being_asked_about(records: Records) -> None:
    records.open = {VISIT: OPENED, OTHER: OPENED}
    leaving = asyncio.ensure_future(records.grants.enter(VISIT, None))
    staying = asyncio.ensure_future(records.grants.enter(OTHER, None))
    await asyncio.sleep(0)
    assert records.asked == [{VISIT}], "who leaves is the one who asks"
    leaving.cancel()
    assert await staying is not None
    assert leaving.cancelled()


async def test_so_many_newcomers_may_wait_and_no_more(records: Records) -> None:
    visits = [VISIT._replace(session=str(number)) for number in range(MOST_NEWCOMERS + 1)]
    records.open = dict.fromkeys(visits, OPENED)
    found = await asyncio.gather(*(records.grants.enter(visit, None) for visit in visits))
    assert found[-1] is None, "he asks for himself"
    assert all(grant is not None for grant in found[:-1])
