"""The library: who sees what, and the film's file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from database import Database, PageRequest, new_id
from errors import Kind, Problem
from members.cards import Cards
from members.policy import Actor, Audience, RoleName
from recordings import repository
from recordings.folders import Folders
from recordings.library import Library
from recordings.losses import Lack, Loss, losses_out
from recordings.models import Recording, Viewing
from recordings.renditions import Rendition
from recordings.requests import RecordingsFilter
from recordings.settings import RecordingSettings
from recordings.states import Failure, RecordingState
from recordings.storage.shelf import Shelf
from recordings.viewing.service import Viewings
from recordings.views import MeetingRecording, WatchReport
from rooms.attendance.service import Attendance
from rooms.meetings.models import Meeting
from rooms.meetings.states import MeetingKind, MeetingState
from rooms.persons import member_key
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.statements import statements


@pytest.fixture
def library(database: Database, settings: RecordingSettings, clock: FakeClock) -> Library:
    return Library(database, Shelf(settings.folder, settings.storage), clock)


async def recorded(
    database: Database, meeting: Meeting, clock: FakeClock, state: RecordingState = RecordingState.READY
) -> Recording:
    async with database.transaction() as session:
        row = repository.add(session, meeting, clock())
        row.state, row.duration_seconds, row.version, row.size_bytes = state, 60.0, 1, 4
    clock.advance(1)
    return row


async def uploaded(
    database: Database, tree: Tree, uploader: str, clock: FakeClock, **fields: Any
) -> Recording:
    """A film made elsewhere, which belongs to no meeting."""
    row = Recording(
        id=new_id(), meeting_id=None, organization_id=tree.branch.id, kind=MeetingKind.LECTURE, title="党史讲座",
        uploader_account_id=uploader, audience=Audience.ORGANIZATION, state=RecordingState.READY, state_since=clock(),
        progress=1.0, segments=0, version=1, started_at=clock(), duration_seconds=60.0, size_bytes=4,
    )  # fmt: skip
    for name, value in fields.items():
        setattr(row, name, value)
    async with database.transaction() as session:
        session.add(row)
    clock.advance(1)
    return row


async def everybody(records: Records, tree: Tree) -> dict[str, Actor]:
    """One of each kind of people."""
    async with records.at_once():
        guest = await records.member(tree.cousin, guest_of=tree.branch)
        return {
            "member": await records.actor(member=await records.member(tree.branch)),
            "guest member": await records.actor(member=guest),
            "sibling": await records.actor(member=await records.member(tree.sibling)),
            "cousin": await records.actor(member=await records.member(tree.cousin)),
            "secretary": await records.actor((RoleName.SECRETARY, tree.branch)),
            "other secretary": await records.actor((RoleName.SECRETARY, tree.sibling)),
            "committee": await records.actor((RoleName.COMMITTEE_OFFICER, tree.committee)),
            "other committee": await records.actor((RoleName.COMMITTEE_OFFICER, tree.other_committee)),
            "district": await records.actor((RoleName.DISTRICT_OFFICER, tree.department)),
            "resident": await records.actor((RoleName.RESIDENT, tree.branch)),
        }


async def test_lists_and_single_recordings_agree_on_who_may_watch(
    database: Database,
    library: Library,
    records: Records,
    tree: Tree,
    make_meeting: MakeMeeting,
    clock: FakeClock,
) -> None:
    people = await everybody(records, tree)
    invited, struck = people["cousin"].member_id, people["member"].member_id
    assert invited is not None
    assert struck is not None
    rows = {
        "own branch": await recorded(database, await make_meeting(), clock),
        "committee only": await recorded(database, await make_meeting(MeetingKind.COMMITTEE_MEETING), clock),
        "open to members": await recorded(database, await make_meeting(MeetingKind.OPEN_LIFE), clock),
        "lecture": await recorded(
            database, await make_meeting(MeetingKind.LECTURE, invited=(invited,), struck=(struck,)), clock
        ),
        "uploaded": await uploaded(database, tree, people["other secretary"].account_id, clock),
        "uploaded for some": await uploaded(
            database, tree, people["district"].account_id, clock, audience=Audience.INVITED
        ),
        "uploaded for members": await uploaded(
            database, tree, people["district"].account_id, clock, audience=Audience.MEMBERS
        ),
        "for the committee": await uploaded(
            database, tree, people["district"].account_id, clock, audience=Audience.COMMITTEE
        ),
        "for the district": await uploaded(
            database, tree, people["district"].account_id, clock, audience=Audience.DISTRICT
        ),
        "public": await uploaded(
            database, tree, people["district"].account_id, clock, audience=Audience.PUBLIC
        ),
        "deleted": await uploaded(
            database,
            tree,
            people["district"].account_id,
            clock,
            audience=Audience.PUBLIC,
            state=RecordingState.DELETED,
        ),
    }
    async with database.transaction() as session:  # who has moved to another branch since
        organized = await session.get_one(Meeting, rows["committee only"].meeting_id)
        organized.organizer_account_id = people["other secretary"].account_id
    seen = {}
    for who, actor in people.items():
        page = await library.list(actor, PageRequest())
        listed = {view.id for view in page.items}
        for row in rows.values():
            if row.id in listed:
                alone = await library.get(actor, row.id)
                assert replace(alone, can_manage=False, can_delete=False) in page.items
                continue
            with pytest.raises(Problem) as refused:
                await library.get(actor, row.id)
            assert (refused.value.kind, refused.value.code) == (Kind.NOT_FOUND, "recording_not_found")
        playable = listed - {row.id for row in rows.values() if not row.state.playable}
        asked = {(who_asks, row.id) for row in rows.values() for who_asks in (actor, None)}
        let_in = await library.open_all(asked)
        assert {id_ for who_asks, id_ in let_in if who_asks is actor} == playable, "asked for many at once"
        assert {id_ for who_asks, id_ in let_in if who_asks is None} == {rows["public"].id}
        of_meetings = {row.meeting_id: row.id for row in rows.values() if row.meeting_id}
        assert await library.of_meetings(actor, of_meetings) == {
            meeting: MeetingRecording(recording, deleted=False)
            for meeting, recording in of_meetings.items()
            if recording in listed
        }
        seen[who] = {name for name, row in rows.items() if row.id in listed}
    everything = set(rows) - {"deleted"}
    open_to_members = {"open to members", "uploaded for members", "for the district", "public"}
    assert seen == {
        "member": {"own branch", "uploaded", "for the committee"} | open_to_members,
        "guest member": {"own branch", "lecture", "uploaded", "for the committee"} | open_to_members,
        "sibling": {"for the committee"} | open_to_members,
        "cousin": {"lecture"} | open_to_members,
        "secretary": everything,
        "other secretary": {"public"},  # organized one and uploaded another, before he moved
        "committee": everything,
        "other committee": {"public"},
        "district": everything,
        "resident": {"public"},
    }
    for name, row in rows.items():
        if name == "public":
            assert (await library.get(None, row.id)).id == row.id
            continue
        with pytest.raises(Problem) as refused:
            await library.get(None, row.id)
        assert refused.value.code == "not_signed_in", name


async def test_many_are_let_in_with_as_few_statements_as_two_and_the_clock_runs_for_each(
    database: Database, library: Library, records: Records, tree: Tree, clock: FakeClock
) -> None:
    uploader = await records.account((RoleName.SECRETARY, tree.branch))
    row = await uploaded(database, tree, uploader.id, clock, audience=Audience.MEMBERS)
    first, *others = [await records.actor(member=await records.member(tree.branch)) for _ in range(15)]
    await library.open(first, row.id)
    begun = clock()
    clock.advance(60)
    counts = []
    for actors in ([first, *others[:2]], [first, *others[2:]]):
        with statements(database) as seen:
            let_in = await library.open_all({(actor, row.id) for actor in actors})
        assert len(let_in) == len(actors)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    async with database.reading() as session:
        since = {one.member_id: one.reported_at for one in await session.scalars(select(Viewing))}
    assert since == {first.member_id: begun} | {actor.member_id: clock() for actor in others}
    with statements(database) as seen:
        await library.open_all({(actor, row.id) for actor in (first, *others)})
    assert not [text for text in seen if "recording_viewings" in text], "it is known that it runs"


async def test_what_a_film_lacks_is_told_of_one_recording_and_that_capture_stands_still_of_every(
    database: Database, library: Library, make_meeting: MakeMeeting, actor: Actor, clock: FakeClock
) -> None:
    row = await recorded(database, await make_meeting(), clock, RecordingState.FAILED)
    await change(database, row, ended_at=None)
    stopped = [await library.get(actor, row.id), *(await library.list(actor, PageRequest())).items]
    assert [one.capture_stopped for one in stopped] == [True, True]
    lost = Loss("segment-0001/1", "microphone", "damaged", 4.0, "李秀兰")
    await change(database, row, ended_at=clock(), losses=losses_out([lost]))
    failed = await library.get(actor, row.id)
    assert (failed.capture_stopped, failed.lacks) == (False, ()), "there is no film that could lack anything"
    await change(database, row, state=RecordingState.DAMAGED)
    assert (await library.get(actor, row.id)).lacks == (Lack("李秀兰", "microphone", 4.0),)


@pytest.mark.one_engine
async def test_members_of_one_name_are_known_by_their_branches_to_who_is_signed_in(
    database: Database, library: Library, records: Records, tree: Tree, make_meeting: MakeMeeting, actor: Actor,
    clock: FakeClock,
) -> None:  # fmt: skip
    row = await recorded(database, await make_meeting(), clock, RecordingState.DAMAGED)
    people = [await records.member(branch, "王芳") for branch in (tree.branch, tree.cousin)]
    lost = [
        Loss(f"segment-0001/{place}", "camera", "damaged", 9.0 - place, one.name, person=member_key(one.id))
        for place, one in enumerate(people)
    ]
    await change(database, row, losses=losses_out(lost), audience=Audience.PUBLIC)
    told = (await library.get(actor, row.id)).lacks
    assert [(one.name, one.apart) for one in told] == [("王芳", tree.branch.name), ("王芳", tree.cousin.name)]
    assert {one.apart for one in (await library.get(None, row.id)).lacks} == {"1", "2"}


@pytest.mark.one_engine
async def test_a_row_that_makes_no_sense_hides_no_other_and_is_said_to_be_damaged(
    database: Database,
    library: Library,
    records: Records,
    tree: Tree,
    make_meeting: MakeMeeting,
    clock: FakeClock,
) -> None:
    actor = await records.actor((RoleName.SECRETARY, tree.branch))
    whole, bad = [await recorded(database, await make_meeting(), clock) for _ in range(2)]
    strip = {"interval_seconds": 1.0, "columns": 1, "count": 1, "width": 1, "height": 1}
    preview = {"name": "preview", "size": 1}
    await change(
        database, whole, renditions=[preview | strip], chapters=[{"start_seconds": 0, "title": "开会"}]
    )
    renditions: list[Any] = [
        [{"name": "hologram", "size": 1}], [{"name": "film"}], ["film"], 7, [preview],
        [preview | strip | {"count": "many"}], [preview | strip | {"interval_seconds": -1}],
    ]  # fmt: skip
    chapters: list[Any] = [[{}], [{"start_seconds": "soon", "title": "开会"}], "chapters", [None]]
    senseless = [{"renditions": one} for one in renditions] + [{"chapters": one} for one in chapters]
    for fields in senseless:
        await change(
            database, bad, **{"renditions": [], "chapters": [], "losses": [{"seconds": "some"}]} | fields
        )
        listed = {view.id: view for view in (await library.list(actor, PageRequest())).items}
        shown = (listed[whole.id].state, listed[whole.id].failure, listed[whole.id].renditions)
        assert shown == (RecordingState.READY, None, (Rendition.PREVIEW,))
        for view in (listed[bad.id], await library.get(actor, bad.id)):
            assert (view.state, view.failure) == (RecordingState.DAMAGED, Failure.FILES_MISSING), fields
            assert (view.renditions, view.chapters, view.preview, view.lacks) == (
                (Rendition.FILM,),
                (),
                None,
                (),
            )
    await change(database, bad, state=RecordingState.COMPOSING)
    alone = await library.get(actor, bad.id)
    assert (alone.state, alone.failure, alone.renditions) == (RecordingState.COMPOSING, None, ())


async def test_pages_go_from_new_to_old(
    database: Database,
    library: Library,
    records: Records,
    tree: Tree,
    make_meeting: MakeMeeting,
    clock: FakeClock,
) -> None:
    actor = await records.actor((RoleName.SECRETARY, tree.branch))
    rows = [await recorded(database, await make_meeting(), clock) for _ in range(5)]
    first = await library.list(actor, PageRequest(limit=3))
    second = await library.list(actor, PageRequest(limit=3, cursor=first.next_cursor))
    assert [view.id for view in (*first.items, *second.items)] == [row.id for row in reversed(rows)]
    assert second.next_cursor is None
    only = await library.list(actor, PageRequest(), RecordingsFilter(meeting_id=rows[2].meeting_id))
    (view,) = only.items
    assert (view.id, view.title, view.organization_name, view.kind) == (
        rows[2].id, "十一月主题党日", "东湖村党支部", "theme_day",
    )  # fmt: skip
    assert view.coverage is None, "an officer's watching is not counted"


async def test_the_film_is_a_file_with_a_tag_that_changes_with_it(
    database: Database,
    library: Library,
    records: Records,
    tree: Tree,
    make_meeting: MakeMeeting,
    clock: FakeClock,
    settings: RecordingSettings,
) -> None:
    actor = await records.actor(member=await records.member(tree.branch))
    row = await recorded(database, await make_meeting(), clock)
    opened = await library.open(actor, row.id)
    with pytest.raises(Problem) as refused:
        await library.file(opened, Rendition.FILM)
    assert refused.value.code == "recording_not_playable", "the file is gone"
    film = Folders(settings.folder).film(row.id)
    film.parent.mkdir(parents=True)
    film.write_bytes(b"film")
    media = await library.file(opened, Rendition.FILM)
    assert (media.entry.size, media.etag) == (4, f'"{row.id}-1-meeting.mp4-4"')
    assert b"".join([piece async for piece in media.store.read(media.entry, 1, 4)]) == b"ilm"
    unfinished = await recorded(database, await make_meeting(), clock, RecordingState.COMPOSING)
    with pytest.raises(Problem) as refused:
        await library.open(actor, unfinished.id)
    assert (refused.value.kind, refused.value.code) == (Kind.CONFLICT, "recording_not_playable")


async def test_from_fetching_the_film_on_the_time_to_watch_it_runs(
    database: Database,
    library: Library,
    records: Records,
    tree: Tree,
    make_meeting: MakeMeeting,
    clock: FakeClock,
) -> None:
    actor = await records.actor(member=await records.member(tree.branch))
    row = await recorded(database, await make_meeting(state=MeetingState.ENDED), clock)
    cards = Cards(database, clock)
    viewings = Viewings(database, Attendance(database, cards, clock), cards, clock)
    for _ in range(3):  # ranges are many requests; the first one counts
        await library.open(actor, row.id)
        clock.advance(4)
    view = await viewings.report(actor, row.id, WatchReport(((0.0, 12.0),)))
    assert view.seconds == pytest.approx(12)
    assert (await library.get(actor, row.id)).coverage == view


@pytest.mark.parametrize("name", ["", "..", "../../etc", "x" * 32, "A" * 32, "0" * 31])
def test_folders_are_named_by_ids_and_nothing_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        Folders(tmp_path).of(name)
