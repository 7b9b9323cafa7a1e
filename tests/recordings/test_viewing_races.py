"""What happens to a recording while a report about it is on its way: the one or the other comes first, never half."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database
from members.people import Member
from members.policy import Actor, RoleName
from recordings import repository
from recordings.models import Recording, Viewing
from recordings.upkeep.deletion import Deletions
from recordings.viewing.service import Viewings
from recordings.views import WatchReport
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.recordings.watching import LENGTH

Act = Callable[[], Awaitable[object]]


async def ended_or_waiting(session: AsyncSession, *tasks: asyncio.Future[Any]) -> None:
    """Every task has come to its end, or waits for another to let a row go."""
    if session.get_bind().dialect.name == "sqlite":  # where they take turns
        return
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await session.scalar(waiting) != sum(not task.done() for task in tasks):
            continue  # asking takes a moment, in which they go on


async def report_while(
    database: Database, viewings: Viewings, actor: Actor, recording: Recording, report: WatchReport, act: Act
) -> None:
    """Let the report find its recording and wait for the member's row; begin to `act`; let both go on."""
    async with database.transaction() as session:
        await session.execute(select(Member.id).where(Member.id == actor.member_id).with_for_update())
        reporting = asyncio.ensure_future(viewings.report(actor, recording.id, report))
        await ended_or_waiting(session, reporting)
        acting = asyncio.ensure_future(act())
        await ended_or_waiting(session, reporting, acting)
    await asyncio.gather(reporting, acting)


async def test_nothing_of_what_was_watched_outlives_a_deletion(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database, records: Records,
    tree: Tree,
) -> None:  # fmt: skip
    secretary = await records.actor((RoleName.SECRETARY, tree.branch))
    await viewings.report(actor, recording.id, WatchReport(()))
    clock.advance(50)
    report = WatchReport(((0.0, LENGTH),), 2.0)

    async def delete() -> None:
        await Deletions(database, clock).delete(secretary, recording.id, "误录")

    await report_while(database, viewings, actor, recording, report, delete)
    async with database.reading() as session:
        viewing = (await session.scalars(select(Viewing))).one()
    assert viewing.intervals == []


async def test_a_report_counts_for_the_film_that_it_was_played_of(
    viewings: Viewings, clock: FakeClock, actor: Actor, recording: Recording, database: Database
) -> None:
    await viewings.report(actor, recording.id, WatchReport(()))
    clock.advance(50)
    done: list[bool] = []

    async def make_longer() -> None:
        async with database.transaction() as session:
            row = await repository.get(session, recording.id, lock=True)
            assert row is not None
            viewing = (await session.scalars(select(Viewing))).one()
            done.append(viewing.completed_at is not None)
            row.version, row.duration_seconds = row.version + 1, LENGTH * 10

    await report_while(
        database, viewings, actor, recording, WatchReport(((0.0, LENGTH),), 2.0, version=0), make_longer
    )
    assert done == [True], "it was studied before there was another film"
