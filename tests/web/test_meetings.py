"""Meetings over HTTP, from the schedule to the card, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import Caller, House, Village, settle
from tests.web.test_permissions import meeting_of

MEETING_KEYS = {
    "id", "organizationId", "organizationName", "kind", "title", "agenda", "startsAt", "endsAt", "timezone",
    "startedAt", "endedAt",
    "state", "record", "lobby", "expectedCount", "myRole", "canJoin", "canManage", "recordingId", "deletedRecordingId",
}  # fmt: skip


@pytest.fixture
async def town(both: House) -> Village:
    """One person of each kind, on each database."""
    return await settle(both)


async def test_a_meeting_is_scheduled_held_and_stands_on_the_card(both: House, town: Village) -> None:
    scheduled = await town.secretary.post("/api/meetings", meeting_of(both, town) | {"agenda": "一、学习"})
    assert scheduled.status == 201
    meeting = scheduled.body
    assert set(meeting) == MEETING_KEYS
    assert (meeting["state"], meeting["myRole"], meeting["canManage"]) == ("scheduled", "host", True)
    assert (meeting["timezone"], meeting["agenda"]) == ("Asia/Shanghai", "一、学习")
    assert meeting["expectedCount"] == 2
    path = f"/api/meetings/{meeting['id']}"

    seen = (await town.party_member.get(path)).body
    assert (seen["myRole"], seen["canManage"], seen["canJoin"]) == ("participant", False, seen["canJoin"])

    asked = await town.party_member.post(f"{path}/leave-request", {"reason": "出差"})
    assert (asked.status, asked.body["state"], asked.body["name"]) == (201, "asked", "王秀英")
    decided = await town.secretary.post(f"{path}/leave-requests/{town.member.id}/decision", {"granted": True})
    assert (decided.status, decided.body["state"]) == (200, "granted")
    listed = (await town.secretary.get(f"{path}/leave-requests")).body["items"]
    assert [one["state"] for one in listed] == ["granted"]

    both.clock.advance(timedelta(days=1))
    started = await town.secretary.post(f"{path}/start")
    assert (started.status, started.body["state"]) == (200, "live")
    assert (await town.secretary.post(f"{path}/start")).body["startedAt"] == started.body["startedAt"]
    both.clock.advance(timedelta(hours=1))
    ended = await town.secretary.post(f"{path}/end")
    assert (ended.status, ended.body["state"]) == (200, "ended")

    attendance = (await town.secretary.get(f"{path}/attendance")).body
    assert attendance["final"] is True
    assert attendance["summary"] == {
        "expected": 2, "present": 0, "late": 0, "leftEarly": 0, "excused": 1, "absent": 1, "madeUp": 0,
    }  # fmt: skip
    rows = {row["memberId"]: row for row in attendance["items"]}
    assert rows[town.member.id]["state"] == "excused"
    assert set(rows[town.member.id]) == {
        "memberId", "name", "expected", "state", "secondsPresent", "firstSeenAt", "lastSeenAt", "correction",
    }  # fmt: skip

    corrected = await town.secretary.post(
        f"{path}/attendance/{town.member.id}/correction", {"state": "present", "reason": "线下参加"}
    )
    assert corrected.status == 200
    assert corrected.body["state"] == "excused"
    assert corrected.body["correction"]["state"] == "present"

    card = (await town.party_member.get("/api/members/me/card")).body["items"]
    assert "correction" in {entry["kind"] for entry in card}
    assert {entry["organizationName"] for entry in card} == {town.tree.branch.name}
    assert all(len(entry["hash"]) == 64 for entry in card)
    assert (await town.party_member.get(f"/api/members/{town.member.id}/card")).body["items"] == card


async def test_a_meeting_is_changed_and_called_off(both: House, town: Village) -> None:
    meeting = (await town.secretary.post("/api/meetings", meeting_of(both, town))).body
    path = f"/api/meetings/{meeting['id']}"
    changed = await town.secretary("PATCH", path, {"title": "支部大会", "record": True})
    assert (changed.body["title"], changed.body["record"]) == ("支部大会", True)
    assert changed.body["startsAt"] == meeting["startsAt"]
    assert (await town.secretary.post(f"{path}/cancel")).body["state"] == "cancelled"
    again = await town.secretary.post(f"{path}/start")
    assert again.status == 409
    assert again.code


async def test_the_room_token_lasts_and_is_ones_own(both: House, town: Village) -> None:
    meeting = (await town.secretary.post("/api/meetings", meeting_of(both, town))).body
    granted = await town.party_member.post(f"/api/meetings/{meeting['id']}/token")
    assert granted.status == 200
    assert granted.body["token"]
    assert granted.body["expiresAt"].endswith("Z")


async def test_members_are_invited_by_hand_and_uninvited(both: House, town: Village) -> None:
    guest = await both.records.member(town.tree.sibling, "李国庆")
    meeting = (await town.secretary.post("/api/meetings", meeting_of(both, town))).body
    path = f"/api/meetings/{meeting['id']}/invitations"
    wanted = {"invitations": [{"memberId": guest.id, "role": "observer"}]}
    assert (await town.secretary.post(path, wanted)).status == 404  # not a member that one may see
    assert (await town.committee.post(path, wanted)).body == {
        "expectedCount": 2
    }  # observers are not expected
    listed = {one["memberId"]: one for one in (await town.secretary.get(path)).body["items"]}
    assert (listed[guest.id]["role"], listed[guest.id]["vote"]) == ("observer", False)
    assert (await town.secretary("DELETE", f"{path}/{guest.id}")).status == 204
    assert guest.id not in [one["memberId"] for one in (await town.secretary.get(path)).body["items"]]


async def test_thresholds_belong_to_the_meeting(both: House, town: Village) -> None:
    wanted = meeting_of(both, town) | {"presentShare": 0.5, "lateAfterSeconds": 60, "kind": "lecture"}
    assert (await town.secretary.post("/api/meetings", wanted)).status == 201
    refused = await town.secretary.post("/api/meetings", wanted | {"presentShare": 1.5})
    assert (refused.status, set(refused.body["error"]["details"])) == (422, {"presentShare"})


async def pages(caller: Caller, path: str, limit: int) -> list[list[Any]]:
    """Every page of a list."""
    found, cursor = [], ""
    while True:
        answered = await caller.get(
            path, params={"limit": str(limit), **({"cursor": cursor} if cursor else {})}
        )
        assert answered.status == 200, answered.body
        assert set(answered.body) >= {"items", "nextCursor"}
        found.append(answered.body["items"])
        cursor = answered.body["nextCursor"]
        if cursor is None:
            return found


async def test_lists_come_in_pages_that_hold_everything_once(both: House, town: Village) -> None:
    for number in range(5):
        await both.records.member(town.tree.branch, f"党员{number}")
    for day in range(1, 6):
        await town.secretary.post("/api/meetings", meeting_of(both, town, days=day))
    meeting = (await town.secretary.get("/api/meetings")).body["items"][0]["id"]
    for path, count in (
        ("/api/meetings", 5),
        ("/api/members", 7),
        ("/api/organizations", 4),
        (f"/api/meetings/{meeting}/invitations", 7),
    ):
        in_pages = await pages(town.secretary, path, 2)
        assert [len(page) for page in in_pages[:-1]] == [2] * (len(in_pages) - 1), path
        ids = [one.get("id") or one["memberId"] for page in in_pages for one in page]
        assert len(ids) == len(set(ids)) == count, path


@pytest.mark.parametrize("path", ["meetings", "members", "organizations", "recordings", "services"])
async def test_a_made_up_cursor_is_refused(village: Village, path: str) -> None:
    for cursor in ("x", "%%%", "W10", "ü", "bnVsbA"):
        answered = await village.district.get(f"/api/{path}", params={"cursor": cursor})
        assert answered.status == 422, (cursor, answered.body)
        assert answered.code in {"invalid_cursor", "invalid_request"}, cursor


async def test_meetings_are_found_by_time_and_organization(both: House, town: Village) -> None:
    for day in (1, 2, 3):
        await town.secretary.post("/api/meetings", meeting_of(both, town, days=day))
    later = (both.clock() + timedelta(days=2)).isoformat()
    found = (await town.secretary.get("/api/meetings", params={"from": later})).body["items"]
    assert len(found) == 2
    newest = (await town.secretary.get("/api/meetings", params={"newestFirst": "true"})).body["items"]
    assert [one["startsAt"] for one in newest] == sorted((one["startsAt"] for one in newest), reverse=True)
    elsewhere = await town.district.get("/api/meetings", params={"organizationId": town.tree.cousin.id})
    assert elsewhere.body["items"] == []
    wrong = await town.secretary.get("/api/meetings", params={"form": later})
    assert (wrong.status, set(wrong.body["error"]["details"])) == (422, {"form"})


async def test_a_family_visit_cannot_be_recorded_by_asking_for_it(house: House, village: Village) -> None:
    asked = meeting_of(house, village) | {"kind": "family_visit", "memberIds": [village.member.id]}
    refused = await village.secretary.post("/api/meetings", asked | {"record": True})
    assert (refused.status, refused.code) == (422, "kind_is_never_recorded")
    assert refused.body["error"]["details"]["field"] == "record"
    meeting = (await village.secretary.post("/api/meetings", asked)).body
    assert meeting["record"] is False
    path = f"/api/meetings/{meeting['id']}"
    changed = await village.secretary("PATCH", path, {"record": True})
    assert (changed.status, changed.code) == (422, "kind_is_never_recorded")
    assert (await village.secretary.get(path)).body["record"] is False
