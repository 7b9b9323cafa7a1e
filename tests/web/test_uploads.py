"""Films made elsewhere, over HTTP: chunk by chunk, across breaks, with nothing left of what is refused."""

import asyncio
import base64
import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recordings.folders import Folders
from recordings.models import CompositionJob, Recording
from recordings.states import RecordingState
from recordings.storage.models import StorageJob
from recordings.uploads.rules import CHUNK_BYTES
from recordings.uploads.service import LIFETIME
from tests.recordings import films
from tests.recordings.rows import change
from tests.recordings.running import RunningServer
from tests.web.conftest import Answered, Caller, House, Village
from tests.web.test_permissions import meeting_of


def wanted(village: Village, size: int = 5000, **change: Any) -> dict[str, Any]:
    return {
        "organizationId": village.tree.branch.id, "title": "党史学习：../../../etc/passwd", "kind": "lecture",
        "audience": "organization", "heldAt": "2026-11-01T08:00:00Z", "sizeBytes": size,
    } | change  # fmt: skip


async def send(caller: Caller, identifier: str, offset: int, data: bytes, **headers: str) -> Answered:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return await caller(
        "PATCH",
        f"/api/uploads/{identifier}",
        data=io.BytesIO(data),
        headers={
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha-256 {digest}",
        }
        | headers,
    )


async def test_a_film_comes_in_pieces_across_a_break_and_becomes_a_recording(
    house: House, village: Village, tmp_path: Path
) -> None:
    data = await asyncio.to_thread(lambda: films.film(tmp_path / "film").read_bytes())
    half = len(data) // 2
    member = {"memberId": village.member.id}
    persons = [member, {"name": " 欧阳教授 "}, member]
    begun = await village.secretary.post("/api/uploads", wanted(village, len(data), persons=persons))
    assert (begun.status, begun.body["offset"]) == (201, 0)
    identifier = begun.body["id"]
    assert (await send(village.secretary, identifier, 0, data[:half])).body["offset"] == half
    for offset, piece in ((0, data[:half]), (half + 1, data[half + 1 :])):  # sent twice; one left out
        again = await send(village.secretary, identifier, offset, piece)
        assert (again.status, again.code, again.body["error"]["details"]["offset"]) == (
            409, "upload_offset", half,
        )  # fmt: skip
    damaged = await send(
        village.secretary, identifier, half, data[half:], **{"Upload-Checksum": f"sha-256 {'A' * 43}="}
    )
    assert damaged.code == "upload_checksum"
    listed = (await village.secretary.get("/api/uploads")).body["items"]
    assert [(one["id"], one["offset"]) for one in listed] == [(identifier, half)]
    last = await send(village.secretary, identifier, half, data[half:])
    assert last.body["recordingId"] == identifier
    assert (await send(village.secretary, identifier, half, data[half:])).body["recordingId"] == identifier
    assert (await village.secretary.get("/api/uploads")).body["items"] == []
    shown = (await village.party_member.get(f"/api/recordings/{identifier}")).body
    assert (shown["state"], shown["meetingId"], shown["kind"]) == ("composing", None, "lecture")
    assert [one["name"] for one in shown["persons"]] == [village.member.name, "欧阳教授"]
    assert (await village.sibling_secretary.get(f"/api/recordings/{identifier}")).status == 404
    async with house.database.reading() as session:
        assert await session.get(CompositionJob, identifier) is not None
        assert (await session.get_one(Recording, identifier)).source_seconds == pytest.approx(2.0, abs=0.1)
    (kept,) = [path for _, path in Folders(house.recordings).originals(identifier)]
    assert await asyncio.to_thread(kept.read_bytes) == data


async def test_what_is_no_film_is_refused_and_nothing_is_left(house: House, village: Village) -> None:
    begun = (await village.secretary.post("/api/uploads", wanted(village))).body
    refused = await send(village.secretary, begun["id"], 0, b"%PDF-1.7" + b" " * 4992)
    assert (refused.status, refused.code) == (422, "upload_not_a_film")
    for offset, data in ((0, b"%PDF-1.7" + b" " * 4992), (5000, b"")):  # as of a page whose answer was lost
        assert (await send(village.secretary, begun["id"], offset, data)).code == "upload_not_a_film"
        assert (await send(village.district, begun["id"], offset, data)).code == "upload_not_found"
    assert (await village.secretary.get("/api/uploads")).body["items"] == []
    async with house.database.reading() as session:
        assert await session.get(Recording, begun["id"]) is None
        assert await session.get(StorageJob, begun["id"]) is not None, "its file is removed in the background"


async def test_nobody_else_may_touch_it(village: Village) -> None:
    begun = (await village.secretary.post("/api/uploads", wanted(village))).body
    path = f"/api/uploads/{begun['id']}"
    for other in (village.district, village.sibling_secretary, village.party_member):
        assert (await other.get(path)).code == "upload_not_found"
        assert (await send(other, begun["id"], 0, b"x" * 5000)).code == "upload_not_found"
        assert (await other("DELETE", path)).status == 404
    assert (await village.secretary.get(path)).body["offset"] == 0
    assert (await village.secretary("DELETE", path)).status == 204
    assert (await village.secretary.get(path)).status == 404


async def test_a_film_goes_on_with_the_very_file_that_it_began_with(village: Village) -> None:
    """Cameras cut films into files of exactly the same size."""
    begun = (await village.secretary.post("/api/uploads", wanted(village, fingerprint="ab12"))).body
    (listed,) = (await village.secretary.get("/api/uploads")).body["items"]
    assert listed["fingerprint"] == begun["fingerprint"] == "ab12"
    other = {"Upload-Fingerprint": "cd34"}
    assert (
        await send(village.secretary, begun["id"], 0, b"x", **{"Upload-Fingerprint": "ab12"})
    ).status == 200
    refused = await send(village.secretary, begun["id"], 1, b"y", **other)
    assert (refused.status, refused.code) == (409, "upload_other_file")
    assert (await village.secretary.get(f"/api/uploads/{begun['id']}")).body["offset"] == 1
    unknown = (await village.secretary.post("/api/uploads", wanted(village))).body
    assert unknown["fingerprint"] is None
    assert (await send(village.secretary, unknown["id"], 0, b"x", **other)).status == 200


TOLD_BEFORE_THE_FIRST_BYTE: list[tuple[str, dict[str, Any], int, str]] = [
    ("party_member", {}, 403, "forbidden"),
    ("sibling_secretary", {}, 404, "not_found"),
    ("nobody", {}, 401, "not_signed_in"),
    ("secretary", {"sizeBytes": 9 * 1024**3}, 413, "upload_too_large"),
    ("secretary", {"sizeBytes": 0}, 422, "upload_too_small"),
    ("secretary", {"sizeBytes": -1}, 422, "invalid_request"),
    ("secretary", {"kind": "family_visit"}, 422, "upload_kind_private"),
    ("secretary", {"title": ""}, 422, "invalid_request"),
    ("secretary", {"fingerprint": "a/b"}, 422, "invalid_request"),
    ("secretary", {"fingerprint": "a" * 65}, 422, "invalid_request"),
    ("secretary", {"durationSeconds": 6 * 3600 + 1}, 422, "upload_film_too_long"),
    ("secretary", {"durationSeconds": -1}, 422, "invalid_request"),
    ("secretary", {"persons": [{"memberId": "0" * 32}]}, 404, "not_found"),
    ("secretary", {"persons": [{"memberId": "0" * 32, "name": "欧阳教授"}]}, 422, "invalid_request"),
    ("secretary", {"persons": [{"name": ""}]}, 422, "invalid_request"),
    ("secretary", {"persons": [{"name": f"来宾{one}"} for one in range(51)]}, 422, "too_many_persons"),
    ("secretary", {"organizationId": "0" * 32}, 404, "not_found"),
    ("secretary", {"meetingId": "0" * 32}, 404, "meeting_not_found"),
]


async def test_who_may_not_and_what_cannot_be_is_told_before_the_first_byte(village: Village) -> None:
    for who, asked, status, code in TOLD_BEFORE_THE_FIRST_BYTE:
        refused = await village.caller(who).post("/api/uploads", wanted(village, **asked))
        assert (refused.status, refused.code) == (status, code), (who, asked)


MEBIBYTE = 1024 * 1024


async def test_a_film_has_its_room_from_the_beginning_and_one_without_room_is_told_how_much_is_left(
    village: Village,
) -> None:
    rules: dict[str, Any] = {"keepDays": None, "keepDaysByKind": {}, "quotaBytes": 10 * MEBIBYTE}
    path = f"/api/organizations/{village.tree.committee.id}/storage"
    answer = await village.committee("PUT", path, rules)
    assert answer.status == 200, answer.body
    begun = [
        await village.secretary.post("/api/uploads", wanted(village, size * MEBIBYTE)) for size in (6, 4, 1)
    ]
    assert [one.status for one in begun] == [201, 201, 409]
    assert begun[2].code == "upload_exceeds_quota"
    assert begun[2].body["error"]["details"]["leftMebibytes"] == 0
    assert "0 MB" in begun[2].body["error"]["message"]
    assert (await village.secretary("DELETE", f"/api/uploads/{begun[1].body['id']}")).status == 204
    again = await village.secretary.post("/api/uploads", wanted(village, 4 * MEBIBYTE + 1))
    assert again.body["error"]["details"]["leftMebibytes"] == 4
    assert (await village.secretary.post("/api/uploads", wanted(village, 4 * MEBIBYTE))).status == 201
    assert (await village.committee.get(path)).body["usedBytes"] == 10 * MEBIBYTE


async def test_a_family_visit_gets_no_film_by_calling_it_something_else(
    house: House, village: Village
) -> None:
    asked = meeting_of(house, village) | {"kind": "family_visit", "memberIds": [village.member.id]}
    meeting = (await village.secretary.post("/api/meetings", asked)).body
    house.clock.advance(timedelta(days=1))
    for turn in ("start", "end"):
        assert (await village.secretary.post(f"/api/meetings/{meeting['id']}/{turn}")).status == 200
    refused = await village.secretary.post("/api/uploads", wanted(village, meetingId=meeting["id"]))
    assert (refused.status, refused.code) == (422, "upload_kind_private")
    assert refused.body["error"]["details"]["field"] == "meetingId"


async def test_chunks_and_their_headers_are_bounded(village: Village) -> None:
    begun = (await village.secretary.post("/api/uploads", wanted(village))).body
    for offset in ("", "-1", "x", "1e3", "9" * 20):
        refused = await send(village.secretary, begun["id"], 0, b"x", **{"Upload-Offset": offset})
        assert refused.code == "upload_header"
    for checksum in ("md5 AAAA", "sha-256 ???", "sha-256 AAAA", "sha-256"):
        refused = await send(village.secretary, begun["id"], 0, b"x", **{"Upload-Checksum": checksum})
        assert refused.code == "upload_header"
    for fingerprint in ("", "a/b", "a" * 65):
        refused = await send(village.secretary, begun["id"], 0, b"x", **{"Upload-Fingerprint": fingerprint})
        assert refused.code == "upload_header"
    assert (await send(village.secretary, begun["id"], 0, b"x" * 5001)).code == "upload_too_long"
    assert (await send(village.secretary, begun["id"], 0, b"x" * (CHUNK_BYTES + 1))).status == 413
    assert (await village.secretary.get(f"/api/uploads/{begun['id']}")).body["offset"] == 0
    for _ in range(2):
        assert (await village.secretary.post("/api/uploads", wanted(village))).status == 201
    assert (await village.secretary.post("/api/uploads", wanted(village))).code == "too_many_uploads"


async def test_what_nobody_goes_on_with_is_thrown_away(house: House, village: Village) -> None:
    begun = (await village.secretary.post("/api/uploads", wanted(village))).body
    server = RunningServer(house.database, house.clock)
    await server.runs(LIFETIME - timedelta(seconds=1))
    await send(village.secretary, begun["id"], 0, b"x")
    await server.runs(2)
    assert await house.services.uploads.sweep() == 0, "a chunk came"
    house.clock.advance(timedelta(days=365))
    assert await house.services.uploads.sweep() == 0, "somebody set the clock"
    house.clock.advance(timedelta(days=-365))
    left = datetime.fromisoformat(
        (await village.secretary.get(f"/api/uploads/{begun['id']}")).body["expiresAt"]
    )
    assert left == house.clock() + LIFETIME - timedelta(seconds=2)
    await server.runs(LIFETIME)
    assert await house.services.uploads.sweep() == 1
    async with house.database.reading() as session:
        assert await session.get(StorageJob, begun["id"]) is not None


async def test_a_film_of_a_meeting_counts_for_that_meeting(
    house: House, village: Village, tmp_path: Path
) -> None:
    from tests.web.test_permissions import meeting_of  # noqa: PLC0415

    meeting = (await village.secretary.post("/api/meetings", meeting_of(house, village))).body
    body = wanted(village, meetingId=meeting["id"])
    assert (await village.secretary.post("/api/uploads", body)).code == "upload_other_meeting", "not yet held"
    house.clock.advance(timedelta(days=1))
    await village.secretary.post(f"/api/meetings/{meeting['id']}/start")
    await village.secretary.post(f"/api/meetings/{meeting['id']}/end")
    data = await asyncio.to_thread(lambda: films.film(tmp_path / "film").read_bytes())
    begun = (await village.secretary.post("/api/uploads", body | {"sizeBytes": len(data)})).body
    await send(village.secretary, begun["id"], 0, data)
    async with house.database.reading() as session:
        recording = await session.get_one(Recording, begun["id"])
    assert (recording.meeting_id, recording.state) == (meeting["id"], RecordingState.COMPOSING)
    assert (await village.secretary.post("/api/uploads", body)).code == "meeting_has_recording"
    await change(house.database, recording, state=RecordingState.FAILED)
    better = (await village.secretary.post("/api/uploads", body | {"sizeBytes": len(data)})).body
    await send(village.secretary, better["id"], 0, data)
    async with house.database.reading() as session:
        assert (await session.get_one(Recording, better["id"])).meeting_id == meeting["id"]
        earlier = await session.get_one(Recording, begun["id"])
    assert (earlier.meeting_id, earlier.state) == (None, RecordingState.FAILED), "it stays, by itself"
