"""服务面对面 end to end: a ticket, the queue, the call, the talk through the same SFU, the outcome."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, new_id
from errors import Kind, Problem
from members.accounts.models import AccountRole
from members.policy import RoleName
from members.tokens import Purpose
from rooms.consultations.models import Service, ServiceExpert, Station, StationService
from rooms.consultations.states import ServiceKind
from rooms.consultations.stations import hash_key
from rooms.consultations.views import TakenTicket
from tests.signaling.participant import Participant, frames, participant
from tests.signaling.raw import until
from tests.signaling.stack import Stack

Page = AbstractAsyncContextManager[Participant]
STATION_KEY = "station key"


@dataclass
class Centre:
    """A service with one expert, and a station that offers it."""

    stack: Stack
    service: str
    station: str
    expert: str  # session token

    async def take(self, name: str) -> TakenTicket:
        self.stack.clock.advance(1)
        return await self.stack.consultations.take(None, self.service, None, name)

    def desk(self) -> Page:
        return participant(self.stack.url, namespace="/stations", cookie=self.expert)

    def page(self, ticket: TakenTicket) -> Page:
        return participant(self.stack.url, namespace="/stations", auth={"token": ticket.ticket_token})


@pytest.fixture
async def centre(stack: Stack, sqlite_database: Database) -> Centre:
    tree = await stack.records.tree()
    member = await stack.records.member(tree.branch, "赵医生")
    account = await stack.records.account((RoleName.EXPERT, tree.branch), member=member)
    service, station = new_id(), new_id()
    now = stack.clock()
    async with sqlite_database.transaction() as session:
        owner = tree.branch.id
        session.add(
            Service(
                id=service,
                organization_id=owner,
                kind=ServiceKind.MEDICAL,
                name="医疗咨询",
                place=1,
                created_at=now,
            )
        )
        session.add(
            Station(
                id=station,
                organization_id=owner,
                name="东湖站",
                key_hash=hash_key(STATION_KEY),
                generation=1,
                created_at=now,
            )
        )
        await session.flush()
        session.add(StationService(station_id=station, service_id=service))
        session.add(ServiceExpert(service_id=service, account_id=account.id))
    return Centre(stack, service, station, await stack.records.browser(account))


async def test_a_resident_waits_is_called_talks_and_the_expert_writes_the_outcome(
    centre: Centre, stack: Stack
) -> None:
    first, second = await centre.take("张大爷"), await centre.take("刘阿姨")
    async with centre.desk() as desk, centre.page(first) as page, centre.page(second) as behind:
        watched = (await page.call("watchTicket", {"consultationId": first.consultation.id}))["consultation"]
        assert (watched["state"], watched["position"], watched["roomToken"]) == ("waiting", 1, None)
        watched = (await behind.call("watchTicket", {"consultationId": second.consultation.id}))[
            "consultation"
        ]
        assert watched["position"] == 2

        duty = await desk.call("setDuty", {"onDuty": True, "serviceIds": []})
        assert (duty["onDuty"], duty["serviceIds"]) == (True, [centre.service])
        view = await desk.call("watchQueue")
        assert [ticket["displayName"] for ticket in view["tickets"]] == ["张大爷", "刘阿姨"]
        assert (view["duty"]["onDuty"], view["consultation"], view["roomToken"]) == (True, None, None)
        await page.heard("ticket", lambda ticket: ticket["consultation"]["service"]["expertsOnDuty"] == 1)

        called = await desk.call("callNext")
        assert called["consultation"]["id"] == first.consultation.id
        ring = await page.heard("called")
        assert ring["consultation"]["state"] == "called"
        assert ring["consultation"]["expert"]["name"] == "赵医生"
        await behind.heard("ticket", lambda ticket: ticket["consultation"]["position"] == 1)
        await desk.heard("queue", lambda queue: [t["displayName"] for t in queue["tickets"]] == ["刘阿姨"])

        await desk.call("callAgain", {"consultationId": first.consultation.id})
        await page.heard("called")
        room_token = (await page.call("answer", {"consultationId": first.consultation.id}))["roomToken"]
        await desk.heard("ticket", lambda ticket: ticket["consultation"]["state"] == "active")
        async with (
            participant(stack.url, auth={"token": called["roomToken"]}) as expert,
            participant(stack.url, auth={"token": room_token}) as resident,
        ):
            await expert.join(first.consultation.id)
            answer = await resident.join(first.consultation.id)
            assert (answer["meeting"]["kind"], answer["meeting"]["title"]) == ("consultation", "医疗咨询")
            camera = await expert.publish("camera")
            assert len(await frames(await resident.consume(camera.id), 5)) == 5

            finish = {"consultationId": first.consultation.id, "outcome": "多喝水，下周复查。"}
            ended = (await desk.call("finish", finish))["consultation"]
            assert (ended["state"], ended["outcome"]) == ("ended", finish["outcome"])
            await resident.heard("meetingEnded")
        for somebody in (page, desk):
            assert (await somebody.heard("consultationEnded"))["consultation"]["state"] == "ended"
        assert (await desk.call("callNext"))["consultation"]["id"] == second.consultation.id


async def test_a_ticket_token_opens_that_ticket_and_nothing_else(centre: Centre, stack: Stack) -> None:
    first, second = await centre.take("张大爷"), await centre.take("刘阿姨")
    async with centre.page(first) as page:
        other = {"consultationId": second.consultation.id}
        for event in ("watchTicket", "cancelTicket", "answer"):
            assert await page.refused(event, other) == "consultation_not_found"
        for event, payload in {"setDuty": {"onDuty": True}, "watchQueue": {}, "callNext": {}}.items():
            assert await page.refused(event, payload) == "forbidden"
        rooms = Participant(stack.url)
        with pytest.raises(Exception, match="failed to connect"):
            await rooms.connect(auth={"token": first.ticket_token})
        await rooms.close()


async def test_a_paired_station_follows_the_tickets_taken_at_it(centre: Centre, stack: Stack) -> None:
    paired = await stack.stations.pair(STATION_KEY)
    here = await stack.consultations.take(paired.actor, centre.service, None, None)
    elsewhere = await centre.take("刘阿姨")
    payload = {"stationId": centre.station, "generation": paired.generation}
    token = stack.tokens.issue(Purpose.STATION, payload, timedelta(days=1))
    for credential in ({"auth": {"token": token}}, {"headers": {"Cookie": f"huitang_station={token}"}}):
        async with participant(stack.url, namespace="/stations", **credential) as screen:
            watched = await screen.call("watchTicket", {"consultationId": here.consultation.id})
            assert watched["consultation"]["stationId"] == centre.station
            other = {"consultationId": elsewhere.consultation.id}
            assert await screen.refused("watchTicket", other) == "consultation_not_found"
            assert await screen.refused("setDuty", {"onDuty": True}) == "forbidden"


async def test_a_page_that_was_lost_watches_its_ticket_again_and_a_desk_finds_what_it_had_in_hand(
    centre: Centre,
) -> None:
    ticket = await centre.take("张大爷")
    me = {"consultationId": ticket.consultation.id}
    async with centre.desk() as desk, centre.page(ticket) as page:
        await desk.call("setDuty", {"onDuty": True})
        await page.call("watchTicket", me)
        await page.cut()
        called = await desk.call("callNext")
        await page.reconnect(auth={"token": ticket.ticket_token})
        assert (await page.call("watchTicket", me))["consultation"]["state"] == "called"
        await desk.cut()
        await desk.reconnect(cookie=centre.expert)
        view = await desk.call("watchQueue")
        assert (view["consultation"]["id"], view["duty"]["onDuty"]) == (ticket.consultation.id, True)
        assert None not in {view["roomToken"], called["roomToken"]}
        await desk.call("missed", me)
        assert (await page.heard("consultationEnded"))["consultation"]["state"] == "missed"


async def test_an_expert_without_a_desk_is_off_duty_after_a_while(centre: Centre, stack: Stack) -> None:
    ticket = await centre.take("张大爷")
    async with centre.page(ticket) as page:
        await page.call("watchTicket", {"consultationId": ticket.consultation.id})
        async with centre.desk() as desk, centre.desk() as second:
            await desk.call("setDuty", {"onDuty": True})
            await page.heard("ticket", lambda heard: heard["consultation"]["service"]["expertsOnDuty"] == 1)
            await second.cut()  # one desk is left
            await until(lambda: stack.signaling.statistics().connections["/stations"] == 2)
            stack.clock.advance(3600)
            await stack.consultations.advance()
            assert (await desk.call("watchQueue"))["duty"]["onDuty"] is True
        await until(lambda: stack.signaling.statistics().connections["/stations"] == 1)
        stack.clock.advance(3600)
        await stack.consultations.advance()
        await page.heard("ticket", lambda heard: heard["consultation"]["service"]["expertsOnDuty"] == 0)


async def test_a_station_whose_key_was_changed_is_out_at_the_next_event(
    centre: Centre, stack: Stack, sqlite_database: Database
) -> None:
    paired = await stack.stations.pair(STATION_KEY)
    taken = await stack.consultations.take(paired.actor, centre.service, None, None)
    payload = {"stationId": centre.station, "generation": paired.generation}
    token = stack.tokens.issue(Purpose.STATION, payload, timedelta(days=1))
    ticket = {"consultationId": taken.consultation.id}
    async with participant(stack.url, namespace="/stations", auth={"token": token}) as screen:
        await screen.call("watchTicket", ticket)
        async with sqlite_database.transaction() as session:
            await session.execute(update(Station).values(generation=2))
        assert await screen.refused("watchTicket", ticket) == "unauthenticated"


async def test_who_is_no_expert_any_more_has_no_desk_from_the_next_event_on(
    centre: Centre, sqlite_database: Database
) -> None:
    async with centre.desk() as desk:
        await desk.call("watchQueue")
        async with sqlite_database.transaction() as session:
            await session.execute(delete(AccountRole).where(AccountRole.role == RoleName.EXPERT))
        assert await desk.refused("callNext") == "forbidden"


async def test_who_cancels_makes_room_for_the_next(centre: Centre) -> None:
    first, second = await centre.take("张大爷"), await centre.take("刘阿姨")
    async with centre.page(first) as page, centre.page(second) as behind:
        await behind.call("watchTicket", {"consultationId": second.consultation.id})
        cancelled = await page.call("cancelTicket", {"consultationId": first.consultation.id})
        assert cancelled["consultation"]["state"] == "cancelled"
        await behind.heard("ticket", lambda ticket: ticket["consultation"]["position"] == 1)


@pytest.mark.parametrize("refused", range(5), ids=["page", "second page", "desk", "positions", "queue"])
async def test_a_database_that_is_busy_for_a_moment_costs_nobody_the_news(
    centre: Centre, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """The five readings that a call leads to, each refused once."""
    first, second = await centre.take("张大爷"), await centre.take("刘阿姨")
    me = {"consultationId": first.consultation.id}
    async with (
        centre.desk() as desk,
        centre.page(first) as page,
        centre.page(first) as same,
        centre.page(second) as behind,
    ):
        await desk.call("setDuty", {"onDuty": True})
        await desk.call("watchQueue")
        for watching in (page, same):
            await watching.call("watchTicket", me)
        await behind.call("watchTicket", {"consultationId": second.consultation.id})
        reading, readings = sqlite_database.reading, 0

        def busy_once() -> AbstractAsyncContextManager[AsyncSession]:
            nonlocal readings
            task = asyncio.current_task()
            if task is not None and task.get_name() == "station_news":
                readings += 1
                if readings == refused + 1:
                    raise Problem(Kind.UNAVAILABLE, "database_busy")
            return reading()

        monkeypatch.setattr("signaling.stations.news.PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(sqlite_database, "reading", busy_once)
        await desk.call("callNext")
        await desk.heard("queue", lambda queue: [t["displayName"] for t in queue["tickets"]] == ["刘阿姨"])
        await behind.heard("ticket", lambda ticket: ticket["consultation"]["position"] == 1)
        assert readings > 5, "read again"
        await desk.call("missed", me)
        for watching in (page, same):
            await watching.heard("called")
            await watching.heard("consultationEnded")
            assert not watching.has_heard("called"), "rung for once"
        await desk.heard("consultationEnded")
        await desk.heard("queue")
