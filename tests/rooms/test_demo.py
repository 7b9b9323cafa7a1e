"""The demo organization's furniture: made once, usable at once, and nowhere else."""

from datetime import timedelta

from sqlalchemy import select

from database import Database, PageRequest
from members.accounts import Account
from members.accounts import repository as accounts_repository
from members.demo import make_demo
from members.policy import Actor
from rooms.attendance.views import AttendanceSummary
from rooms.demo import furnish_demo
from rooms.meetings.requests import MeetingsFilter
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock, Records
from tests.rooms.conftest import Services

ALL = PageRequest(200)


async def actor(database: Database, username: str) -> Actor:
    async with database.reading() as session:
        found = await session.scalars(accounts_repository.with_roles().where(Account.username == username))
        account = found.unique().one()
    return accounts_repository.actor_of(account)


async def test_services_stations_and_meetings_are_there_once(services: Services, clock: FakeClock) -> None:
    await make_demo(services.database, clock)
    stations = await furnish_demo(services.database, clock)
    clock.advance(timedelta(days=1))
    assert await furnish_demo(services.database, clock) == stations
    assert len(await services.consultations.services()) == 4
    paired = [await services.stations.pair(station.key) for station in stations]
    assert [each.station.name for each in paired] == [station.name for station in stations]
    for username in ("ganbu", "yisheng", "lvshi", "nongji"):
        expert = await actor(services.database, username)
        assert len((await services.consultations.duty(expert)).may_serve) == 1


async def test_a_secretary_finds_a_meeting_to_open_now_one_past_and_some_coming(
    services: Services, clock: FakeClock
) -> None:
    await make_demo(services.database, clock)
    await furnish_demo(services.database, clock)
    secretary = await actor(services.database, "liuxi")
    found = (await services.meetings.list(secretary, MeetingsFilter(), ALL)).items
    assert [view.kind for view in found] == [
        MeetingKind.ORGANIZATIONAL_LIFE,
        MeetingKind.THEME_DAY,
        MeetingKind.GENERAL_MEETING,
        MeetingKind.OPEN_LIFE,
        MeetingKind.LECTURE,
    ]
    past, now = found[0], found[1]
    assert past.state is MeetingState.ENDED
    assert now.starts_at < clock.now < now.ends_at
    assert (await services.live.start_meeting(secretary, now.id)).state is MeetingState.LIVE
    page = await services.attendance.list(secretary, past.id, ALL)
    assert page.final
    assert page.summary == AttendanceSummary(expected=9, present=6, late=1, left_early=1, absent=1)
    member = await actor(services.database, "xiulan")
    (entry,) = (await services.cards.list(member, member.member_id or "")).items
    assert (entry.title, entry.duration_seconds) == ("秋收互助总结组织生活会", 90 * 60)
    assert (await services.cards.verify()).broken == ()


async def test_records_that_are_not_the_demos_stay_as_they_are(
    services: Services, records: Records, clock: FakeClock
) -> None:
    await records.tree()
    assert await furnish_demo(services.database, clock) == []
    assert await services.consultations.services() == []
    async with services.database.reading() as session:
        assert (await session.scalars(select(Account.id))).all() == []
