"""What is left of a recording to who organized its meeting or uploaded it, when the office is gone."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from database import Database, PageRequest
from errors import Problem
from members.policy import Actor, Audience, RoleName
from recordings.captions.service import Captions
from recordings.curation import Curation
from recordings.folders import Folders
from recordings.library import Library
from recordings.models import Recording
from recordings.remaking import Remaking
from recordings.requests import RecordingChanges
from recordings.settings import RecordingSettings
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.viewing.watchers import Watchers
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.test_library import recorded, uploaded

pytestmark = pytest.mark.one_engine

CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:02.000\n今天讨论的事\n"
REFUSED = {"forbidden", "recording_not_found"}


@pytest.fixture
async def officer(records: Records, tree: Tree) -> Actor:
    """The branch's secretary, who is also registered there."""
    return await records.actor((RoleName.SECRETARY, tree.branch), member=await records.member(tree.branch))


@pytest.fixture
async def rows(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, tree: Tree, officer: Actor
) -> dict[str, Recording]:
    organized = await recorded(
        database, await make_meeting(MeetingKind.COMMITTEE_MEETING, MeetingState.ENDED), clock
    )
    await change(database, organized, ended_at=clock(), audience=Audience.INVITED)
    async with database.transaction() as session:
        meeting = await session.get_one(Meeting, organized.meeting_id)
        meeting.organizer_account_id = officer.account_id
    film = await uploaded(database, tree, officer.account_id, clock, audience=Audience.ORGANIZATION)
    return {"organized": organized, "uploaded": film}


async def code_of(work: Awaitable[object]) -> str | None:
    try:
        await work
    except Problem as problem:
        return problem.code
    return None


async def test_what_an_office_allowed_ends_with_it(
    database: Database, settings: RecordingSettings, clock: FakeClock, rows: dict[str, Recording], officer: Actor,
    records: Records, tree: Tree,
) -> None:  # fmt: skip
    curation, captions, watchers = Curation(database), Captions(database, clock), Watchers(database)
    deletions, library = Deletions(database, clock), Library(database, Shelf(settings.folder, None), clock)
    remaking = Remaking(database, Folders(settings.folder), clock, lambda: None)
    calls: dict[str, Callable[[Actor, str], Awaitable[object]]] = {
        "open": lambda who, id_: curation.update(who, id_, RecordingChanges(audience=Audience.ORGANIZATION)),
        "let download": lambda who, id_: curation.update(who, id_, RecordingChanges(downloadable=True)),
        "ask less": lambda who, id_: curation.update(who, id_, RecordingChanges(required_share=0.5)),
        "name persons": lambda who, id_: curation.update(who, id_, RecordingChanges(persons=())),
        "caption": lambda who, id_: captions.put(who, id_, "zh-CN", "中文", CAPTIONS),
        "uncaption": lambda who, id_: captions.remove(who, id_, "zh-CN"),
        "remake": remaking.remake,
        "who watched": lambda who, id_: watchers.list(who, id_, PageRequest()),
        "how long": deletions.keeping,
        "hold": lambda who, id_: deletions.hold(who, id_, "保全"),
        "release": lambda who, id_: deletions.release(who, id_, "不再需要"),
        "delete": lambda who, id_: deletions.delete(who, id_, "重复"),
    }
    moved = (await records.actor((RoleName.SECRETARY, tree.sibling))).roles
    gone = replace(officer, roles=(), member_id=None, home_organization_id=None, home_path=None)
    former: dict[str, tuple[Actor, set[str]]] = {
        "dismissed": (replace(officer, roles=()), {"uploaded"}),  # and a member of the branch as before
        "gone": (gone, set()),
        "moved": (replace(gone, roles=moved), set()),
    }
    for who, (actor, watches) in former.items():
        listed = {view.id for view in (await library.list(actor, PageRequest())).items}
        assert listed == {rows[name].id for name in watches}, who
        for name, row in rows.items():
            seen = name in watches
            assert (await code_of(library.get(actor, row.id)) is None) is seen, (who, name)
            for call, work in calls.items():
                expected = "forbidden" if seen else "recording_not_found"
                assert await code_of(work(actor, row.id)) == expected, (who, name, call)
    assert {view.id for view in (await library.list(officer, PageRequest())).items} == {
        row.id for row in rows.values()
    }
    for name, row in rows.items():
        for call, work in calls.items():
            refused = await code_of(work(officer, row.id)) in REFUSED
            assert refused is (call == "release"), (name, call)  # which one above alone does
