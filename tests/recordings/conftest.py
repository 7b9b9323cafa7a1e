"""Fixtures of the recordings' tests: meetings in the records, and a center on a folder of its own."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from database import Database, new_id
from members.cards import Cards
from members.people import Member
from members.policy import Actor, RoleName
from recordings import repository
from recordings.center import RecordingCenter
from recordings.events import RecordingStatus
from recordings.folders import Folders
from recordings.models import Recording
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.tracks import TrackSource
from recordings.viewing.service import Viewings
from rooms.attendance.models import AttendanceRecord
from rooms.attendance.rules import AttendanceState
from rooms.attendance.service import Attendance
from rooms.live.commands import Role
from rooms.meetings.models import Invitation, Meeting
from rooms.meetings.states import InvitationOrigin, MeetingKind, MeetingState
from rooms.persons import member_key
from tests.factories import FakeClock, Records, Tree
from tests.patience import PATIENCE_SECONDS
from tests.ports import reserved_port
from tests.recordings.meetings import Meeting as Captured
from tests.recordings.meetings import track
from tests.recordings.publishers import RED, Publisher, sine, solid
from tests.recordings.watching import LENGTH
from tests.s3 import PART_BYTES, S3Server

# What other processes do takes seconds of the processor, which looking on must leave them.
GLANCE_SECONDS = 0.05

MakeMeeting = Callable[..., Awaitable[Meeting]]
ENDS = (RecordingState.READY, RecordingState.DAMAGED, RecordingState.FAILED)


@dataclass
class Heard:
    """A listener that can be waited upon."""

    told: list[tuple[str, RecordingStatus]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def on_recording_event(self, meeting_id: str, status: RecordingStatus) -> None:
        self.told.append((meeting_id, status))
        task = asyncio.ensure_future(self._notify())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def states(self, meeting_id: str) -> list[RecordingState]:
        return [status.state for told, status in self.told if told == meeting_id]

    async def reaches(
        self,
        meeting_id: str,
        *states: RecordingState,
        after: RecordingState | None = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> RecordingStatus:
        """Wait until the newest status is one of these, after another one where that is given."""

        def there() -> bool:
            said = self.states(meeting_id)
            return bool(said) and said[-1] in states and (after is None or after in said)

        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(there)
        return [status for told, status in self.told if told == meeting_id][-1]


@pytest.fixture
async def tree(records: Records) -> Tree:
    """One department, committees, branches."""
    return await records.tree()


@pytest.fixture
async def member(records: Records, tree: Tree) -> Member:
    """One of the branch."""
    return await records.member(tree.branch, "陈静")


@pytest.fixture
async def actor(records: Records, member: Member) -> Actor:
    return await records.actor(member=member)


@pytest.fixture
def make_meeting(database: Database, records: Records, tree: Tree, clock: FakeClock) -> MakeMeeting:
    """A live meeting of the branch, or as asked for."""

    async def make(
        kind: MeetingKind = MeetingKind.THEME_DAY,
        state: MeetingState = MeetingState.LIVE,
        *,
        record: bool = True,
        organization_id: str | None = None,
        invited: tuple[str, ...] = (),
        struck: tuple[str, ...] = (),
        starts_in: timedelta = timedelta(0),
    ) -> Meeting:
        organizer = await records.account((RoleName.SECRETARY, tree.branch))
        starts_at = clock() + starts_in
        begun = state in {MeetingState.LIVE, MeetingState.ENDED}
        meeting = Meeting(
            id=new_id(), organization_id=organization_id or tree.branch.id,
            organizer_account_id=organizer.id, kind=kind,
            title="十一月主题党日", starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1), timezone="Asia/Shanghai",
            state=state, started_at=clock() if begun else None,
            ended_at=clock() if state is MeetingState.ENDED else None, record=record, lobby=False, locked=False,
            present_share=0.8, late_after_seconds=600, expected_count=0, created_at=clock(), updated_at=clock(),
        )  # fmt: skip
        async with database.transaction() as session:
            session.add(meeting)
            await session.flush()
            for member_id in (*invited, *struck):
                session.add(
                    Invitation(
                        meeting_id=meeting.id,
                        member_id=member_id,
                        role=Role.PARTICIPANT,
                        vote=True,
                        origin=InvitationOrigin.HAND,
                        struck=member_id in struck,
                    )
                )
        return meeting

    return make


@pytest.fixture
def settings(tmp_path: Path) -> RecordingSettings:
    return RecordingSettings(
        folder=tmp_path / "recordings", min_free_bytes=0, niceness=0, attempts=2, resume_seconds=0.1
    )


@pytest.fixture
async def heard() -> Heard:
    return Heard()


@pytest.fixture
async def center(
    database: Database, settings: RecordingSettings, clock: FakeClock, heard: Heard
) -> AsyncIterator[RecordingCenter]:
    """A center that runs."""
    made = RecordingCenter(database, settings, clock)
    made.set_listener(heard)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def cards(database: Database, clock: FakeClock) -> Cards:
    return Cards(database, clock)


@pytest.fixture
def attendance(database: Database, cards: Cards, clock: FakeClock) -> Attendance:
    return Attendance(database, cards, clock)


@pytest.fixture
def viewings(database: Database, attendance: Attendance, cards: Cards, clock: FakeClock) -> Viewings:
    return Viewings(database, attendance, cards, clock)


@pytest.fixture
async def recording(
    database: Database, make_meeting: MakeMeeting, member: Member, clock: FakeClock
) -> Recording:
    """Of a meeting from which the member was absent."""
    meeting = await make_meeting(state=MeetingState.ENDED)
    async with database.transaction() as session:
        made = repository.add(session, meeting, clock())
        made.state, made.duration_seconds, made.ended_at = RecordingState.READY, LENGTH, clock()
        session.add(
            AttendanceRecord(
                meeting_id=meeting.id,
                person_key=member_key(member.id),
                member_id=member.id,
                name=member.name,
                expected=True,
                state=AttendanceState.ABSENT,
                seconds=0.0,
                place=1,
            )
        )
    return made


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file can grow beyond this: the refusal of a full disk, without the right to mount a small one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for what another thread or process does, which has no event to wait for."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(GLANCE_SECONDS)


async def recording_of(database: Database, meeting: Meeting) -> Recording:
    """What the records say of a meeting's recording."""
    async with database.reading() as session:
        found = await session.scalar(Recording.__table__.select().where(Recording.meeting_id == meeting.id))
        assert found is not None
        row = await session.get(Recording, found)
    assert row is not None
    return row


class Centers:
    """Centers one after the other on the same folder and records."""

    def __init__(self, make: Callable[[], RecordingCenter]) -> None:
        self._make = make
        self.running: RecordingCenter | None = None

    async def start(self) -> RecordingCenter:
        self.running = self._make()
        await self.running.start()
        return self.running

    async def stop(self) -> None:
        if self.running is not None:
            await self.running.stop()
            self.running = None


@pytest.fixture
async def centers(
    database: Database, settings: RecordingSettings, clock: FakeClock, heard: Heard
) -> AsyncIterator[Centers]:
    def make() -> RecordingCenter:
        center = RecordingCenter(database, settings, clock)
        center.set_listener(heard)
        return center

    made = Centers(make)
    yield made
    await made.stop()


ToCompose = Callable[[float], Awaitable[tuple[Meeting, Recording]]]


@pytest.fixture
def to_compose(
    database: Database, settings: RecordingSettings, clock: FakeClock, make_meeting: MakeMeeting
) -> ToCompose:
    """`await to_compose(seconds)`: a meeting that has ended, and its recording, which waits to be composed."""

    async def make(seconds: float) -> tuple[Meeting, Recording]:
        meeting = await make_meeting(state=MeetingState.ENDED)
        async with database.transaction() as session:
            row = repository.add(session, meeting, clock())
            row.ended_at, row.segments = clock(), 1
            await session.flush()
            await repository.enqueue(session, row, clock())
        video, audio = Publisher().video(solid(RED), seconds), Publisher().audio(sine(440), seconds)
        captured = Captured(Folders(settings.folder).of(row.id))
        captured.join(
            (track(video, "a", TrackSource.CAMERA), video), (track(audio, "a", TrackSource.MICROPHONE), audio)
        )
        captured.run()
        captured.end()
        return meeting, row

    return make


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[S3Server]:
    """Encrypts what it keeps, where the parameter says so."""
    with reserved_port() as port:
        server = S3Server(tmp_path_factory.mktemp("s3"), port, encrypted=getattr(request, "param", False))
        yield server
        server.kill()


@pytest.fixture
async def s3(s3_server: S3Server) -> S3Server:
    """The server, running, whatever the test before has done to it."""
    await s3_server.start()
    return s3_server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Three parts and a piece, each byte of which tells its place."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"".join(number.to_bytes(4, "big") for number in range(PART_BYTES * 3 // 4 + 1000)))
    return path
