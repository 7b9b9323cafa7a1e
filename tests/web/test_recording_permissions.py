"""Who gets what of a recording, over every call that names one: whom it is shown to, and what became of people."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from members.people import Member
from members.policy import Audience, RoleName
from recordings.models import Recording
from recordings.states import RecordingState
from rooms.meetings.states import MeetingKind
from tests.recordings.rows import change
from tests.web.conftest import Answered, Caller, House, Village
from tests.web.test_recordings import record
from web.api.routes import CALLS

# What a call is to whom it is refused; whatever else it answers, it has let him through.
REFUSED: Final = {"not_signed_in": "who?", "forbidden": "no", "recording_not_found": "-"}
THROUGH: Final = "yes"
LEFT_OUT: Final = "."
REASON: Final = {"reason": "区纪委调阅"}

WATCHING: Final[dict[tuple[str, str], Any]] = {
    ("GET", ""): None,
    ("GET", "/media"): None,
    ("GET", "/sound"): None,
    ("GET", "/hls/{file}"): None,
    ("GET", "/poster"): None,
    ("GET", "/preview"): None,
    ("GET", "/download"): None,
    ("GET", "/captions/{language}"): None,
}
REPORTING: Final[dict[tuple[str, str], Any]] = {
    ("POST", "/viewing"): {"intervals": [[0, 10]]},
    ("POST", "/viewing/answer"): {"prompt": "0" * 32},
}
MANAGING: Final[dict[tuple[str, str], Any]] = {
    ("POST", "/hold"): REASON,  # first, so that nobody deletes it
    ("PATCH", ""): {},
    ("POST", "/remake"): {},
    ("PUT", "/captions/{language}"): {
        "label": "中文",
        "text": "WEBVTT\n\n00:00.000 --> 00:02.000\n今天\n",
    },
    ("DELETE", "/captions/{language}"): None,
    ("GET", "/viewings"): None,
    ("GET", "/viewings.csv"): None,
    ("GET", "/keeping"): None,
    ("POST", "/delete"): REASON,
}
LIFTING: Final[dict[tuple[str, str], Any]] = {("POST", "/release"): REASON}
READING_ITS_END: Final[dict[tuple[str, str], Any]] = {("GET", "/deletion"): None}

PEOPLE: Final = (
    "nobody", "district", "committee", "other_committee", "secretary", "sibling_secretary", "party_member", "resident",
    "flowing", "moved", "disabled",
)  # fmt: skip


def test_every_call_that_names_a_recording_stands_in_a_table() -> None:
    tables = (WATCHING, REPORTING, MANAGING, LIFTING, READING_ITS_END)
    named = [one for table in tables for one in table]
    start = "/api/recordings/{recordingId}"
    assert sorted(named) == sorted(
        (call.method, call.path.removeprefix(start)) for call in CALLS if call.path.startswith(start)
    )


@pytest.fixture
async def callers(house: House, village: Village) -> dict[str, Caller]:
    """Those of the village; a guest of the branch, who has left it, and a secretary whose account was disabled."""
    tree, records = village.tree, house.records
    flowing = await records.member(tree.cousin, "周流动", guest_of=tree.branch)
    leaving = await records.member(tree.branch, "吴转出")
    others = {
        "flowing": await house.person(member=flowing),
        "moved": await house.person(member=leaving),
        "disabled": await house.person((RoleName.SECRETARY, tree.branch)),
    }
    former = (await others["disabled"].get("/api/session")).body["account"]["id"]
    await house.services.accounts.disable(former)
    async with house.database.transaction() as session:
        (await session.get_one(Member, leaving.id)).organization_id = tree.sibling.id
    return others | {name: village.caller(name) for name in PEOPLE if name not in others}


def outcome(answered: Answered) -> str:
    if answered.status < 400 or answered.body is None:
        return THROUGH
    return REFUSED.get(answered.code, THROUGH)


async def wrong(
    callers: Mapping[str, Caller], row: Recording, expected: Mapping[str, Mapping[tuple[str, str], Any]]
) -> list[tuple[str, ...]]:
    """Where somebody gets another answer than the line says, in which each of PEOPLE has a word."""
    found: list[tuple[str, ...]] = []
    for line, calls in expected.items():
        for (method, path), body in calls.items():
            whole = f"/api/recordings/{row.id}{path}".format(file="master.m3u8", language="zh-CN")
            for person, word in zip(PEOPLE, line.split(), strict=True):
                if word == LEFT_OUT:
                    continue
                if (got := outcome(await callers[person](method, whole, body))) != word:
                    found.append((method, path, person, word, got))
    return found


async def brought(house: House, village: Village, **fields: object) -> Recording:
    """A film that the secretary has brought, of no meeting."""
    row = await record(house, village)
    account = (await village.secretary.get("/api/session")).body["account"]["id"]
    await change(
        house.database, row, uploader_account_id=account, meeting_id=None, downloadable=True, **fields
    )
    return row


def some(*wanted: tuple[str, str]) -> dict[tuple[str, str], Any]:
    """A few calls for all of their table: they ask the same question, as the branch's film shows."""
    tables = WATCHING | REPORTING | MANAGING | LIFTING
    return {call: tables[call] for call in wanted}


async def test_a_film_of_the_branch(house: House, village: Village, callers: dict[str, Caller]) -> None:
    row = await brought(house, village)
    expected = {
        "who? . yes - yes - yes - . . .": WATCHING | REPORTING,
        "who? . yes - yes - no - . . .": MANAGING,
    }
    assert await wrong(callers, row, expected) == []
    lifted = {"who? yes yes - no - no - no - who?": LIFTING}
    assert await wrong(callers, row, lifted) == []
    others = {
        ". yes . . . . . . yes - who?": some(("GET", "/media"), ("POST", "/viewing")),
        ". yes . . . . . . no - who?": some(("PATCH", ""), ("GET", "/viewings")),
        "who? - - - - - - - - - who?": READING_ITS_END,
    }
    assert await wrong(callers, row, others) == []


async def test_a_film_of_all_members(house: House, village: Village, callers: dict[str, Caller]) -> None:
    row = await brought(house, village, audience=Audience.MEMBERS)
    watchers = "who? yes yes - yes yes yes - yes yes who?"
    officers = "who? yes yes - yes no no - no no who?"
    expected = {watchers: some(("GET", "/media")), officers: some(("PATCH", ""))}
    assert await wrong(callers, row, expected) == []


async def test_an_open_film(house: House, village: Village, callers: dict[str, Caller]) -> None:
    row = await brought(house, village, audience=Audience.PUBLIC, kind=MeetingKind.LECTURE)
    expected = {
        "yes yes yes yes yes yes yes yes yes yes yes": some(
            ("GET", "/media"), ("GET", "/captions/{language}")
        ),
        "who? yes yes yes yes yes yes yes yes yes who?": some(("POST", "/viewing")),
        "who? yes yes no yes no no no no no who?": some(("PATCH", "")),
    }
    assert await wrong(callers, row, expected) == []


async def test_a_deleted_film(house: House, village: Village, callers: dict[str, Caller]) -> None:
    row = await brought(house, village, audience=Audience.PUBLIC, kind=MeetingKind.LECTURE)
    assert (await village.secretary.post(f"/api/recordings/{row.id}/delete", REASON)).status == 204
    gone = some(("GET", "/media"), ("GET", "/captions/{language}"), ("POST", "/viewing"), ("POST", "/hold"))
    expected = {
        "who? - - - - - - - - - who?": gone,
        "who? yes yes yes yes yes yes yes yes yes who?": READING_ITS_END,
    }
    assert await wrong(callers, row, expected) == []


async def test_of_a_family_visit_no_officer_would_see_a_film(
    house: House, village: Village, callers: dict[str, Caller]
) -> None:
    row = await brought(house, village, audience=Audience.INVITED, kind=MeetingKind.FAMILY_VISIT)
    assert await wrong(callers, row, {"who? - - - - - - - - - who?": some(("GET", "/media"))}) == []


async def test_who_was_invited_and_has_moved_still_makes_up_what_he_missed(
    house: House, village: Village
) -> None:
    leaving = await house.records.member(village.tree.branch, "吴转出")
    moved = await house.person(member=leaving)
    row = await record(house, village)
    assert row.state is RecordingState.READY
    async with house.database.transaction() as session:
        (await session.get_one(Member, leaving.id)).organization_id = village.tree.cousin.id
    told = await moved.post(f"/api/recordings/{row.id}/viewing", {"intervals": []})
    assert told.status == 200
    assert [one["id"] for one in (await moved.get("/api/members/me/study")).body["items"]] == [row.id]
