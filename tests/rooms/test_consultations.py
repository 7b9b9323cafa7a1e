"""Tickets, duty, the call, the talk, its end: through the service on both databases."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from database import new_id
from errors import Kind, Problem
from members.cards import CardEntryKind
from members.people import Member
from members.policy import Actor, GuestActor, RoleName, StationActor
from members.tokens import Purpose
from rooms import Consultations, ConsultationSettings
from rooms.consultations.events import QueueChanged, TicketChanged
from rooms.consultations.models import Consultation, Service, ServiceExpert, Station, StationService
from rooms.consultations.states import ConsultationState, ServiceKind
from rooms.consultations.stations import hash_key
from rooms.consultations.views import ConsultationView
from rooms.live import marks
from rooms.live.commands import ConnectionLost, EndMeeting, Leave, Moderate, ModerationAction, Role
from tests.factories import FakeClock, Records
from tests.rooms.conftest import Branch, Services, code_of

KEY = "ABCD-EFGH-JKLM-NPQR"
State = ConsultationState


@dataclass(frozen=True)
class Centre:
    """A service centre: two services, a station that offers the first, two experts."""

    services: Services
    medical: str
    legal: str
    station: StationActor
    doctor: Actor  # a member; may serve both
    doctor_member: Member
    lawyer: Actor  # no member; may serve legal help
    resident: Actor

    @property
    def consultations(self) -> Consultations:
        return self.services.consultations

    async def take(self, name: str, service: str | None = None) -> ConsultationView:
        """A guest's ticket."""
        taken = await self.consultations.take(None, service or self.medical, None, name)
        return taken.consultation

    async def on_duty(self, expert: Actor, *service_ids: str) -> None:
        self.consultations.desk_opened(expert)
        await self.consultations.set_duty(expert, on_duty=True, service_ids=service_ids)

    async def talk(self) -> tuple[ConsultationView, GuestActor]:
        """A guest and the doctor, who has called, and the guest has answered."""
        ticket = await self.take("刘大娘")
        await self.on_duty(self.doctor)
        called = await self.consultations.call_next(self.doctor, None)
        assert called is not None
        guest = GuestActor(ticket.id, "刘大娘")
        await self.consultations.answer(guest, ticket.id)
        return called, guest

    async def in_room(self) -> tuple[ConsultationView, GuestActor, str, str]:
        """The same, both in the room; answers their peer ids too, the expert's first."""
        called, guest = await self.talk()
        token = await self.consultations.answer(guest, called.id)
        expert_peer = await self.services.enter(self.doctor, called.id)
        resident_peer = await self.services.enter(token, called.id)
        return called, guest, expert_peer.peer_id, resident_peer.peer_id

    async def state(self, consultation: ConsultationView) -> ConsultationView:
        return await self.consultations.get(GuestActor(consultation.id, ""), consultation.id)


@pytest.fixture
async def centre(services: Services, branch: Branch, records: Records) -> Centre:
    member = await records.member(branch.tree.branch, "孙医生")
    doctor = await records.actor((RoleName.EXPERT, branch.tree.department), member=member)
    lawyer = await records.actor((RoleName.EXPERT, branch.tree.department))
    medical, legal, station = new_id(), new_id(), new_id()
    now = services.clock.now
    async with services.database.transaction() as session:
        for place, (key, kind, name) in enumerate(
            [(medical, ServiceKind.MEDICAL, "医疗咨询"), (legal, ServiceKind.LEGAL, "法律咨询")]
        ):
            session.add(
                Service(
                    id=key,
                    organization_id=branch.tree.department.id,
                    kind=kind,
                    name=name,
                    place=place,
                    created_at=now,
                )
            )
        session.add(
            Station(
                id=station,
                organization_id=branch.tree.committee.id,
                name="城关镇党群服务中心",
                key_hash=hash_key(KEY),
                generation=1,
                created_at=now,
            )
        )
        await session.flush()
        session.add(StationService(station_id=station, service_id=medical))
        for service_id, expert in ((medical, doctor), (legal, doctor), (legal, lawyer)):
            session.add(ServiceExpert(service_id=service_id, account_id=expert.account_id))
    actor = StationActor(station, branch.tree.committee.id, branch.tree.committee.path)
    return Centre(services, medical, legal, actor, doctor, member, lawyer, branch.resident)


async def test_tickets_are_numbered_by_service_and_day_and_say_where_one_stands(
    centre: Centre, clock: FakeClock
) -> None:
    first, second = await centre.take("甲"), await centre.take("乙")
    other = await centre.take("丙", centre.legal)
    assert [view.number for view in (first, second, other)] == [1, 2, 1]
    assert [view.position for view in (first, second, other)] == [1, 2, 1]
    assert second.expected_wait_seconds is None, "nobody is on duty"
    assert (second.service.waiting, second.service.experts_on_duty) == (2, 0)
    await centre.on_duty(centre.doctor)
    assert (await centre.state(first)).expected_wait_seconds == 0
    assert (await centre.state(second)).expected_wait_seconds == 600
    clock.advance(timedelta(hours=5))  # past midnight in Shanghai
    assert (await centre.take("丁")).number == 1


async def test_numbers_are_given_out_once_however_many_press_at_the_same_moment(centre: Centre) -> None:
    taken = await asyncio.gather(*(centre.take(f"人{number}") for number in range(8)))
    assert sorted(view.number for view in taken) == list(range(1, 9))


async def test_who_takes_a_ticket_and_under_which_name(centre: Centre) -> None:
    take = centre.consultations.take
    signed_in = (await take(centre.resident, centre.medical, None, None)).consultation
    at_station = (await take(centre.station, centre.medical, None, None)).consultation
    assert at_station.station_id == centre.station.station_id
    assert await code_of(take(None, centre.medical, None, None)) == "display_name_required"
    assert await code_of(take(None, centre.medical, None, "名" * 65)) == "invalid_display_name"
    assert await code_of(take(None, "no service", None, "甲")) == "service_not_found"
    assert await code_of(take(None, centre.medical, "no station", "甲")) == "station_not_found"
    assert await code_of(take(centre.station, centre.legal, None, None)) == "service_not_at_station"
    assert await code_of(take(centre.station, centre.medical, "another", None)) in {"forbidden", "not_found"}
    tickets = await centre.consultations.queue(centre.doctor)
    assert [ticket.display_name for ticket in tickets] == [centre.resident.name, "城关镇党群服务中心"]
    assert signed_in.id == tickets[0].consultation_id


async def test_a_ticket_token_is_its_holders_alone(centre: Centre) -> None:
    taken = await centre.consultations.take(None, centre.medical, None, "甲")
    payload = centre.services.tokens.read(Purpose.TICKET, taken.ticket_token)
    assert payload == {"consultationId": taken.consultation.id, "name": "甲"}
    other = await centre.take("乙")
    holder = GuestActor(taken.consultation.id, "甲")
    assert (await centre.consultations.get(holder, taken.consultation.id)).number == 1
    for stranger in (holder, centre.resident, centre.station, centre.doctor):
        assert await code_of(centre.consultations.get(stranger, other.id)) == "consultation_not_found"
        assert await code_of(centre.consultations.cancel(stranger, other.id)) == "consultation_not_found"
    assert await code_of(centre.consultations.get(holder, "no such")) == "consultation_not_found"


async def test_guests_may_be_unwelcome(centre: Centre, clock: FakeClock) -> None:
    closed = Consultations(
        centre.services.database,
        centre.services.tokens,
        centre.services.cards,
        clock,
        ConsultationSettings(guests=False),
    )
    with pytest.raises(Problem):
        await closed.take(None, centre.medical, None, "甲")
    await closed.take(centre.resident, centre.medical, None, None)


async def test_bounds_of_queues_and_of_one_persons_tickets(centre: Centre, clock: FakeClock) -> None:
    small = Consultations(
        centre.services.database,
        centre.services.tokens,
        centre.services.cards,
        clock,
        ConsultationSettings(queue_limit=2, tickets_of_account=1, tickets_of_station=1),
    )
    first = await small.take(centre.resident, centre.medical, None, None)
    assert await code_of(small.take(centre.resident, centre.legal, None, None)) == "too_many_tickets"
    await small.take(centre.station, centre.medical, None, None)
    assert await code_of(small.take(None, centre.medical, None, "甲")) == "queue_full"
    await small.cancel(centre.resident, first.consultation.id)
    assert await code_of(small.take(centre.station, centre.medical, None, None)) == "too_many_tickets"
    await small.take(centre.resident, centre.medical, None, None)


async def test_experts_serve_in_the_order_in_which_people_came(centre: Centre, clock: FakeClock) -> None:
    ids = []
    for name, service in (("甲", centre.medical), ("乙", centre.legal), ("丙", centre.medical)):
        ids.append((await centre.take(name, service)).id)
        clock.advance(10)
    await centre.on_duty(centre.doctor)
    called = []
    for _ in ids:
        view = await centre.consultations.call_next(centre.doctor, None)
        assert view is not None
        called.append(view.id)
        assert (view.state, view.expert and view.expert.name) == (State.CALLED, "孙医生")
        await centre.consultations.missed(centre.doctor, view.id)
    assert called == ids
    assert await centre.consultations.call_next(centre.doctor, None) is None


async def test_an_expert_chooses_among_the_services_he_is_on_duty_for(centre: Centre) -> None:
    await centre.take("甲", centre.medical)
    legal = await centre.take("乙", centre.legal)
    call = centre.consultations.call_next
    assert await code_of(call(centre.doctor, None)) == "not_on_duty"
    await centre.on_duty(centre.doctor, centre.legal)
    assert await code_of(call(centre.doctor, centre.medical)) == "not_on_duty"
    view = await call(centre.doctor, centre.legal)
    assert view is not None
    assert view.id == legal.id
    with pytest.raises(Problem, match="expert_busy") as refusal:
        await call(centre.doctor, None)
    assert refusal.value.details == {"consultationId": legal.id}
    in_hand = await centre.consultations.in_hand(centre.doctor)
    assert in_hand is not None
    assert in_hand.room_token is not None
    assert await centre.consultations.in_hand(centre.lawyer) is None


async def test_duty_is_for_experts_and_their_own_services(centre: Centre) -> None:
    duty = await centre.consultations.set_duty(centre.doctor, on_duty=True, service_ids=())
    assert duty.on_duty
    assert set(duty.service_ids) == set(duty.may_serve) == {centre.medical, centre.legal}
    duty = await centre.consultations.set_duty(centre.doctor, on_duty=True, service_ids=(centre.legal,))
    assert duty.service_ids == [centre.legal]
    assert [view.experts_on_duty for view in await centre.consultations.services()] == [0, 1]
    off = await centre.consultations.set_duty(centre.doctor, on_duty=False, service_ids=())
    assert (off.on_duty, off.service_ids) == (False, [])
    set_duty = centre.consultations.set_duty
    wrong = set_duty(centre.lawyer, on_duty=True, service_ids=(centre.medical,))
    assert await code_of(wrong) == "service_not_yours"
    assert await code_of(set_duty(centre.resident, on_duty=True, service_ids=())) == "forbidden"
    assert await code_of(centre.consultations.queue(centre.resident)) == "forbidden"


async def test_two_experts_never_get_the_same_ticket(centre: Centre) -> None:
    for number in range(2):
        await centre.take(f"人{number}", centre.legal)
    await centre.on_duty(centre.doctor)
    await centre.on_duty(centre.lawyer)
    calls = (centre.consultations.call_next(each, None) for each in (centre.doctor, centre.lawyer))
    views = [view for view in await asyncio.gather(*calls) if view is not None]
    assert len({view.id for view in views}) == 2


async def test_one_expert_pressing_twice_at_once_gets_one(centre: Centre) -> None:
    for number in range(2):
        await centre.take(f"人{number}")
    await centre.on_duty(centre.doctor)
    calls = [centre.consultations.call_next(centre.doctor, None) for _ in range(2)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["ConsultationView", "Problem"]


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


async def test_waits_are_learned_from_the_last_talks(centre: Centre, clock: FakeClock) -> None:
    for _ in range(3):
        called, _ = await centre.talk()
        clock.advance(200)
        await centre.consultations.finish(centre.doctor, called.id, "")
    await centre.take("甲")
    second = await centre.take("乙")
    assert second.expected_wait_seconds == 200
    tickets = await centre.consultations.waiting(frozenset({centre.medical, centre.legal}))
    assert [(view.position, view.expected_wait_seconds) for view in tickets] == [(1, 0), (2, 200)]


async def test_events_come_after_the_commit_and_not_when_it_fails(centre: Centre) -> None:
    centre.services.heard.consultations.clear()
    ticket = await centre.take("甲")
    assert centre.services.heard.consultations == [
        TicketChanged(ticket.id, centre.medical, State.WAITING, None, called=False),
        QueueChanged(frozenset({centre.medical})),
    ]
    centre.services.heard.consultations.clear()
    await code_of(centre.consultations.finish(centre.doctor, ticket.id, "无"))
    assert centre.services.heard.consultations == []


async def test_stations_are_paired_by_their_key_however_it_is_typed(centre: Centre, branch: Branch) -> None:
    stations = centre.services.stations
    (view,) = await stations.list()
    assert (view.name, view.organization_name, view.services) == (
        "城关镇党群服务中心",
        "城关镇党委",
        [centre.medical],
    )
    paired = await stations.pair(" abcd efgh-jklmnpqr ")
    assert paired.actor == centre.station
    assert await stations.authenticate(view.id, paired.generation) == centre.station
    for wrong in ("", "ABCD-EFGH-JKLM-NPQS", "A" * 10_000, "党", "\ud800"):
        assert await code_of(stations.pair(wrong)) == "station_key_invalid"
    assert await stations.authenticate("no station", 1) is None
    assert await code_of(stations.renew_key(branch.members[0], view.id)) == "forbidden"
    assert await code_of(stations.renew_key(branch.committee, "no station")) == "station_not_found"
    key = await stations.renew_key(branch.committee, view.id)
    assert await stations.authenticate(view.id, paired.generation) is None, "the old device is out"
    assert await code_of(stations.pair(KEY)) == "station_key_invalid"
    assert (await stations.pair(key.lower())).actor == centre.station
