"""Rules, holds and deletions in the records and on the disk."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Executable, delete, select, update
from sqlalchemy.exc import DBAPIError

from database import Database, PageRequest, new_id
from errors import Problem
from members.organizations import Organization
from members.policy import Actor, Audience
from recordings import repository
from recordings.captions.models import RecordingCaptions
from recordings.captions.service import Captions
from recordings.curation import Curation
from recordings.folders import Folders
from recordings.library import Library
from recordings.models import CompositionJob, PictureWish, Recording, Viewing
from recordings.reconciliation import Reconciliation
from recordings.renditions import Chapter, chapters_out
from recordings.requests import RecordingChanges
from recordings.settings import RecordingSettings
from recordings.states import RecordingState
from recordings.storage.models import StorageJob, Task
from recordings.storage.publisher import Publisher
from recordings.storage.shelf import Shelf
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.models import Cause, RecordingDeletion
from recordings.upkeep.quota import Fullness
from recordings.upkeep.retention import NOTICE
from recordings.upkeep.room import require_room_to_record
from recordings.upkeep.rules import Rules
from recordings.viewing import repository as viewings_of
from recordings.views import MeetingRecording
from recordings.wishes import Wishes
from rooms.meetings.states import MeetingKind, MeetingState
from tests.factories import FakeClock, Records, Tree
from tests.recordings.conftest import MakeMeeting
from tests.recordings.rows import change
from tests.recordings.running import RunningServer
from tests.recordings.test_library import everybody, recorded
from tests.statements import statements

DAY = timedelta(days=1)


@pytest.fixture
def folders(settings: RecordingSettings) -> Folders:
    return Folders(settings.folder)


@pytest.fixture
def deletions(database: Database, clock: FakeClock) -> Deletions:
    return Deletions(database, clock)


@pytest.fixture
def server(database: Database, clock: FakeClock) -> RunningServer:
    return RunningServer(database, clock)


@pytest.fixture
def rules(database: Database, clock: FakeClock) -> Rules:
    return Rules(database, clock)


@pytest.fixture
async def people(records: Records, tree: Tree) -> dict[str, Actor]:
    return await everybody(records, tree)


@pytest.fixture
async def recording(
    database: Database, make_meeting: MakeMeeting, clock: FakeClock, folders: Folders
) -> Recording:
    """A lecture that is ready, with files."""
    row = await recorded(database, await make_meeting(MeetingKind.LECTURE, MeetingState.ENDED), clock)
    await change(database, row, ended_at=clock())
    segment = folders.segment(row.id, 1)
    segment.mkdir(parents=True)
    (segment / "track.mkv").write_bytes(b"track")
    folders.film(row.id).write_bytes(b"film")
    return row


async def entries(database: Database) -> list[RecordingDeletion]:
    async with database.reading() as session:
        return list(await session.scalars(select(RecordingDeletion)))


async def refused(code: str, work: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(Problem) as found:
        await work()
    assert found.value.code == code


async def test_a_deletion_leaves_its_entry_and_nothing_else(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording, folders: Folders,
    settings: RecordingSettings, clock: FakeClock,
) -> None:  # fmt: skip
    said = "WEBVTT\n\n00:00.000 --> 00:02.000\n今天讨论的事\n"
    await Captions(database, clock).put(people["secretary"], recording.id, "zh-CN", "中文", said)
    shared = chapters_out([Chapter(0.0, "王秀兰共享的屏幕")])
    await change(database, recording, chapters=shared, losses=[{"name": "王秀兰"}])
    member = people["member"].member_id
    assert member is not None
    assert recording.meeting_id is not None
    await Wishes(database, clock).note(recording.meeting_id, "member", hidden=True)
    async with database.transaction() as session:
        watched = await viewings_of.open_and_lock(session, recording.id, member, clock())
        watched.intervals, watched.seconds, watched.completed_at = [[0.0, 60.0]], 60.0, clock()
    await deletions.delete(people["secretary"], recording.id, "误录，重复")
    async with database.reading() as session:
        job = await session.scalar(select(StorageJob))
        assert (await session.scalars(select(PictureWish))).all() == []
        viewing = (await session.scalars(select(Viewing))).one()
        assert (viewing.intervals, viewing.seconds) == ([], 60.0), "that it was studied stays"
        assert viewing.completed_at is not None
        kept = await session.get_one(Recording, recording.id)
        assert (await session.scalars(select(RecordingCaptions))).all() == []
    assert (kept.chapters, kept.losses) == ([], [])
    assert job is not None
    assert (job.recording_id, job.task) == (recording.id, Task.REMOVE), "in the same transaction"
    shelf = Shelf(settings.folder, None)
    assert await Publisher(database, folders, shelf, None, clock).work_once(Task.REMOVE)
    assert not folders.of(recording.id).exists()
    (entry,) = await entries(database)
    assert (entry.cause, entry.deleted_by, entry.reason) == (
        Cause.PERSON, people["secretary"].account_id, "误录，重复",
    )  # fmt: skip
    assert (entry.title, entry.organization_name, entry.deleted_by_name) == (
        recording.title, "东湖村党支部", people["secretary"].name,
    )  # fmt: skip
    library = Library(database, shelf, clock)
    for actor in (people["secretary"], people["district"], None):
        code = "not_signed_in" if actor is None else "recording_not_found"
        await refused(code, partial(library.get, actor, recording.id))
    await refused("recording_not_found", lambda: deletions.delete(people["secretary"], recording.id, "again"))
    for who, seen in (("secretary", 1), ("committee", 1), ("other secretary", 0), ("member", 0)):
        assert len((await deletions.list(people[who], PageRequest())).items) == seen, who


async def test_what_an_earlier_deletion_has_left_of_what_was_said_is_forgotten(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording, folders: Folders,
    settings: RecordingSettings, clock: FakeClock,
) -> None:  # fmt: skip
    reconciliation = Reconciliation(database, folders, Shelf(settings.folder, None), clock, lambda _: False)
    await deletions.delete(people["secretary"], recording.id, "误录，重复")
    assert (await reconciliation.catch_up()).forgotten == 0
    left = RecordingCaptions(
        recording_id=recording.id, language="zh-CN", label="中文", text="WEBVTT", uploaded_by=new_id(),
        uploaded_at=clock(),
    )  # fmt: skip
    async with database.transaction() as session:
        session.add(left)
    assert (await reconciliation.catch_up()).forgotten == 1
    async with database.reading() as session:
        assert (await session.scalars(select(RecordingCaptions))).all() == []
    await change(database, recording, chapters=chapters_out([Chapter(0.0, "王秀兰共享的屏幕")]))
    assert [(await reconciliation.catch_up()).forgotten for _ in range(2)] == [1, 0]


async def test_who_might_have_watched_a_deleted_recording_reads_its_entry_and_nobody_else(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording,
    settings: RecordingSettings, clock: FakeClock,
) -> None:  # fmt: skip
    library = Library(database, Shelf(settings.folder, None), clock)
    meeting = recording.meeting_id
    assert meeting is not None
    watched = {who for who, actor in people.items() if await library.of_meetings(actor, [meeting])}
    assert {"member", "secretary"} <= watched < set(people)
    for actor in people.values():
        await refused("recording_not_found", partial(deletions.of, actor, recording.id))
    await deletions.delete(people["secretary"], recording.id, "误录")
    for who, actor in people.items():
        if who not in watched:
            await refused("recording_not_found", partial(deletions.of, actor, recording.id))
            assert await library.of_meetings(actor, [meeting]) == {}
            continue
        entry = await deletions.of(actor, recording.id)
        assert (entry.reason, entry.deleted_by_name) == ("误录", people["secretary"].name)
        assert await library.of_meetings(actor, [meeting]) == {
            meeting: MeetingRecording(recording.id, deleted=True)
        }


@pytest.mark.parametrize("state", [RecordingState.COMPOSING, RecordingState.MENDING])
async def test_what_waits_for_room_can_be_deleted_to_make_it_and_what_somebody_works_on_cannot(
    database: Database, deletions: Deletions, people: dict[str, Actor], recording: Recording, clock: FakeClock,
    settings: RecordingSettings, state: RecordingState,
) -> None:  # fmt: skip
    secretary, library = people["secretary"], Library(database, Shelf(settings.folder, None), clock)
    await change(database, recording, state=state)

    async def queued(worker: str | None, *, no_room: bool) -> None:
        job = CompositionJob(recording_id=recording.id, queued_at=clock(), not_before=clock(), attempts=0)
        job.worker, job.no_room_since = worker, clock() if no_room else None
        async with database.transaction() as session:
            await session.merge(job)

    async def can_be_deleted() -> bool:
        said = (await deletions.keeping(secretary, recording.id)).can_delete
        assert (await library.get(secretary, recording.id)).can_delete is said
        return said

    for worker, no_room in ((None, False), (new_id(), True)):
        await queued(worker, no_room=no_room)
        assert not await can_be_deleted()
        await refused(
            "recording_in_work", lambda: deletions.delete(secretary, recording.id, "为其他录像腾空间")
        )
    await queued(None, no_room=True)
    await change(database, recording, ended_at=None)
    await refused("recording_in_work", lambda: deletions.delete(secretary, recording.id, "为其他录像腾空间"))
    await change(database, recording, ended_at=clock())
    assert await can_be_deleted()
    await refused("forbidden", lambda: deletions.delete(people["member"], recording.id, "为其他录像腾空间"))
    await deletions.delete(secretary, recording.id, "为其他录像腾空间")
    async with database.reading() as session:
        assert await session.get(CompositionJob, recording.id) is None
        assert (await session.get_one(StorageJob, recording.id)).task is Task.REMOVE


@pytest.mark.parametrize(
    "statement", [delete(RecordingDeletion), update(RecordingDeletion).values(reason="nothing happened")]
)
async def test_an_entry_cannot_be_changed_or_taken_away(
    database: Database,
    deletions: Deletions,
    people: dict[str, Actor],
    recording: Recording,
    statement: Executable,
) -> None:
    await deletions.delete(people["secretary"], recording.id, "误录")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.execute(statement)
    assert [entry.reason for entry in await entries(database)] == ["误录"]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("member", "forbidden"), ("guest member", "forbidden"), ("other secretary", "recording_not_found"),
        ("other committee", "recording_not_found"), ("resident", "recording_not_found"),
    ],
)  # fmt: skip
async def test_only_officers_delete_and_hold(
    deletions: Deletions, people: dict[str, Actor], recording: Recording, who: str, code: str
) -> None:
    await refused(code, lambda: deletions.delete(people[who], recording.id, "why"))
    await refused(code, lambda: deletions.hold(people[who], recording.id, "why"))
    await refused(code, lambda: deletions.keeping(people[who], recording.id))


async def test_what_is_held_nobody_deletes_until_one_above_lifts_it(
    database: Database, deletions: Deletions, rules: Rules, people: dict[str, Actor], recording: Recording,
    tree: Tree, server: RunningServer,
) -> None:  # fmt: skip
    secretary, committee = people["secretary"], people["committee"]
    await refused("invalid_reason", lambda: deletions.hold(secretary, recording.id, " "))
    await deletions.hold(secretary, recording.id, "纪检调阅")
    await refused("recording_held", lambda: deletions.hold(committee, recording.id, "again"))
    for who in ("secretary", "committee", "district"):
        await refused("recording_held", partial(deletions.delete, people[who], recording.id, "why"))
    await rules.put(committee, tree.committee.id, 1, {}, None)
    await server.runs(400 * DAY)
    assert await deletions.apply_rules() == 0
    shown = await deletions.keeping(committee, recording.id)
    assert shown.hold is not None
    assert (shown.hold.reason, shown.hold.set_by_name, shown.deletes_at) == ("纪检调阅", secretary.name, None)
    assert (shown.can_hold, shown.can_release, shown.can_delete) == (False, True, False)
    await refused("forbidden", lambda: deletions.release(secretary, recording.id, "done"))
    await deletions.release(committee, recording.id, "调阅结束")
    await refused("recording_not_held", lambda: deletions.release(committee, recording.id, "again"))
    assert await deletions.apply_rules() == 0, "first it is announced"
    await server.runs(NOTICE)
    assert await deletions.apply_rules() == 1
    (entry,) = await entries(database)
    assert (entry.cause, entry.deleted_by, entry.reason) == (Cause.RETENTION, None, "keep_days=1")


async def test_what_is_held_after_its_announcement_is_not_told_to_be_going(
    deletions: Deletions, rules: Rules, people: dict[str, Actor], recording: Recording, tree: Tree,
    server: RunningServer,
) -> None:  # fmt: skip
    secretary, committee = people["secretary"], people["committee"]
    await rules.put(committee, tree.committee.id, 1, {}, None)
    await server.runs(1 * DAY)
    await deletions.apply_rules()
    assert len((await deletions.leaving(secretary, PageRequest())).items) == 1
    await deletions.hold(secretary, recording.id, "纪检调阅")
    await server.runs(NOTICE)
    assert await deletions.apply_rules() == 0
    assert (await deletions.leaving(secretary, PageRequest())).items == []
    await deletions.release(committee, recording.id, "调阅结束")
    assert await deletions.apply_rules() == 0, "it is announced anew"
    assert (await deletions.keeping(secretary, recording.id)).announced


async def test_the_rules_announce_and_then_delete_and_never_before(
    database: Database, deletions: Deletions, rules: Rules, people: dict[str, Actor], recording: Recording,
    tree: Tree, server: RunningServer,
) -> None:  # fmt: skip
    assert await deletions.apply_rules() == 0
    await rules.put(people["district"], tree.department.id, 100, {MeetingKind.THEME_DAY: 1}, None)
    secretary = people["secretary"]
    await server.runs(69 * DAY)
    await deletions.apply_rules()
    assert not (await deletions.keeping(secretary, recording.id)).announced
    await server.runs(1 * DAY)
    await deletions.apply_rules()
    shown = await deletions.keeping(secretary, recording.id)
    assert shown.announced
    (leaving,) = (await deletions.leaving(secretary, PageRequest())).items
    assert (leaving.id, leaving.deletes_at) == (recording.id, shown.deletes_at)
    await server.runs(29 * DAY)
    assert await deletions.apply_rules() == 0
    # The committee says longer: the announcement is taken back.
    await rules.put(people["committee"], tree.committee.id, None, {MeetingKind.LECTURE: 200}, None)
    await server.runs(2 * DAY)
    assert await deletions.apply_rules() == 0
    assert (await deletions.leaving(secretary, PageRequest())).items == []
    await server.runs(70 * DAY)
    assert await deletions.apply_rules() == 0
    await server.runs(60 * DAY)
    assert await deletions.apply_rules(most=1) == 1
    assert len(await entries(database)) == 1


async def test_what_the_operator_takes_back_and_says_again_is_announced_anew(
    database: Database, recording: Recording, server: RunningServer, clock: FakeClock
) -> None:
    gone = []
    for days in (1, 0, 1, 1):
        await server.runs(NOTICE)
        gone.append(await Deletions(database, clock, default_days=days).apply_rules())
    assert gone == [0, 0, 0, 1]
    assert [entry.recording_id for entry in await entries(database)] == [recording.id]


async def test_a_clock_that_jumps_a_year_ahead_shortens_nobodys_notice(
    deletions: Deletions, rules: Rules, people: dict[str, Actor], recording: Recording, tree: Tree,
    server: RunningServer, clock: FakeClock,
) -> None:  # fmt: skip
    await rules.put(people["committee"], tree.committee.id, 30, {}, None)
    await server.runs(1 * DAY)
    assert await deletions.apply_rules() == 0, "it is announced"
    await server.runs(1 * DAY)
    clock.advance(365 * DAY)
    assert await deletions.apply_rules() == 0
    shown = await deletions.keeping(people["secretary"], recording.id)
    assert (shown.announced, shown.deletes_at) == (True, clock() + 13 * DAY)
    await server.runs(NOTICE - 2 * DAY)
    assert await deletions.apply_rules() == 0
    await server.runs(1 * DAY)
    clock.advance(-365 * DAY)
    assert await deletions.apply_rules() == 0, "the clock is right again, and the rule says later"
    await server.runs(15 * DAY)
    assert await deletions.apply_rules() == 1


@pytest.mark.parametrize(
    ("state", "live"),
    [
        (RecordingState.CAPTURING, True), (RecordingState.COMPOSING, False), (RecordingState.MENDING, False),
        (RecordingState.FAILED, True),  # the disk is full, and the meeting goes on
    ],
)  # fmt: skip
async def test_what_is_being_made_is_deleted_by_nobody(
    database: Database, deletions: Deletions, rules: Rules, people: dict[str, Actor], recording: Recording, tree: Tree,
    settings: RecordingSettings, clock: FakeClock, server: RunningServer, state: RecordingState, live: bool,
) -> None:  # fmt: skip
    secretary = people["secretary"]
    await change(database, recording, state=state, ended_at=None if live else clock())
    await refused("recording_in_work", lambda: deletions.delete(secretary, recording.id, "why"))
    assert not (await deletions.keeping(secretary, recording.id)).can_delete
    library = Library(database, Shelf(settings.folder, None), clock)
    assert not (await library.get(secretary, recording.id)).can_delete
    await rules.put(people["committee"], tree.committee.id, 1, {}, None)
    for _ in range(2):
        await server.runs(NOTICE)
        assert await deletions.apply_rules() == 0
    assert (await deletions.keeping(secretary, recording.id)).deletes_at is None
    assert await entries(database) == []


async def test_a_quota_warns_and_then_refuses_new_recordings_alone(
    database: Database, rules: Rules, people: dict[str, Actor], recording: Recording, tree: Tree
) -> None:
    secretary, committee = people["secretary"], people["committee"]

    async def require_room(organization: Organization) -> None:
        async with database.reading() as session:
            await require_room_to_record(session, organization)

    await refused("forbidden", lambda: rules.put(secretary, tree.branch.id, None, {}, 10))
    await refused("not_found", lambda: rules.put(people["other committee"], tree.branch.id, None, {}, 10))
    await refused("forbidden", lambda: rules.get(people["member"], tree.branch.id))
    await rules.put(committee, tree.committee.id, None, {}, 1_000)
    for used, fullness in ((799, Fullness.FINE), (800, Fullness.FILLING), (1_000, Fullness.FULL)):
        await change(database, recording, kept_bytes=used)
        shown = await rules.get(secretary, tree.branch.id)
        assert (shown.fullness, shown.used_bytes, shown.quota_of) == (fullness, used, "城关镇党委")
        await require_room(tree.branch)
    await change(database, recording, kept_bytes=1_100)
    await refused("recording_quota_exhausted", lambda: require_room(tree.branch))
    await refused("recording_quota_exhausted", lambda: require_room(tree.sibling))
    await require_room(tree.cousin)
    own = await rules.put(committee, tree.branch.id, 30, {MeetingKind.LECTURE: 0}, 10**9)
    assert (own.quota_of, own.fullness) == ("城关镇党委", Fullness.EXHAUSTED), "the tightest counts"
    assert (own.counting_days[MeetingKind.LECTURE], own.counting_days[MeetingKind.THEME_DAY]) == (0, 30)
    await change(database, recording, state=RecordingState.DELETED)
    await require_room(tree.branch)


async def test_whoever_looks_after_an_organization_is_warned_of_every_quota_that_fills_up_there_and_below(
    database: Database, rules: Rules, people: dict[str, Actor], recording: Recording, tree: Tree
) -> None:
    async def warned() -> dict[str, Sequence[tuple[str, Fullness, bool]]]:
        return {
            who: [(one.organization_name, one.fullness, one.can_manage) for one in await rules.filling(actor)]
            for who, actor in people.items()
        }

    for organization, quota in ((tree.branch, 1_000), (tree.sibling, 1_000), (tree.committee, 1_000_000)):
        await rules.put(people["committee"], organization.id, None, {}, quota)
    await change(database, recording, kept_bytes=799)
    assert not any((await warned()).values())
    await change(database, recording, kept_bytes=950)
    branch = ("东湖村党支部", Fullness.NEARLY_FULL, True)
    assert await warned() == {who: [] for who in people} | {
        "secretary": [(branch[0], branch[1], False)], "committee": [branch], "district": [branch],
    }  # fmt: skip
    with statements(database) as alone:
        await rules.filling(people["district"])
    await rules.put(people["committee"], tree.committee.id, None, {}, 1_050)
    await rules.put(people["district"], tree.department.id, None, {}, 1_100)
    # A branch lives in the room of those above it too, whose quotas it can do nothing about.
    above = [("城关镇党委", Fullness.NEARLY_FULL), ("区委组织部", Fullness.FILLING)]
    found = await warned()
    assert found["district"] == [branch, *((*one, True) for one in above)]
    assert found["other secretary"] == [(*one, False) for one in above]
    assert found["other committee"] == [(*above[1], False)]
    with statements(database) as many:
        await rules.filling(people["district"])
    assert len(many) == len(alone), "no query a quota"


AUDIENCES = {
    Audience.INVITED: {"secretary", "committee", "district"},
    Audience.ORGANIZATION: {"secretary", "committee", "district"},
    Audience.COMMITTEE: {"committee", "district"},
    Audience.DISTRICT: {"district"},
    Audience.MEMBERS: {"district"},
    Audience.PUBLIC: {"district"},
}


@pytest.mark.parametrize("audience", AUDIENCES)
async def test_a_circle_is_opened_by_its_own_officers(
    database: Database, people: dict[str, Actor], recording: Recording, audience: Audience
) -> None:
    curation = Curation(database)
    for who in ("member", "secretary", "committee", "district"):
        start = Audience.INVITED if audience is not Audience.INVITED else Audience.MEMBERS
        await change(database, recording, audience=start)
        actor = people[who]
        if who in AUDIENCES[audience]:
            await curation.update(actor, recording.id, RecordingChanges(audience=audience))
            continue
        unseen = who == "member" and start is Audience.INVITED
        code = "recording_not_found" if unseen else "forbidden"
        await refused(
            code, partial(curation.update, actor, recording.id, RecordingChanges(audience=audience))
        )


async def test_settings_have_bounds(
    database: Database, people: dict[str, Actor], recording: Recording
) -> None:
    curation, district = Curation(database), people["district"]
    for share in (0.49, 1.01, float("nan")):
        changes = RecordingChanges(required_share=share)
        await refused("invalid_share", partial(curation.update, district, recording.id, changes))
    for minutes in (1, 4, 61, -5):
        changes = RecordingChanges(prompt_minutes=minutes)
        await refused("invalid_prompts", partial(curation.update, district, recording.id, changes))
    await change(database, recording, kind=MeetingKind.COMMITTEE_MEETING)
    changes = RecordingChanges(audience=Audience.PUBLIC)
    await refused("kind_is_never_public", lambda: curation.update(district, recording.id, changes))
    await curation.update(
        district,
        recording.id,
        RecordingChanges(None, downloadable=True, required_share=0.5, prompt_minutes=5),
    )
    await curation.update(district, recording.id, RecordingChanges(prompt_minutes=0))
    async with database.reading() as session:
        row = await repository.get(session, recording.id)
    assert row is not None
    assert (row.downloadable, row.required_share, row.prompt_minutes) == (True, 0.5, None)
