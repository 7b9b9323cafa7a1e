"""How much room organizations have for recordings, and who is warned."""

from collections.abc import Sequence

from database import Database
from members.organizations import Organization
from members.policy import Actor
from recordings.models import Recording
from recordings.states import RecordingState
from recordings.upkeep.quota import Fullness
from recordings.upkeep.room import require_room_to_record
from recordings.upkeep.rules import Rules
from rooms.meetings.states import MeetingKind
from tests.factories import Tree
from tests.recordings.rows import change
from tests.recordings.upkeep.outcomes import refused
from tests.statements import statements


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
