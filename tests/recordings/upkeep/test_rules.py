"""What the rules announce and delete, and what holds keep from them."""

from datetime import timedelta
from functools import partial

from database import Database, PageRequest
from members.policy import Actor
from recordings.models import Recording
from recordings.upkeep.deletion import Deletions
from recordings.upkeep.models import Cause
from recordings.upkeep.retention import NOTICE
from recordings.upkeep.rules import Rules
from rooms.meetings.states import MeetingKind
from tests.factories import FakeClock, Tree
from tests.recordings.running import RunningServer
from tests.recordings.upkeep.outcomes import entries, refused

DAY = timedelta(days=1)


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
