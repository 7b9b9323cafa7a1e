"""The real application over a real database, and people who call it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import Any, Final, Self

import pytest
from aiohttp.test_utils import TestClient, TestServer

from database import Database
from localization import ErrorTexts
from media import MediaEngine, MediaSettings
from members.accounts import Account, Accounts
from members.cards import Cards
from members.organizations import Organizations
from members.people import Member, Members
from members.policy import RoleName
from members.tokens import Tokens
from recordings.captions.service import Captions
from recordings.center import RecordingCenter
from recordings.curation import Curation
from recordings.folders import Folders
from recordings.library import Library
from recordings.notices import Notices
from recordings.remaking import Remaking
from recordings.settings import RecordingSettings
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.room import require_room_to_record
from recordings.upkeep.rules import Rules
from recordings.uploads.service import Uploads
from recordings.viewing.service import Viewings
from recordings.viewing.watchers import Watchers
from rooms import (
    Attendance,
    Consultations,
    ConsultationSettings,
    LiveRooms,
    Meetings,
    RoomSettings,
    Stations,
    StreamKeys,
)
from signaling.background import Background
from signaling.cookies import SESSION_COOKIE
from signaling.ice_servers import IceServers
from signaling.rooms.halls import Halls
from signaling.streams.streams import Streams
from tests.factories import CHEAP, PASSWORD, FakeClock, Records, Tree
from web.application import create_app
from web.figures import Figures
from web.health import Health
from web.pages import ClientPages
from web.services import Services, WebSettings

TICK: Final = 0.02
HELD: Final = 1.0  # a first request takes up to 0.2 s of processor; the rest is for a slow machine


@dataclass(frozen=True)
class Answered:
    """What came back; `body` is None where there is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The refusal's code; asserts that the answer has a refusal's shape."""
        error = self.body["error"]
        assert set(error) == {"code", "message", "details"}, self.body
        assert error["message"], "a refusal without a sentence"
        assert error["message"] != error["code"], f"no sentence for {error['code']}"
        return str(error["code"])


@asynccontextmanager
async def loop_kept_free() -> AsyncIterator[None]:
    """Fail when something holds the event loop for so long meanwhile.

    Time in which the machine gave the thread no processor does not count, so a busy machine fails nothing; nor does the
    collection of the garbage that thousands of tests have left.
    """
    worst = 0.0
    collecting = 0.0
    began = 0.0

    def on_collection(phase: str, _info: dict[str, int]) -> None:
        nonlocal collecting, began
        if phase == "start":
            began = perf_counter()
        else:
            collecting += perf_counter() - began

    def waited() -> float:
        return collecting + int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9

    async def watch() -> None:
        nonlocal worst
        while True:
            since, before = perf_counter(), waited()
            await asyncio.sleep(TICK)
            worst = max(worst, perf_counter() - since - TICK - (waited() - before))

    watcher = asyncio.create_task(watch())
    gc.callbacks.append(on_collection)
    try:
        yield
    finally:
        gc.callbacks.remove(on_collection)
        watcher.cancel()
    assert worst < HELD, f"the event loop was held for {worst:.2f} s"


class Caller:
    """One browser: its own cookies."""

    def __init__(self, server: TestServer) -> None:
        self.client = TestClient(server)

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **options: Any
    ) -> Answered:
        """Make a call; whatever the answer, its JSON is read."""
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            options["json"] = body
        async with (
            loop_kept_free(),
            self.client.request(method, path, headers=headers, **options) as response,
        ):
            is_json = response.content_type == "application/json" and method != "HEAD"
            return Answered(response.status, await response.json() if is_json else None, response.headers)

    async def get(self, path: str, **options: Any) -> Answered:
        """GET."""
        return await self("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answered:
        """POST."""
        return await self("POST", path, {} if body is None else body, **options)

    async def sign_in(self, account: Account) -> Self:
        """Sign in with everybody's password."""
        answered = await self.post("/api/session", {"username": account.username, "password": PASSWORD})
        assert answered.status == 200, answered.body
        return self


@dataclass(frozen=True)
class House:
    """A running application with its parts."""

    server: TestServer
    services: Services
    database: Database
    clock: FakeClock
    recordings: Path
    records: Records
    callers: list[Caller]

    def caller(self) -> Caller:
        """A browser that is not signed in."""
        caller = Caller(self.server)
        self.callers.append(caller)
        return caller

    async def person(self, *roles: tuple[RoleName, Any], member: Member | None = None) -> Caller:
        """Somebody with these roles, signed in."""
        caller = self.caller()
        token = await self.records.browser(await self.records.account(*roles, member=member))
        caller.client.session.cookie_jar.update_cookies({SESSION_COOKIE: token}, self.server.make_url("/"))
        return caller


@dataclass(frozen=True)
class Village:
    """A tree with one person of each kind, signed in."""

    tree: Tree
    member: Member
    nobody: Caller
    district: Caller
    committee: Caller
    other_committee: Caller
    secretary: Caller
    sibling_secretary: Caller
    party_member: Caller
    resident: Caller

    def caller(self, name: str) -> Caller:
        """By the name of the field."""
        found = getattr(self, name)
        assert isinstance(found, Caller)
        return found


MakeHouse = Callable[..., Awaitable[House]]


def make_services(database: Database, clock: FakeClock, folder: Path, *, guests: bool = True) -> Services:
    """Every service as node.py builds them."""
    tokens = Tokens("a secret of more than thirty-two characters", clock)
    cards = Cards(database, clock)
    attendance = Attendance(database, cards, clock)
    consultations = Consultations(database, tokens, cards, clock, ConsultationSettings(guests=guests))
    live_rooms = LiveRooms(database, tokens, cards, consultations, clock, RoomSettings())
    media = MediaEngine(MediaSettings())  # not started: what needs it has tests of its own
    background = Background()
    halls = Halls(
        media, RecordingCenter(database, RecordingSettings(folder=folder), clock), background, lambda *_: None
    )
    return Services(
        database=database,
        accounts=Accounts(database, clock, CHEAP),
        organizations=Organizations(database),
        members=Members(database),
        cards=cards,
        tokens=tokens,
        meetings=Meetings(database, tokens, clock, require_room_to_record),
        live_rooms=live_rooms,
        attendance=attendance,
        stations=Stations(database, clock),
        consultations=consultations,
        library=Library(database, Shelf(folder, None), clock),
        uploads=Uploads(database, RecordingSettings(folder=folder, min_free_bytes=0), clock, lambda: None),
        curation=Curation(database),
        remaking=Remaking(database, Folders(folder), clock, lambda: None),
        captions=Captions(database, clock),
        viewings=Viewings(database, attendance, cards, clock),
        watchers=Watchers(database),
        notices=Notices(database, clock),
        storage_rules=Rules(database, clock),
        deletions=Deletions(database, clock),
        stream_keys=StreamKeys(database, live_rooms, clock),
        streams=Streams(live_rooms, halls, IceServers((), 3600, time)),
        texts=ErrorTexts.load(),
        clock=clock,
    )


@pytest.fixture
async def make_house(clock: FakeClock, tmp_path: Path) -> AsyncIterator[MakeHouse]:
    """Builds houses; all are closed at the end."""
    houses: list[House] = []

    async def make(database: Database, settings: WebSettings | None = None) -> House:
        settings = settings or WebSettings()
        folder = tmp_path / "recordings"
        folder.mkdir(exist_ok=True)
        services = make_services(database, clock, folder, guests=settings.guests)

        async def answers() -> bool:
            await database.check()
            return True

        app = create_app(
            services,
            settings,
            health=Health({"database": answers}),
            figures=Figures(),
            pages=ClientPages(tmp_path / "dist"),
        )
        server = TestServer(app)
        await server.start_server()
        house = House(server, services, database, clock, folder, Records(database, clock), [])
        houses.append(house)
        return house

    yield make
    for house in houses:
        for caller in house.callers:
            await caller.client.close()
        await house.server.close()


@pytest.fixture
async def house(make_house: MakeHouse, sqlite_database: Database) -> House:
    """The application over SQLite."""
    return await make_house(sqlite_database)


@pytest.fixture
async def both(make_house: MakeHouse, database: Database) -> House:
    """The application over each database."""
    return await make_house(database)


async def settle(house: House) -> Village:
    """One person of each kind."""
    records = house.records
    async with records.at_once():
        tree = await records.tree()
        member = await records.member(tree.branch, "王秀英", group=tree.group)
        return Village(
            tree=tree,
            member=member,
            nobody=house.caller(),
            district=await house.person((RoleName.DISTRICT_OFFICER, tree.department)),
            committee=await house.person((RoleName.COMMITTEE_OFFICER, tree.committee)),
            other_committee=await house.person((RoleName.COMMITTEE_OFFICER, tree.other_committee)),
            secretary=await house.person(
                (RoleName.SECRETARY, tree.branch), member=await records.member(tree.branch, "张建国")
            ),
            sibling_secretary=await house.person(
                (RoleName.SECRETARY, tree.sibling), member=await records.member(tree.sibling)
            ),
            party_member=await house.person(member=member),
            resident=await house.person((RoleName.RESIDENT, tree.branch)),
        )


@pytest.fixture
async def village(house: House) -> Village:
    """One person of each kind, over SQLite."""
    return await settle(house)
