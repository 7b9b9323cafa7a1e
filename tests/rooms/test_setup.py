"""Services, experts' assignments and stations from sheets: through the import, on both databases."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from database import Database
from members.accounts import Account, Accounts
from members.accounts import repository as accounts_repository
from members.importing import ImportRefused, ImportReport, import_path
from members.policy import Actor
from rooms import Stations
from rooms.consultations import repository
from rooms.consultations.models import Service, ServiceExpert, Station, StationService
from rooms.consultations.setup import ConsultationSheets
from rooms.consultations.states import ServiceKind
from tests.factories import CHEAP, FakeClock
from tests.rooms.conftest import Services, code_of

ORGANIZATIONS = """code,parent_code,kind,name
D,,department,青河区委组织部
C,D,committee,城关镇党委
Z1,C,branch,东湖村党支部
Z2,C,branch,南山村党支部
E,D,committee,河西街道党工委
"""
ACCOUNTS_CSV = """username,name,password
Sun,孙医生,taohua-4101
zhou,周律师,taohua-4102
wu,吴居民,taohua-4103
"""
ROLES_CSV = """username,role,organization_code
sun,expert,D
zhou,expert,E
wu,resident,Z1
"""
SERVICES_CSV = """organization_code,kind,name,experts
D,Medical,健康咨询,SUN
D,legal,法律咨询,zhou; sun
E,legal,法律咨询,zhou
"""
STATIONS_CSV = """organization_code,name,services
Z1,东湖村服务站,健康咨询；法律咨询
Z2,南山村服务站,E/法律咨询;健康咨询
"""
WHOLE = {
    "organizations.csv": ORGANIZATIONS,
    "accounts.csv": ACCOUNTS_CSV,
    "roles.csv": ROLES_CSV,
    "services.csv": SERVICES_CSV,
    "stations.csv": STATIONS_CSV,
}
PEOPLE = {name: content for name, content in WHOLE.items() if name not in {"services.csv", "stations.csv"}}


async def bring(
    database: Database, clock: FakeClock, path: Path, files: dict[str, str], *, dry_run: bool = False
) -> ImportReport:
    """Import a folder with these sheets, as the command does."""
    where = path / "sheets"
    where.mkdir(exist_ok=True)
    for old in where.iterdir():
        old.unlink()
    for name, content in files.items():
        (where / name).write_text(content, encoding="utf-8-sig")
    return await import_path(
        database,
        Accounts(database, clock, CHEAP),
        where,
        clock=clock,
        dry_run=dry_run,
        further=ConsultationSheets(),
    )


async def counts(database: Database) -> list[int]:
    async with database.reading() as session:
        return [
            await session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Service, ServiceExpert, Station, StationService)
        ]


async def registry(database: Database) -> dict[str, set[str]]:
    """The user names behind each service and the kinds of service at each station."""
    async with database.reading() as session:
        services = await repository.services(session)
        owners = {service.id: organization.code for service, organization in services}
        posts = await session.execute(
            select(Service.id, Service.name, Account.username)
            .join(ServiceExpert, ServiceExpert.service_id == Service.id)
            .join(Account, Account.id == ServiceExpert.account_id)
        )
        found: dict[str, set[str]] = {}
        for post in posts:
            found.setdefault(f"{owners[post.id]}/{post.name}", set()).add(post.username)
        names = {service.id: f"{organization.code}/{service.name}" for service, organization in services}
        for station, _, offered in await repository.stations(session):
            found[station.name] = {names[id_] for id_ in offered}
    return found


EXPECTED = {
    "D/健康咨询": {"sun"},
    "D/法律咨询": {"zhou", "sun"},
    "E/法律咨询": {"zhou"},
    "东湖村服务站": {"D/健康咨询", "D/法律咨询"},
    "南山村服务站": {"D/健康咨询", "E/法律咨询"},
}


async def expert(database: Database, username: str) -> Actor:
    async with database.reading() as session:
        account = await accounts_repository.by_username(session, username)
    assert account is not None
    return accounts_repository.actor_of(account)


async def test_one_folder_sets_up_people_services_and_stations(
    services: Services, clock: FakeClock, tmp_path: Path
) -> None:
    report = await bring(services.database, clock, tmp_path, WHOLE)
    assert str(report).splitlines()[-2:] == [
        "Imported services: 3 added, 0 changed, 0 unchanged",
        "Imported stations: 2 added, 0 changed, 0 unchanged",
    ]
    assert await registry(services.database) == EXPECTED
    listed = await services.consultations.services()
    assert [(each.kind, each.name) for each in listed] == [
        (ServiceKind.MEDICAL, "健康咨询"),
        (ServiceKind.LEGAL, "法律咨询"),
        (ServiceKind.LEGAL, "法律咨询"),
    ], "in the order of the sheet"


async def test_an_expert_of_the_sheet_goes_on_duty_and_a_screen_with_a_key_takes_tickets(
    services: Services, clock: FakeClock, tmp_path: Path
) -> None:
    await bring(services.database, clock, tmp_path, WHOLE)
    sun = await expert(services.database, "sun")
    services.consultations.desk_opened(sun)
    assert len((await services.consultations.set_duty(sun, on_duty=True, service_ids=())).service_ids) == 2
    station, key = await services.stations.make_key("东湖村服务站")
    screen = (await services.stations.pair(key.lower())).actor
    assert screen.station_id == station.id
    ticket = (await services.consultations.take(screen, station.services[0], None, "刘大娘")).consultation
    called = await services.consultations.call_next(sun, None)
    assert called is not None
    assert called.id == ticket.id


async def test_a_new_station_has_no_key_until_one_is_made_and_each_makes_those_before_void(
    services: Services, clock: FakeClock, tmp_path: Path
) -> None:
    stations = services.stations
    await bring(services.database, clock, tmp_path, WHOLE)
    assert [each.has_key for each in await stations.registered()] == [False, False]
    view, first = await stations.make_key("南山村服务站")
    assert {each.station.name: each.has_key for each in await stations.registered()} == {
        "东湖村服务站": False,
        "南山村服务站": True,
    }
    paired = await stations.pair(first)
    again, second = await stations.make_key(view.id)
    assert again == view
    assert await code_of(stations.pair(first)) == "station_key_invalid"
    assert await stations.authenticate(view.id, paired.generation) is None
    assert (await stations.pair(second)).station == view
    assert await code_of(stations.make_key("没有的服务站")) == "station_not_found"

    report = await bring(services.database, clock, tmp_path, {"stations.csv": STATIONS_CSV})
    assert report.further["stations"].unchanged == 2
    assert (await stations.pair(second)).station == view, "an import leaves keys alone"


async def test_a_name_borne_by_two_stations_wants_the_id(
    services: Services, clock: FakeClock, tmp_path: Path
) -> None:
    twins = {"stations.csv": STATIONS_CSV.replace("南山村服务站", "东湖村服务站")}
    await bring(services.database, clock, tmp_path, WHOLE | twins)
    assert await code_of(services.stations.make_key("东湖村服务站")) == "ambiguous_station"
    for each in await services.stations.registered():
        assert (await services.stations.make_key(each.station.id))[0] == each.station


async def test_the_same_again_changes_nothing(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    await bring(database, clock, tmp_path, WHOLE)
    before = await counts(database)
    report = await bring(database, clock, tmp_path, WHOLE)
    assert [(count.added, count.changed, count.unchanged) for count in report.further.values()] == [
        (0, 0, 3),
        (0, 0, 2),
    ]
    assert (await counts(database), await registry(database)) == (before, EXPECTED)


async def test_a_changed_line_brings_kind_experts_and_services_up_to_date_and_leaves_the_rest(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    await bring(database, clock, tmp_path, WHOLE)
    changed = {
        "services.csv": "organization_code,kind,name,experts\nD,legal,法律咨询,sun\nE,administrative,法律咨询,zhou\n",
        "stations.csv": "organization_code,name,services\nZ2,南山村服务站,法律咨询\n",
    }
    report = await bring(database, clock, tmp_path, changed)
    assert [(count.added, count.changed) for count in report.further.values()] == [(0, 2), (0, 1)]
    assert await registry(database) == EXPECTED | {"D/法律咨询": {"sun"}, "南山村服务站": {"D/法律咨询"}}
    async with database.reading() as session:
        kinds = [service.kind for service, _ in await repository.services(session)]
    assert kinds == [ServiceKind.MEDICAL, ServiceKind.LEGAL, ServiceKind.ADMINISTRATIVE]


async def test_a_service_that_comes_later_stands_last_whatever_its_line(
    services: Services, clock: FakeClock, tmp_path: Path
) -> None:
    await bring(services.database, clock, tmp_path, WHOLE)
    header, *lines = SERVICES_CSV.splitlines()
    longer = "\n".join([header, "C,farming,农技指导,zhou", *lines])
    await bring(services.database, clock, tmp_path, {"services.csv": longer})
    names = [each.name for each in await services.consultations.services()]
    assert names == ["健康咨询", "法律咨询", "法律咨询", "农技指导"]


async def test_imports_at_the_same_moment_make_nothing_twice(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    await bring(database, clock, tmp_path, PEOPLE)
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    both = {"services.csv": SERVICES_CSV, "stations.csv": STATIONS_CSV}
    await asyncio.gather(*(bring(database, clock, folder, both) for folder in folders))
    assert await counts(database) == [3, 4, 2, 4]


async def test_a_station_takes_the_nearest_service_of_a_name(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    nearer = SERVICES_CSV + "C,legal,法律咨询,zhou\n"
    await bring(database, clock, tmp_path, WHOLE | {"services.csv": nearer})
    assert (await registry(database))["东湖村服务站"] == {"D/健康咨询", "C/法律咨询"}


async def test_a_dry_run_tells_the_same_and_keeps_nothing(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    report = await bring(database, clock, tmp_path, WHOLE, dry_run=True)
    assert [count.added for count in report.further.values()] == [3, 2]
    assert await counts(database) == [0, 0, 0, 0]


FAULTS = {
    "unknown organization": ("services.csv", "E,legal", "X,legal", 4, "organization_code", "the code 'X'"),
    "unknown kind": ("services.csv", "Medical", "magical", 2, "kind", "none of administrative, medical"),
    "no name": ("services.csv", "健康咨询", "", 2, "name", "must be filled"),
    "long name": ("services.csv", "健康咨询", "健" * 101, 2, "name", "at most 100"),
    "semicolon in a name": ("services.csv", "健康咨询", "健康；咨询", 2, "name", "semicolon"),
    "nobody serves": ("services.csv", "SUN", "", 2, "experts", "must be filled"),
    "only semicolons": ("services.csv", "SUN", " ;；", 2, "experts", "must be filled"),
    "unknown expert": ("services.csv", "SUN", "nobody", 2, "experts", "no log-in 'nobody'"),
    "not an expert": ("services.csv", "zhou; sun", "zhou;wu", 3, "experts", "'wu' does not hold the role expert"),
    "odd user name": ("services.csv", "SUN", "s/n", 2, "experts", "'s/n' is no user name"),
    "expert twice": ("services.csv", "zhou; sun", "sun;Sun", 3, "experts", "'sun' is there twice"),
    "twin services": ("services.csv", "E,legal", "D,legal", 4, "name", "the same is in services.csv, line 3"),
    "station nowhere": ("stations.csv", "Z2", "Z9", 3, "organization_code", "no organization"),
    "twin stations": ("stations.csv", "Z2,南山", "Z1,东湖", 3, "name", "the same is in stations.csv, line 2"),
    "long station name": ("stations.csv", "东湖村服务站", "东" * 65, 2, "name", "at most 64"),
    "unknown service": ("stations.csv", "健康咨询；", "看病；", 2, "services", "'Z1' or above is called '看病'"),
    "another's service": ("services.csv", "D,Medical", "E,medical", None, None, ""),
    "unknown code": ("stations.csv", "E/法律", "F/法律", 3, "services", "is called 'F/法律咨询'"),
    "no service": ("stations.csv", "E/法律咨询;健康咨询", "", 3, "services", "must be filled"),
    "wrong header": ("stations.csv", "code,name,services", "code,name,service", 1, None, "missing: services"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_mistake_is_told_with_line_and_column_and_nothing_is_imported(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path, fault: str
) -> None:
    file, right, wrong, line, column, message = FAULTS[fault]
    assert right in WHOLE[file]
    files = WHOLE | {file: WHOLE[file].replace(right, wrong, 1)}
    with pytest.raises(ImportRefused) as caught:
        await bring(sqlite_database, clock, tmp_path, files)
    if line is None:  # the mistake shows at the stations that want the service
        file, line, column, message = "stations.csv", 2, "services", "another's is code/name"
    told = [
        error
        for error in caught.value.errors
        if (error.file, error.line, error.column) == (file, line, column)
    ]
    assert told, str(caught.value)
    assert message in told[0].message
    assert await counts(sqlite_database) == [0, 0, 0, 0]
    async with sqlite_database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Account)) == 0, "nor of the other sheets"


async def test_all_mistakes_of_both_sheets_are_told_at_once(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    await bring(sqlite_database, clock, tmp_path, PEOPLE)
    files = {
        "services.csv": SERVICES_CSV.replace("SUN", "wu;nobody"),
        "stations.csv": STATIONS_CSV.replace("Z2", "Z9"),
    }
    with pytest.raises(ImportRefused) as caught:
        await bring(sqlite_database, clock, tmp_path, files)
    assert [(error.file, error.line) for error in caught.value.errors] == [
        ("services.csv", 2),
        ("services.csv", 2),
        ("stations.csv", 3),
    ]


async def test_the_commands_sheets_are_unknown_to_an_import_without_them(
    sqlite_database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    path = tmp_path / "services.csv"
    path.write_text(SERVICES_CSV, encoding="utf-8")
    with pytest.raises(ImportRefused):
        await import_path(sqlite_database, Accounts(sqlite_database, clock, CHEAP), path, clock=clock)
    assert await Stations(sqlite_database, clock).registered() == []
