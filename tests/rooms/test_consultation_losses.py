"""Who cancels, does not come, is lost or comes back: through the service on both databases."""

from members.policy import GuestActor
from rooms.consultations.events import QueueChanged, TicketChanged
from rooms.consultations.models import Consultation
from rooms.consultations.states import ConsultationEnd, ConsultationState
from rooms.live.commands import ConnectionLost, Leave, Role
from tests.factories import FakeClock
from tests.rooms.conftest import Centre, Services, code_of

State = ConsultationState


async def test_cancelling_while_waiting_or_called_moves_the_others_up(centre: Centre) -> None:
    first, second = await centre.take("甲"), await centre.take("乙")
    assert (await centre.consultations.cancel(GuestActor(first.id, "甲"), first.id)).state is State.CANCELLED
    assert (await centre.state(second)).position == 1
    assert QueueChanged(frozenset({centre.medical})) in centre.services.heard.consultations
    await centre.on_duty(centre.doctor)
    await centre.consultations.call_next(centre.doctor, None)
    await centre.consultations.cancel(GuestActor(second.id, "乙"), second.id)
    assert await centre.consultations.in_hand(centre.doctor) is None
    again = centre.consultations.cancel(GuestActor(second.id, "乙"), second.id)
    assert await code_of(again) == "consultation_over"


async def test_a_called_resident_who_does_not_come_misses_the_turn_and_calling_again_gives_more_time(
    centre: Centre,
) -> None:
    ticket = await centre.take("甲")
    await centre.on_duty(centre.doctor)
    await centre.consultations.call_next(centre.doctor, None)
    await centre.services.pass_time(118, step=2)
    again = await centre.consultations.call_again(centre.doctor, ticket.id)
    assert again.state is State.CALLED
    last = [event for event in centre.services.heard.consultations if isinstance(event, TicketChanged)][-1]
    assert (last.consultation_id, last.called) == (ticket.id, True)
    await centre.services.pass_time(118, step=2)
    assert (await centre.state(ticket)).state is State.CALLED
    await centre.services.pass_time(2, step=2)
    assert (await centre.state(ticket)).state is State.MISSED
    assert await centre.consultations.in_hand(centre.doctor) is None


async def test_an_expert_who_is_lost_in_the_talk_gives_the_ticket_back_to_the_head(
    centre: Centre, clock: FakeClock
) -> None:
    called, guest, expert_peer, _ = await centre.in_room()
    clock.advance(1)
    others = [await centre.take(name) for name in ("乙", "丙")]
    await centre.services.live.handle(called.id, ConnectionLost(expert_peer))
    centre.consultations.desk_lost(centre.doctor)
    await centre.services.pass_time(20 + 58, step=2)
    assert (await centre.state(called)).state is State.ACTIVE, "the grace of the room and of the call"
    await centre.services.pass_time(4, step=2)
    back = await centre.state(called)
    assert (back.state, back.position, back.expert, back.number) == (State.WAITING, 1, None, called.number)
    assert [(await centre.state(other)).position for other in others] == [2, 3]
    async with centre.services.database.reading() as session:
        record = await session.get(Consultation, called.id)
    assert record is not None
    assert record.returned, "before all others, whatever rules of priority may come"
    assert centre.services.live.snapshot(called.id) is None
    await centre.on_duty(centre.doctor)
    again = await centre.consultations.call_next(centre.doctor, None)
    assert again is not None
    assert again.id == called.id
    token = await centre.consultations.answer(guest, called.id)
    assert (await centre.services.enter(token, called.id)).role is Role.PARTICIPANT


async def test_an_expert_who_comes_back_in_time_goes_on(centre: Centre) -> None:
    called, _, expert_peer, _ = await centre.in_room()
    await centre.services.live.handle(called.id, Leave(expert_peer))
    await centre.services.pass_time(50, step=2)
    await centre.services.enter(centre.doctor, called.id)
    await centre.services.pass_time(120, step=2)
    assert (await centre.state(called)).state is State.ACTIVE


async def test_an_expert_who_hangs_up_and_writes_at_the_desk_has_ended_the_talk(centre: Centre) -> None:
    called, _, expert_peer, _ = await centre.in_room()
    await centre.services.pass_time(10, step=2)
    await centre.services.live.handle(called.id, Leave(expert_peer))
    await centre.services.pass_time(62, step=2)
    view = await centre.state(called)
    assert (view.state, view.end_reason) == (State.ENDED, ConsultationEnd.FINISHED)
    assert (await centre.consultations.finish(centre.doctor, called.id, "多喝水")).outcome == "多喝水"


async def test_an_expert_who_called_and_never_came_gives_the_ticket_back(centre: Centre) -> None:
    called, guest = await centre.talk()
    token = await centre.consultations.answer(guest, called.id)
    await centre.services.enter(token, called.id)
    await centre.services.pass_time(60, step=2)
    assert (await centre.state(called)).state is State.WAITING


async def test_an_expert_whose_desk_is_lost_goes_off_duty_and_returns_what_was_called(centre: Centre) -> None:
    ticket = await centre.take("甲")
    await centre.on_duty(centre.doctor)
    await centre.consultations.call_next(centre.doctor, None)
    centre.consultations.desk_lost(centre.doctor)
    await centre.services.pass_time(58, step=2)
    assert (await centre.consultations.duty(centre.doctor)).on_duty
    await centre.services.pass_time(2, step=2)
    assert not (await centre.consultations.duty(centre.doctor)).on_duty
    view = await centre.state(ticket)
    assert (view.state, view.position) == (State.WAITING, 1)


async def test_a_desk_that_is_opened_again_in_time_stays_on_duty(centre: Centre) -> None:
    await centre.on_duty(centre.doctor)
    centre.consultations.desk_lost(centre.doctor)
    await centre.services.pass_time(58, step=2)
    centre.consultations.desk_opened(centre.doctor)
    await centre.services.pass_time(60, step=2)
    assert (await centre.consultations.duty(centre.doctor)).on_duty


async def test_a_resident_who_is_gone_ends_the_talk_and_the_expert_is_free(centre: Centre) -> None:
    called, _, _, resident_peer = await centre.in_room()
    await centre.services.pass_time(10, step=2)
    await centre.services.live.handle(called.id, Leave(resident_peer))
    await centre.services.pass_time(62, step=2)
    view = await centre.state(called)
    assert (view.state, view.outcome) == (State.ENDED, None)
    unwritten = await centre.consultations.in_hand(centre.doctor)
    assert unwritten is not None, "at a desk that is opened anew, until the outcome is there"
    assert (unwritten.id, unwritten.end_reason, unwritten.room_token) == (
        called.id,
        ConsultationEnd.RESIDENT_GONE,
        None,
    )
    await centre.consultations.finish(centre.doctor, called.id, "多喝水")
    assert await centre.consultations.in_hand(centre.doctor) is None
    assert len((await centre.services.cards.list(centre.doctor, centre.doctor_member.id)).items) == 1


async def test_a_resident_who_answered_and_never_came_missed_the_turn_without_a_card_entry(
    centre: Centre,
) -> None:
    called, _ = await centre.talk()
    await centre.services.enter(centre.doctor, called.id)
    await centre.services.pass_time(62, step=2)
    assert (await centre.state(called)).state is State.MISSED
    assert (await centre.services.cards.list(centre.doctor, centre.doctor_member.id)).items == []


async def test_after_kill_the_talk_goes_on_and_who_does_not_come_back_is_missed(centre: Centre) -> None:
    called, guest, _, _ = await centre.in_room()
    waiting = await centre.take("乙")
    await centre.services.pass_time(10, step=2)
    revived = await centre.services.killed()
    try:
        revived.consultations.desk_opened(centre.doctor)
        await revived.enter(centre.doctor, called.id)
        token = await revived.consultations.answer(guest, called.id)
        back = await revived.enter(token, called.id)
        await revived.pass_time(120, step=2)
        view = await revived.consultations.get(guest, called.id)
        assert view.state is State.ACTIVE
        assert (await revived.consultations.duty(centre.doctor)).on_duty
        holder = GuestActor(waiting.id, "乙")
        assert (await revived.consultations.get(holder, waiting.id)).position == 1
        await revived.live.handle(called.id, Leave(back.peer_id))
    finally:
        await revived.stop()
    nobody = (
        await revived.killed()
        if revived.live._ticker
        else await Services.over(centre.services.database, centre.services.clock).start()
    )
    try:
        await nobody.pass_time(62, step=2)
        assert not (await nobody.consultations.duty(centre.doctor)).on_duty
        assert (await nobody.consultations.get(guest, called.id)).state is State.ENDED
    finally:
        await nobody.stop()
