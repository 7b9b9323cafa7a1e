"""The whole of signaling as it runs, in the test's own process: records, rooms, media plane, recordings, HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from database import Database
from localization import ErrorTexts
from media import MediaEngine, MediaSettings
from members.accounts import Accounts
from members.cards import Cards
from members.organizations import Organization
from members.policy import Actor, RoleName
from members.tokens import Tokens
from recordings.center import RecordingCenter
from recordings.settings import RecordingSettings
from rooms import Consultations, ConsultationSettings, LiveRooms, Meetings, RoomSettings, Stations
from rooms.meetings.requests import ScheduleMeeting
from rooms.meetings.states import MeetingKind
from signaling import Signaling, SignalingSettings
from tests.factories import CHEAP, FakeClock, Records

SECRET = "a secret of tests that is long enough"
GRACE = 20.0


class Stack:
    """Rooms run on a clock that tests move (`pass_time`); media and Socket.IO on real time."""

    def __init__(self, database: Database, folder: Path, settings: SignalingSettings) -> None:
        self.clock = FakeClock()
        self.records = Records(database, self.clock)
        self.accounts = Accounts(database, self.clock, CHEAP)
        self.tokens = Tokens(SECRET, self.clock)
        self.meetings = Meetings(database, self.tokens, self.clock)
        cards = Cards(database, self.clock)
        self.consultations = Consultations(database, self.tokens, cards, self.clock, ConsultationSettings())
        self.stations = Stations(database, self.clock)
        self.rooms = LiveRooms(
            database, self.tokens, cards, self.consultations, self.clock, RoomSettings(grace=GRACE)
        )
        self.engine = MediaEngine(
            MediaSettings(port=0, bind_addresses=("127.0.0.1",), announced_addresses=("127.0.0.1",))
        )
        self.recordings = RecordingCenter(
            database,
            RecordingSettings(folder=folder, min_free_bytes=0, workers=0, resume_seconds=0.1),
            self.clock,
        )
        self.signaling = Signaling(
            settings,
            accounts=self.accounts,
            tokens=self.tokens,
            rooms=self.rooms,
            consultations=self.consultations,
            stations=self.stations,
            media=self.engine,
            recordings=self.recordings,
            texts=ErrorTexts.load(),
        )
        app = web.Application()
        self.signaling.attach(app)
        self.http = TestServer(app)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return str(self.http.make_url("")).rstrip("/")

    async def start(self) -> None:
        """As node.py does."""
        await self.engine.start()
        await self.signaling.start()
        await self.consultations.start()
        await self.rooms.start()
        await self.recordings.start()
        await self.http.start_server()

    async def stop(self) -> None:
        """As node.py does."""
        await self.signaling.stop()
        await self.rooms.stop()
        await self.consultations.stop()
        await self.recordings.stop()
        await self.engine.stop()
        await self.http.close()

    async def pass_time(self, seconds: float) -> None:
        """Move the rooms' clock, and let it do its work."""
        self.clock.advance(seconds)
        await self.rooms.advance()

    async def actor(self, token: str) -> Actor:
        """Who holds a session token."""
        actor = await self.accounts.authenticate(token)
        assert actor is not None
        return actor


class Branch:
    """A branch with its secretary and two members, and their session tokens."""

    def __init__(self, stack: Stack, organization: Organization, secretary: str, members: list[str]) -> None:
        self.stack = stack
        self.organization = organization
        self.secretary = secretary
        self.members = members

    @classmethod
    async def found(cls, stack: Stack) -> "Branch":
        """Invent one."""
        records, tokens = stack.records, []
        async with records.at_once():
            tree = await records.tree()
            for name in ("陈书记", "李梅", "王强"):
                member = await records.member(tree.branch, name)
                roles = [(RoleName.SECRETARY, tree.branch)] if name == "陈书记" else []
                tokens.append(await records.browser(await records.account(*roles, member=member)))
        return cls(stack, tree.branch, tokens[0], tokens[1:])

    async def meeting(self, **options: Any) -> str:
        """Schedule one that may begin now; answers its id."""
        now = self.stack.clock()
        view = await self.stack.meetings.schedule(
            await self.stack.actor(self.secretary),
            ScheduleMeeting(
                organization_id=self.organization.id,
                kind=MeetingKind.THEME_DAY,
                title="主题党日",
                starts_at=now,
                ends_at=now + timedelta(hours=1),
                **options,
            ),
        )
        return view.id


@asynccontextmanager
async def running(
    database: Database, folder: Path, settings: SignalingSettings | None = None
) -> AsyncIterator[Stack]:
    """A stack, started; stopped at the end whatever happens."""
    stack = Stack(database, folder, settings or SignalingSettings())
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()
