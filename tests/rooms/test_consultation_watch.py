"""The clock's watch over talks follows the records, whatever is committed beside it and whatever fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from errors import Kind, Problem
from members.policy import GuestActor
from rooms.consultations.states import ConsultationEnd, ConsultationState
from rooms.live.commands import Leave
from tests.rooms.conftest import Centre, code_of

State = ConsultationState
Unit = Callable[[], AbstractAsyncContextManager[AsyncSession]]


def with_last_step(unit: Unit, step: Callable[[], Awaitable[object]]) -> Unit:
    """A unit of work that does something more at its end, where the records are written or read and it is not over."""

    @asynccontextmanager
    async def longer() -> AsyncIterator[AsyncSession]:
        async with unit() as session:
            yield session
            await session.flush()
            await asyncio.create_task(step())  # type: ignore[arg-type]

    return longer


async def test_a_call_is_watched_though_the_clock_looks_just_before_it_is_committed(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await centre.take("甲")
    await centre.on_duty(centre.doctor)
    with monkeypatch.context() as meanwhile:
        uncommitted = with_last_step(centre.services.database.transaction, centre.consultations.advance)
        meanwhile.setattr(centre.services.database, "transaction", uncommitted)
        await centre.consultations.call_next(centre.doctor, None)
    await centre.services.pass_time(120, step=2)
    assert (await centre.state(ticket)).state is State.MISSED


async def test_a_talk_that_begins_while_the_clock_reads_is_watched_with_those_who_sit_in_it(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await centre.take("甲")
    guest = GuestActor(ticket.id, "甲")
    await centre.on_duty(centre.doctor)

    async def begin() -> None:
        monkeypatch.undo()
        await centre.consultations.call_next(centre.doctor, None)
        token = await centre.consultations.answer(guest, ticket.id)
        await centre.services.enter(centre.doctor, ticket.id)
        await centre.services.enter(token, ticket.id)

    overtaken = with_last_step(centre.services.database.reading, begin)
    monkeypatch.setattr(centre.services.database, "reading", overtaken)
    await centre.consultations.advance()
    await centre.services.pass_time(120, step=2)
    assert (await centre.state(ticket)).state is State.ACTIVE


async def test_a_call_whose_commit_is_answered_by_nobody_is_watched_as_the_records_have_it(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await centre.take("甲")
    await centre.on_duty(centre.doctor)
    transaction = centre.services.database.transaction

    @asynccontextmanager
    async def unanswered() -> AsyncIterator[AsyncSession]:
        async with transaction() as session:
            yield session
        raise Problem(Kind.UNAVAILABLE, "database_unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(centre.services.database, "transaction", unanswered)
        call = centre.consultations.call_next(centre.doctor, None)
        assert await code_of(call) == "database_unavailable"
    assert (await centre.state(ticket)).state is State.CALLED
    await centre.services.pass_time(120, step=2)
    assert (await centre.state(ticket)).state is State.MISSED


async def test_who_enters_before_the_clock_has_found_the_talk_is_seen_in_the_room(centre: Centre) -> None:
    called, guest = await centre.talk()
    token = await centre.consultations.answer(guest, called.id)
    centre.consultations._watch.forget(called.id)
    await centre.services.enter(centre.doctor, called.id)
    await centre.services.enter(token, called.id)
    await centre.services.pass_time(120, step=2)
    assert (await centre.state(called)).state is State.ACTIVE


@pytest.mark.parametrize("end", ["missed", "cancelled", "finished"])
async def test_a_talk_whose_end_is_not_committed_is_watched_as_before(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    if end == "finished":
        called, guest, _, resident_peer = await centre.in_room()
        await centre.consultations.advance()
    else:
        called = await centre.take("甲")
        guest = GuestActor(called.id, "甲")
        await centre.on_duty(centre.doctor)
        await centre.consultations.call_next(centre.doctor, None)

    async def refuse() -> None:
        raise Problem(Kind.UNAVAILABLE, "database_busy")

    with monkeypatch.context() as broken:
        uncommitted = with_last_step(centre.services.database.transaction, refuse)
        broken.setattr(centre.services.database, "transaction", uncommitted)
        ended = {
            "missed": partial(centre.consultations.missed, centre.doctor, called.id),
            "cancelled": partial(centre.consultations.cancel, guest, called.id),
            "finished": partial(centre.consultations.finish, centre.doctor, called.id, ""),
        }[end]
        assert await code_of(ended()) == "database_busy"
    if end == "finished":
        await centre.services.live.handle(called.id, Leave(resident_peer))
    await centre.services.pass_time(120, step=2)
    view = await centre.state(called)
    expected = (State.ENDED, ConsultationEnd.RESIDENT_GONE) if end == "finished" else (State.MISSED, None)
    assert (view.state, view.end_reason) == expected
