"""Furnishes the demo organization: services with their experts, stations, and meetings past, now and coming.

Made once, where members.demo has made the organization and nobody has made services yet; never touched again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, new_id, utc_now
from members.accounts import repository as accounts
from members.cards import Cards
from members.demo.people import ROOT
from members.organizations import Organization
from members.people import Member
from members.policy import Actor
from rooms.attendance import records
from rooms.consultations.models import Service, ServiceExpert, Station, StationService
from rooms.consultations.states import ServiceKind
from rooms.consultations.stations import hash_key
from rooms.live.commands import EndReason, Person, Role
from rooms.live.peers import PresenceRecord
from rooms.meetings import lifecycle, scheduling
from rooms.meetings.requests import ScheduleMeeting
from rooms.meetings.states import MeetingKind
from rooms.persons import member_key


@dataclass(frozen=True, slots=True)
class DemoStation:
    """A station and the key that pairs a device with it; published, like the demo's passwords."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class _Service:
    kind: ServiceKind
    name: str
    expert: str  # user name


@dataclass(frozen=True, slots=True)
class _Station:
    organization: str  # code
    name: str
    key: str
    services: tuple[ServiceKind, ...]


@dataclass(frozen=True, slots=True)
class _Meeting:
    """`days` from today at `hour` in the organization's zone; None: about now."""

    organization: str
    by: str
    kind: MeetingKind
    title: str
    agenda: str
    days: int | None
    hour: int
    record: bool = True


SERVICES: Final = (
    _Service(ServiceKind.ADMINISTRATIVE, "政务咨询", "ganbu"),
    _Service(ServiceKind.MEDICAL, "健康咨询", "yisheng"),
    _Service(ServiceKind.LEGAL, "法律咨询", "lvshi"),
    _Service(ServiceKind.FARMING, "农技指导", "nongji"),
)

STATIONS: Final = (
    _Station("DEMO-LX", "柳溪村党群服务站", "LIUX-2345-6789-DEMO", tuple(ServiceKind)),
    _Station(
        "DEMO-CY",
        "翠园社区党群服务中心",
        "CUIY-2345-6789-DEMO",
        (ServiceKind.ADMINISTRATIVE, ServiceKind.MEDICAL, ServiceKind.LEGAL),
    ),
)

PAST: Final = _Meeting(
    "DEMO-LX",
    "liuxi",
    MeetingKind.ORGANIZATIONAL_LIFE,
    "秋收互助总结组织生活会",
    "一、互助小组汇报\n二、批评与自我批评\n三、书记小结",
    -7,
    19,
    record=False,
)

COMING: Final = (
    _Meeting(
        "DEMO-LX",
        "liuxi",
        MeetingKind.THEME_DAY,
        "主题党日：村容环境我带头",
        "一、学习讨论\n二、认领责任路段\n三、自由发言",
        None,
        0,
    ),
    _Meeting(
        "DEMO-LX",
        "liuxi",
        MeetingKind.GENERAL_MEETING,
        "支部党员大会：讨论预备党员转正",
        "一、本人汇报\n二、介绍人意见\n三、讨论与表决",
        2,
        19,
    ),
    _Meeting(
        "DEMO-CY",
        "cuiyuan",
        MeetingKind.OPEN_LIFE,
        "开放式组织生活：社区志愿服务经验交流",
        "欢迎全区党员报名参加",
        3,
        15,
    ),
    _Meeting("DEMO-LJ", "linjiang", MeetingKind.LECTURE, "党课：乡村振兴中的党员作用", "主讲：吕静怡", 5, 15),
)

LENGTH: Final = timedelta(hours=1, minutes=30)
AROUND_NOW: Final = timedelta(minutes=10)
"""The meeting of now began a moment ago, so that it is there to be opened."""

ATTENDED: Final = (
    ("郑守田", 0, 90),
    ("何桂香", 0, 90),
    ("罗永福", 2, 88),
    ("王秀兰", 0, 90),
    ("赵德顺", 25, 90),
    ("钱满仓", 1, 40),
    ("陈雨桐", 0, 90),
    ("唐小禾", 3, 89),
)
"""Who was at the past meeting from which minute to which; of the branch, only 冯春生 was not."""


async def furnish_demo(database: Database, clock: Clock = utc_now) -> list[DemoStation]:
    """Furnish the demo organization once; answers its stations, none where it is not the demo that is furnished."""
    now = clock()
    async with database.transaction() as session:
        tree = await _demo_tree(session)
        if ROOT not in tree:
            return []
        if (await session.scalars(select(Service.id).limit(1))).first() is None:
            await _make_services(session, tree, now)
            begins = _begin(PAST, tree, now)
            cards = Cards(database, lambda: begins + LENGTH)
            await _make_past_meeting(session, tree, begins, cards)
            for meeting in COMING:
                await _schedule(session, tree, meeting, _begin(meeting, tree, now), now)
        known = set(await session.scalars(select(Station.key_hash)))
    return [DemoStation(each.name, each.key) for each in STATIONS if hash_key(each.key) in known]


async def _demo_tree(session: AsyncSession) -> dict[str, Organization]:
    found = await session.scalars(select(Organization).where(Organization.code.startswith(ROOT)))
    return {organization.code or "": organization for organization in found}


async def _make_services(session: AsyncSession, tree: dict[str, Organization], now: datetime) -> None:
    ids: dict[ServiceKind, str] = {}
    for place, each in enumerate(SERVICES):
        service = Service(
            id=new_id(),
            organization_id=tree[ROOT].id,
            kind=each.kind,
            name=each.name,
            place=place,
            created_at=now,
        )
        ids[each.kind] = service.id
        session.add(service)
    stations = {each.organization: new_id() for each in STATIONS}
    for each_station in STATIONS:
        organization = tree[each_station.organization]
        session.add(
            Station(
                id=stations[each_station.organization],
                organization_id=organization.id,
                name=each_station.name,
                key_hash=hash_key(each_station.key),
                generation=1,
                created_at=now,
            )
        )
    await session.flush()
    for each_station in STATIONS:
        for kind in each_station.services:
            session.add(StationService(station_id=stations[each_station.organization], service_id=ids[kind]))
    for each in SERVICES:
        expert = await accounts.by_username(session, each.expert)
        if expert is not None:
            session.add(ServiceExpert(service_id=ids[each.kind], account_id=expert.id))
    await session.flush()


def _begin(meeting: _Meeting, tree: dict[str, Organization], now: datetime) -> datetime:
    if meeting.days is None:
        return now - AROUND_NOW
    local = now.astimezone(ZoneInfo(tree[meeting.organization].timezone))
    day = local.replace(hour=meeting.hour, minute=30, second=0, microsecond=0)
    return (day + timedelta(days=meeting.days)).astimezone(now.tzinfo)


async def _schedule(
    session: AsyncSession, tree: dict[str, Organization], meeting: _Meeting, begins: datetime, now: datetime
) -> None:
    actor = await _actor(session, meeting.by)
    if actor is not None:
        await scheduling.schedule(session, actor, _request(tree, meeting, begins), now)


async def _make_past_meeting(
    session: AsyncSession, tree: dict[str, Organization], begins: datetime, cards: Cards
) -> None:
    actor = await _actor(session, PAST.by)
    if actor is None:
        return
    access = await scheduling.schedule(session, actor, _request(tree, PAST, begins), begins)
    await lifecycle.begin(session, access.meeting, access.organization, begins)
    found = await session.scalars(select(Member).where(Member.organization_id == access.organization.id))
    members = {member.name: member for member in found}
    rows = [
        (access.meeting.id, _presence(members[name], begins, first, last))
        for name, first, last in ATTENDED
        if name in members
    ]
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    await records.save_presences(session, rows, records.presence_upsert(is_sqlite=is_sqlite))
    ended = begins + LENGTH
    await lifecycle.finish(session, access.meeting, access.organization, cards, ended, EndReason.HOST)


def _presence(member: Member, begins: datetime, first: int, last: int) -> PresenceRecord:
    return PresenceRecord(
        id=new_id(),
        person=Person(member_key(member.id), member.id, member.name, Role.PARTICIPANT),
        opened_at=begins + timedelta(minutes=first),
        last_seen_at=begins + timedelta(minutes=last),
        closed=True,
    )


def _request(tree: dict[str, Organization], meeting: _Meeting, begins: datetime) -> ScheduleMeeting:
    return ScheduleMeeting(
        organization_id=tree[meeting.organization].id,
        kind=meeting.kind,
        title=meeting.title,
        agenda=meeting.agenda,
        starts_at=begins,
        ends_at=begins + LENGTH,
        record=meeting.record,
    )


async def _actor(session: AsyncSession, username: str) -> Actor | None:
    account = await accounts.by_username(session, username)
    return accounts.actor_of(account) if account is not None else None
