"""Who gets what: one table of calls and people, read row by row."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import House, Village

# nobody, district, committee, other committee, secretary, secretary of the sibling branch, member, resident
PEOPLE = (
    "nobody",
    "district",
    "committee",
    "other_committee",
    "secretary",
    "sibling_secretary",
    "party_member",
    "resident",
)


@dataclass(frozen=True)
class Row:
    """A call about the branch 东湖村党支部, its member 王秀英 and its coming meeting, and each person's answer."""

    method: str
    path: str
    body: Any
    answers: tuple[int, ...]


ROWS = (
    Row("GET", "/api/session", None, (401, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/organizations", None, (401, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/organizations/{branch}", None, (401, 200, 200, 404, 200, 404, 200, 200)),
    Row("GET", "/api/members?organizationId={branch}", None, (401, 200, 200, 404, 200, 404, 200, 403)),
    Row("GET", "/api/members/{member}", None, (401, 200, 200, 404, 200, 404, 200, 404)),
    Row("GET", "/api/members/{member}/card", None, (401, 200, 200, 404, 200, 404, 200, 404)),
    Row("GET", "/api/members/{secretaryMember}/card", None, (401, 200, 200, 404, 200, 404, 403, 404)),
    Row("GET", "/api/members/me", None, (401, 404, 404, 404, 200, 200, 200, 404)),
    Row("GET", "/api/members/me/card", None, (401, 404, 404, 404, 200, 200, 200, 404)),
    Row("GET", "/api/members/me/notices", None, (401, 200, 200, 200, 200, 200, 200, 200)),
    Row(
        "POST",
        "/api/members/me/notices/seen",
        {"until": "2026-11-23T08:00:00Z"},
        (401, 204, 204, 204, 204, 204, 204, 204),
    ),
    Row("POST", "/api/meetings", "meeting", (401, 201, 201, 404, 201, 404, 403, 403)),
    Row("GET", "/api/meetings", None, (401, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/meetings/{meeting}", None, (401, 200, 200, 404, 200, 404, 200, 404)),
    Row("PATCH", "/api/meetings/{meeting}", {"lobby": True}, (401, 200, 200, 404, 200, 404, 403, 404)),
    Row("GET", "/api/meetings/{meeting}/invitations", None, (401, 200, 200, 404, 200, 404, 403, 404)),
    Row("GET", "/api/meetings/{meeting}/stream-keys", None, (401, 403, 403, 404, 200, 404, 403, 404)),
    Row(
        "POST",
        "/api/meetings/{meeting}/stream-keys",
        {"name": "会场摄像机"},
        (401, 403, 403, 404, 201, 404, 403, 404),
    ),
    Row("GET", "/api/meetings/{meeting}/attendance", None, (401, 200, 200, 404, 200, 404, 200, 404)),
    Row("POST", "/api/meetings/{meeting}/token", {}, (401, 200, 200, 404, 200, 404, 200, 404)),
    Row(
        "POST",
        "/api/meetings/{meeting}/leave-request",
        {"reason": "出差"},
        (401, 403, 403, 404, 201, 404, 201, 404),
    ),
    Row("GET", "/api/meetings/{meeting}/leave-requests", None, (401, 200, 200, 404, 200, 404, 200, 404)),
    Row("GET", "/api/recordings", None, (401, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/recordings?meetingId={meeting}", None, (401, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/stations", None, (200, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/services", None, (200, 200, 200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/station-session", None, (401, 401, 401, 401, 401, 401, 401, 401)),
    # What changes the meeting's state comes last.
    Row("POST", "/api/meetings/{meeting}/start", {}, (401, 403, 403, 404, 200, 404, 403, 404)),
    Row("POST", "/api/meetings/{meeting}/end", {}, (401, 403, 403, 404, 200, 404, 403, 404)),
    Row("POST", "/api/meetings/{other}/cancel", {}, (401, 200, 409, 404, 409, 404, 403, 404)),
)


def meeting_of(house: House, village: Village, days: int = 1) -> dict[str, Any]:
    starts_at = house.clock() + timedelta(days=days)
    return {
        "organizationId": village.tree.branch.id,
        "kind": "general_meeting",
        "title": "十一月支部党员大会",
        "startsAt": starts_at.isoformat(),
        "endsAt": (starts_at + timedelta(hours=2)).isoformat(),
    }


@pytest.fixture
async def names(house: House, village: Village) -> dict[str, str]:
    """The ids that the paths speak of."""
    first = await village.secretary.post("/api/meetings", meeting_of(house, village))
    second = await village.secretary.post("/api/meetings", meeting_of(house, village, days=2))
    own = await village.secretary.get("/api/members/me")
    return {
        "branch": village.tree.branch.id,
        "member": village.member.id,
        "secretaryMember": own.body["id"],
        "meeting": first.body["id"],
        "other": second.body["id"],
    }


async def test_everybody_gets_what_the_table_says(
    house: House, village: Village, names: dict[str, str]
) -> None:
    wrong = []
    for row in ROWS:
        body = meeting_of(house, village) if row.body == "meeting" else row.body
        path = row.path.format_map(names)
        for person, expected in zip(PEOPLE, row.answers, strict=True):
            answered = await village.caller(person)(row.method, path, body)
            if answered.status != expected:
                wrong.append((row.method, row.path, person, expected, answered.status, answered.body))
            if answered.status >= 400:
                assert answered.code
    assert wrong == []
