"""The call, the talk, its end and what is kept of it: through the service on both databases."""

import pytest
from structlog.testing import capture_logs

from errors import Kind, Problem
from members.cards import CardEntryKind
from members.policy import GuestActor
from rooms.consultations.events import TicketChanged
from rooms.consultations.states import ConsultationState
from rooms.live import marks
from rooms.live.commands import EndMeeting, Leave, Moderate, ModerationAction, Role
from tests.factories import FakeClock
from tests.rooms.conftest import Centre, code_of

State = ConsultationState


async def test_a_room_that_cannot_be_closed_now_lets_nobody_in_and_is_closed_later(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next expert must not find the one before still sitting there."""
    called, guest, _, _ = await centre.in_room()
    token = await centre.consultations.answer(guest, called.id)

    async def full(*_: object) -> None:
        raise Problem(Kind.UNAVAILABLE, "storage_full")

    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(marks, "forget", full)
        back = TicketChanged(called.id, centre.medical, State.WAITING, centre.doctor.account_id, False)
        centre.services.live.on_consultation_event(back)
        await centre.services.settled()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["room_not_closed"]
    assert centre.services.live.snapshot(called.id) is not None
    assert await code_of(centre.services.enter(token, called.id)) == "room_busy"
    await centre.services.pass_time(1)
    assert centre.services.live.snapshot(called.id) is None


async def test_who_was_removed_from_a_talk_stays_out_after_a_restart(centre: Centre) -> None:
    called, guest, expert_peer, resident_peer = await centre.in_room()
    token = await centre.consultations.answer(guest, called.id)
    await centre.services.live.handle(
        called.id, Moderate(expert_peer, ModerationAction.REMOVE, resident_peer)
    )
    revived = await centre.services.killed()
    try:
        assert await code_of(revived.enter(token, called.id)) == "removed"
    finally:
        await revived.stop()


async def test_a_whole_consultation_from_the_ticket_to_the_stars_and_the_card(
    centre: Centre, clock: FakeClock
) -> None:
    called, guest, expert_peer, _ = await centre.in_room()
    snapshot = centre.services.live.snapshot(called.id)
    assert snapshot is not None
    assert [(view.display_name, view.role) for view in snapshot.peers] == [
        ("孙医生", Role.HOST),
        ("刘大娘", Role.PARTICIPANT),
    ]
    await centre.services.pass_time(2, step=2)
    met = clock.now
    await centre.services.pass_time(300, step=20)
    active = await centre.state(called)
    assert (active.state, active.position) == (State.ACTIVE, None)
    assert active.started_at is not None
    ended = await centre.consultations.finish(centre.doctor, called.id, "血压偏高，\n一周后复查")
    assert (ended.state, ended.outcome, ended.room_token) == (State.ENDED, "血压偏高，\n一周后复查", None)
    await centre.services.pass_time(2)
    assert centre.services.live.snapshot(called.id) is None, "the room closed with the talk"
    assert centre.services.heard.kinds(called.id)[-1] == "MeetingEnded"
    rated = await centre.consultations.rate(guest, called.id, 5, "  谢谢大夫 ")
    assert rated.rating == 5
    (entry,) = (await centre.services.cards.list(centre.doctor, centre.doctor_member.id)).items
    assert (entry.kind, entry.title, entry.reference) == (
        CardEntryKind.CONSULTATION_GIVEN,
        "医疗咨询",
        called.id,
    )
    assert entry.occurred_at == met
    assert entry.duration_seconds == 300
    assert await code_of(centre.services.live.handle(called.id, Leave(expert_peer))) == "meeting_ended"


async def test_ratings_are_given_once_after_the_end_by_the_resident(centre: Centre) -> None:
    called, guest = await centre.talk()
    rate = centre.consultations.rate
    assert await code_of(rate(guest, called.id, 5, None)) == "consultation_in_wrong_state"
    await centre.consultations.finish(centre.doctor, called.id, "")
    for stars in (0, 6, -1):
        assert await code_of(rate(guest, called.id, stars, None)) == "invalid_rating"
    assert await code_of(rate(guest, called.id, 3, "长" * 501)) == "invalid_comment"
    assert await code_of(rate(centre.doctor, called.id, 5, None)) == "consultation_not_found"
    assert (await rate(guest, called.id, 3, " ")).rating == 3
    assert await code_of(rate(guest, called.id, 5, None)) == "already_rated"


async def test_an_outcome_can_follow_an_end_without_one_and_is_written_once(centre: Centre) -> None:
    called, _, expert_peer, _ = await centre.in_room()
    await centre.services.live.handle(called.id, EndMeeting(expert_peer))
    view = await centre.state(called)
    assert (view.state, view.outcome) == (State.ENDED, None)
    assert (await centre.consultations.finish(centre.doctor, called.id, "已答复")).outcome == "已答复"
    assert await code_of(centre.consultations.finish(centre.doctor, called.id, "改口")) == "outcome_written"
    assert len((await centre.services.cards.list(centre.doctor, centre.doctor_member.id)).items) == 1


async def test_an_expert_who_is_no_member_has_no_card_and_ends_all_the_same(centre: Centre) -> None:
    await centre.take("甲", centre.legal)
    await centre.on_duty(centre.lawyer)
    called = await centre.consultations.call_next(centre.lawyer, None)
    assert called is not None
    await centre.consultations.answer(GuestActor(called.id, "甲"), called.id)
    assert (await centre.consultations.finish(centre.lawyer, called.id, "已答复")).state is State.ENDED


async def test_the_room_opens_to_the_two_while_it_is_called_or_active(centre: Centre) -> None:
    ticket = await centre.take("甲")
    guest = GuestActor(ticket.id, "甲")
    assert await code_of(centre.consultations.answer(guest, ticket.id)) == "consultation_not_called"
    assert await code_of(centre.services.enter(centre.doctor, ticket.id)) == "consultation_not_found"
    await centre.on_duty(centre.doctor)
    called = await centre.consultations.call_next(centre.doctor, None)
    assert called is not None
    assert called.room_token is not None
    entered = await centre.services.enter(called.room_token, ticket.id)
    assert (entered.role, entered.meeting) == (Role.HOST, None)
    assert entered.consultation is not None
    for stranger in (centre.lawyer, centre.resident):
        assert await code_of(centre.services.enter(stranger, ticket.id)) == "consultation_not_found"
    token = (await centre.consultations.get(guest, ticket.id)).room_token
    assert token is not None
    assert (await centre.services.enter(token, ticket.id)).role is Role.PARTICIPANT
    assert (await centre.state(ticket)).state is State.ACTIVE, "coming in is answering"
    await centre.consultations.finish(centre.doctor, ticket.id, "")
    await centre.services.pass_time(1)
    assert await code_of(centre.services.enter(token, ticket.id)) == "consultation_over"


async def test_a_room_token_of_a_talk_is_no_good_for_the_next_one(centre: Centre) -> None:
    called, guest = await centre.talk()
    token = await centre.consultations.answer(guest, called.id)
    await centre.consultations.finish(centre.doctor, called.id, "")
    second = await centre.take("乙")
    await centre.consultations.call_next(centre.doctor, None)
    assert await code_of(centre.services.enter(token, second.id)) == "token_of_another_room"


async def test_the_sides_of_a_talk_stay_as_they_are_whomever_the_expert_wants_for_a_host(
    centre: Centre,
) -> None:
    called, _, expert_peer, resident_peer = await centre.in_room()
    make_host = Moderate(expert_peer, ModerationAction.MAKE_HOST, resident_peer)
    handled = centre.services.live.handle(called.id, make_host)
    assert await code_of(handled) == "consultation_takes_no_hosts"
    await centre.services.pass_time(120, step=2)
    assert (await centre.state(called)).state is State.ACTIVE
