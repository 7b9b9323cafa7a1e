"""The services of rooms over a fresh database, and a branch with its people."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from database import Database, PageRequest, new_id
from errors import Problem
from members.cards import Cards
from members.people import Member, Post, Standing
from members.policy import Actor, GuestActor, RoleName, StationActor
from members.tokens import Tokens
from rooms import (
    Attendance,
    Consultations,
    ConsultationSettings,
    LiveRooms,
    Meetings,
    RoomSettings,
    Stations,
)
from rooms.consultations.events import ConsultationEvent
from rooms.consultations.models import Service, ServiceExpert, Station, StationService
from rooms.consultations.states import ServiceKind
from rooms.consultations.stations import hash_key
from rooms.consultations.views import ConsultationView
from rooms.live.events import Event
from rooms.live.service import Entered
from rooms.live.views import RoomSnapshot
from rooms.meetings.requests import ScheduleMeeting
from rooms.meetings.states import MeetingKind
from rooms.meetings.views import MeetingView
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS

ALL = PageRequest(200)

SECRET = "0123456789abcdef0123456789abcdef"
KEY = "ABCD-EFGH-JKLM-NPQR"
"""Of the station in `Centre`."""


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.rooms: list[tuple[str, Event]] = []
        self.consultations: list[ConsultationEvent] = []

    def on_room_event(self, room_id: str, event: Event) -> None:
        self.rooms.append((room_id, event))

    def on_consultation_event(self, event: ConsultationEvent) -> None:
        self.consultations.append(event)

    def kinds(self, room_id: str) -> list[str]:
        return [type(event).__name__ for owner, event in self.rooms if owner == room_id]


@dataclass(frozen=True)
class Services:
    """Everything of rooms over one database; `again` is what a restart makes of it."""

    database: Database
    clock: FakeClock
    tokens: Tokens
    cards: Cards
    meetings: Meetings
    attendance: Attendance
    stations: Stations
    consultations: Consultations
    live: LiveRooms
    heard: Heard

    @classmethod
    def over(cls, database: Database, clock: FakeClock) -> "Services":
        tokens, cards, heard = Tokens(SECRET, clock), Cards(database, clock), Heard()
        # The clocks of the services are turned by the tests: their own never come round within one.
        consultations = Consultations(database, tokens, cards, clock, ConsultationSettings(tick=3600))
        live = LiveRooms(database, tokens, cards, consultations, clock, RoomSettings(tick=3600))
        consultations.subscribe(heard)
        live.subscribe(heard)
        return cls(
            database=database,
            clock=clock,
            tokens=tokens,
            cards=cards,
            meetings=Meetings(database, tokens, clock),
            attendance=Attendance(database, cards, clock),
            stations=Stations(database, clock),
            consultations=consultations,
            live=live,
            heard=heard,
        )

    async def start(self) -> "Services":
        await self.consultations.start()
        await self.live.start()
        return self

    async def stop(self) -> None:
        await self.live.stop()
        await self.consultations.stop()

    async def killed(self) -> "Services":
        """The process is gone without a word, and a new one starts over the same records."""
        for service in (self.live, self.consultations):
            task = service._ticker
            assert task is not None
            task.cancel()
        return await Services.over(self.database, self.clock).start()

    async def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass in steps, as the tickers do."""
        until = self.clock.now + timedelta(seconds=seconds)
        while self.clock.now < until:
            self.clock.now = min(self.clock.now + timedelta(seconds=step), until)
            await self.live.advance()
            await self.consultations.advance()
        await self.settled()

    async def settled(self) -> None:
        """Wait for rooms that are just closing."""
        if self.live._ending:
            _, unfinished = await asyncio.wait(self.live._ending, timeout=PATIENCE_SECONDS)
            assert not unfinished

    async def enter(
        self,
        visitor: Actor | str,
        room_id: str,
        resume_token: str | None = None,
        display_name: str | None = None,
    ) -> Entered:
        return await self.live.enter(visitor, room_id, display_name, resume_token)

    def room(self, room_id: str) -> RoomSnapshot:
        snapshot = self.live.snapshot(room_id)
        assert snapshot is not None
        return snapshot


@dataclass(frozen=True)
class Branch:
    """A branch with its people, as actors and as members."""

    tree: Tree
    secretary: Actor
    members: tuple[Actor, ...]  # 王芳, 李强, 赵敏 (probationary), 周游 (guest from the other committee)
    secretary_member: Member
    registered: tuple[Member, ...]
    district: Actor
    committee: Actor
    neighbour: Actor  # of the sibling branch
    resident: Actor

    def ids(self) -> set[str]:
        return {member.id for member in (self.secretary_member, *self.registered)}


@pytest.fixture
async def services(database: Database, clock: FakeClock) -> AsyncIterator[Services]:
    made = await Services.over(database, clock).start()
    yield made
    await made.stop()


@pytest.fixture
async def branch(records: Records) -> Branch:
    async with records.at_once():
        tree = await records.tree()
        secretary = await records.member(tree.branch, "陈书记", post=Post.SECRETARY)
        registered = (
            await records.member(tree.branch, "王芳", post=Post.ORGANIZATION, group=tree.group),
            await records.member(tree.branch, "李强", group=tree.group),
            await records.member(tree.branch, "赵敏", standing=Standing.PROBATIONARY),
            await records.member(tree.cousin, "周游", guest_of=tree.branch),
        )
        neighbour = await records.member(tree.sibling, "吴邻")
        return Branch(
            tree=tree,
            secretary=await records.actor((RoleName.SECRETARY, tree.branch), member=secretary),
            members=tuple([await records.actor(member=member) for member in registered]),
            secretary_member=secretary,
            registered=registered,
            district=await records.actor((RoleName.DISTRICT_OFFICER, tree.department)),
            committee=await records.actor((RoleName.COMMITTEE_OFFICER, tree.committee)),
            neighbour=await records.actor(member=neighbour),
            resident=await records.actor((RoleName.RESIDENT, tree.branch)),
        )


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


def request(
    branch: Branch, now: datetime, kind: MeetingKind = MeetingKind.THEME_DAY, **changes: object
) -> ScheduleMeeting:
    """A meeting of the branch in an hour, an hour long."""
    given: dict[str, object] = {
        "organization_id": branch.tree.branch.id,
        "kind": kind,
        "title": "十一月主题党日",
        "starts_at": now + timedelta(hours=1),
        "ends_at": now + timedelta(hours=2),
    } | changes
    return ScheduleMeeting(**given)  # type: ignore[arg-type]


@pytest.fixture
async def meeting(services: Services, branch: Branch, clock: FakeClock) -> MeetingView:
    """A theme day of the branch, scheduled."""
    return await services.meetings.schedule(branch.secretary, request(branch, clock.now))


@pytest.fixture
async def live(services: Services, branch: Branch, meeting: MeetingView, clock: FakeClock) -> MeetingView:
    """The same, started on time by the secretary, who is not in the room."""
    clock.now = meeting.starts_at
    return await services.live.start_meeting(branch.secretary, meeting.id)


async def invited_names(services: Services, branch: Branch, meeting_id: str) -> list[str]:
    """Who is invited to a meeting, as its secretary sees it."""
    page = await services.meetings.invitations(branch.secretary, meeting_id, ALL)
    return sorted(invitation.name for invitation in page.items)


async def code_of(awaited: Awaitable[object]) -> str:
    """The code of the refusal that is expected."""
    with pytest.raises(Problem) as refusal:
        await awaited
    return refusal.value.code
