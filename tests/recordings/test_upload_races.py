"""Two people who bring films at the same instant, through two connections."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from database import Database
from errors import Kind, Problem
from members.policy import Actor, Audience, RoleName
from recordings.settings import RecordingSettings
from recordings.upkeep.models import StorageRules
from recordings.uploads.service import Uploads
from recordings.uploads.views import NewFilm, UploadView
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock, Records, Tree
from tests.recordings import films
from tests.recordings.conftest import MakeMeeting
from tests.recordings.test_viewing_races import ended_or_waiting

MEGA = 1_000_000


@pytest.fixture
def uploads(database: Database, settings: RecordingSettings, clock: FakeClock) -> Uploads:
    settings.folder.mkdir(parents=True, exist_ok=True)
    return Uploads(database, settings, clock, lambda: None)


@pytest.fixture
async def secretaries(records: Records, tree: Tree) -> list[Actor]:
    return [await records.actor((RoleName.SECRETARY, tree.branch)) for _ in range(2)]


def film_of(tree: Tree, clock: FakeClock, size: int, meeting: Meeting | None = None) -> NewFilm:
    return NewFilm(
        tree.branch.id, "党史讲座", MeetingKind.THEME_DAY, Audience.ORGANIZATION, clock(), size_bytes=size,
        duration_seconds=2.0, meeting_id=meeting.id if meeting else None,
    )  # fmt: skip


def told_apart(answers: list[UploadView | BaseException]) -> tuple[int, list[tuple[Kind, str]]]:
    """How many were let through, and why the others were not."""
    refused = [one for one in answers if isinstance(one, BaseException)]
    problems = [(one.kind, one.code) for one in refused if isinstance(one, Problem)]
    assert len(problems) == len(refused), refused
    return len(answers) - len(refused), problems


async def test_the_last_room_of_a_quota_is_given_once(
    uploads: Uploads, database: Database, tree: Tree, clock: FakeClock, secretaries: list[Actor]
) -> None:
    async with database.transaction() as session:
        session.add(
            StorageRules(
                organization_id=tree.committee.id, quota_bytes=3 * MEGA, keep_days_by_kind={},
                set_by=secretaries[0].account_id, set_at=clock(),
            )
        )  # fmt: skip
    film = film_of(tree, clock, 2 * MEGA)
    answers = await asyncio.gather(*(uploads.begin(one, film) for one in secretaries), return_exceptions=True)
    assert told_apart(answers) == (1, [(Kind.CONFLICT, "upload_exceeds_quota")])


async def test_of_two_films_of_one_meeting_that_are_whole_at_once_the_second_hears_that_there_is_one(
    uploads: Uploads, database: Database, tree: Tree, clock: FakeClock, secretaries: list[Actor],
    make_meeting: MakeMeeting, tmp_path: Path,
) -> None:  # fmt: skip
    meeting = await make_meeting(state=MeetingState.ENDED)
    data = await asyncio.to_thread(lambda: films.film(tmp_path / "film").read_bytes())
    film = film_of(tree, clock, len(data), meeting)
    begun = [await uploads.begin(one, film) for one in secretaries]
    async with database.transaction() as session:
        await session.execute(select(Meeting.id).where(Meeting.id == meeting.id).with_for_update())
        last = [
            asyncio.ensure_future(uploads.append(actor, view.id, 0, data))
            for actor, view in zip(secretaries, begun, strict=True)
        ]
        await ended_or_waiting(session, *last)
    answers = await asyncio.gather(*last, return_exceptions=True)
    assert told_apart(answers) == (1, [(Kind.CONFLICT, "meeting_has_recording")])
