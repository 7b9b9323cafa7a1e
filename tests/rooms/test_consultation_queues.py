"""Tickets, places in a queue, duty: through the service on both databases."""

import asyncio
from datetime import timedelta

import pytest

from errors import Problem
from members.policy import GuestActor
from members.tokens import Purpose
from rooms import Consultations, ConsultationSettings
from rooms.consultations.events import QueueChanged, TicketChanged
from rooms.consultations.states import ConsultationState
from tests.factories import FakeClock
from tests.rooms.conftest import KEY, Branch, Centre, code_of

State = ConsultationState


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


def consultations_with(centre: Centre, clock: FakeClock, settings: ConsultationSettings) -> Consultations:
    """The centre's, under other settings."""
    services = centre.services
    return Consultations(services.database, services.tokens, services.cards, clock, settings)


async def test_guests_may_be_unwelcome(centre: Centre, clock: FakeClock) -> None:
    closed = consultations_with(centre, clock, ConsultationSettings(guests=False))
    with pytest.raises(Problem):
        await closed.take(None, centre.medical, None, "甲")
    await closed.take(centre.resident, centre.medical, None, None)


async def test_bounds_of_queues_and_of_one_persons_tickets(centre: Centre, clock: FakeClock) -> None:
    small = consultations_with(
        centre, clock, ConsultationSettings(queue_limit=2, tickets_of_account=1, tickets_of_station=1)
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
