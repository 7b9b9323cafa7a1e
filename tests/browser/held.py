"""A meeting that was held, with a film: what a test puts into the records because composing one takes long."""

from sqlalchemy import select, update

from database import Database, new_id, utc_now
from recordings.models import Recording
from rooms.attendance.models import PresenceInterval
from rooms.persons import member_key
from tests.browser.person import Person
from tests.browser.server import Login, RunningServer
from tests.browser.test_player import put_recording


async def hold(secretary: Person, title: str, *there: Login) -> tuple[str, str]:
    """Begin and end a meeting of the secretary's branch, at which those were; answers the meeting and its recording."""
    meeting = await secretary.schedule(title)
    for step in ("start", "end"):
        await secretary.post(f"/meetings/{meeting}/{step}", {})
    recording = await put_recording(secretary.server, secretary.login)
    now = utc_now()
    database = records_of(secretary.server)
    async with database.transaction() as session:
        await session.execute(
            update(Recording).where(Recording.id == recording).values(meeting_id=meeting, title=title)
        )
        for one in there:
            assert one.member_id is not None
            session.add(
                PresenceInterval(
                    id=new_id(), meeting_id=meeting, person_key=member_key(one.member_id), member_id=one.member_id,
                    name=one.name, opened_at=now, last_seen_at=now, closed=True,
                )
            )  # fmt: skip
    await database.dispose()
    return meeting, recording


async def set_recording(server: RunningServer, recording: str, **fields: object) -> None:
    """Let the records say so of it."""
    database = records_of(server)
    async with database.transaction() as session:
        row = (await session.scalars(select(Recording).where(Recording.id == recording))).one()
        for name, value in fields.items():
            setattr(row, name, value)
    await database.dispose()


def records_of(server: RunningServer) -> Database:
    """The server's own."""
    return Database(f"sqlite:///{server.data}/huitang.sqlite3")
