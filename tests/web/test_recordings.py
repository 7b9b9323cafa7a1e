"""Recordings over HTTP: the library, what goes with a film, what was watched, holding and deleting."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import pytest

from database import new_id
from localization import LANGUAGES
from members.policy import Audience
from recordings.folders import Folders
from recordings.models import Recording
from recordings.persons.service import MOST_PERSONS
from recordings.renditions import Chapter, Outputs, PreviewStrip, Rendition, chapters_out, renditions_out
from recordings.states import Failure, RecordingState
from recordings.viewing.watchers import WatcherView
from rooms.attendance.rules import AttendanceState
from rooms.meetings.states import MeetingKind
from tests.recordings.rows import change
from tests.web.conftest import House, Village
from tests.web.test_permissions import meeting_of
from web.api.curation import sheet
from web.grants import GRANT_SECONDS
from web.services import EDGE

FILM = bytes(range(256)) * 40  # 10,240 bytes that tell their own place


async def record(house: House, village: Village, state: RecordingState = RecordingState.READY) -> Recording:
    """A meeting that was held and recorded, with its film on the disk."""
    wanted = meeting_of(house, village) | {"record": True}
    meeting = (await village.secretary.post("/api/meetings", wanted)).body
    house.clock.advance(timedelta(days=1))
    await village.secretary.post(f"/api/meetings/{meeting['id']}/start")
    house.clock.advance(timedelta(minutes=10))
    await village.secretary.post(f"/api/meetings/{meeting['id']}/end")
    row = Recording(
        id=new_id(),
        meeting_id=meeting["id"],
        organization_id=meeting["organizationId"],
        kind=MeetingKind(meeting["kind"]),
        title=meeting["title"],
        audience=Audience.ORGANIZATION,
        state=state,
        state_since=house.clock(),
        failure=None,
        progress=1.0 if state.playable else 0.25,
        segments=1,
        version=1,
        started_at=house.clock(),
        ended_at=house.clock(),
        duration_seconds=600.0,
        size_bytes=len(FILM),
        kept_bytes=len(FILM),
    )
    async with house.database.transaction() as session:
        session.add(row)
    await asyncio.to_thread(write, Folders(house.recordings).film(row.id))
    return row


def write(film: Path) -> None:
    film.parent.mkdir(parents=True)
    film.write_bytes(FILM)


async def test_the_library_shows_what_one_may_watch(house: House, village: Village) -> None:
    row = await record(house, village)
    found = (await village.party_member.get("/api/recordings")).body["items"]
    assert [one["id"] for one in found] == [row.id]
    assert set(found[0]) == {
        "id", "meetingId", "title", "organizationName", "kind", "state", "version", "progress",
        "durationSeconds", "startedAt", "sizeBytes", "failure", "audience", "coverage", "downloadable", "requiredShare",
        "promptMinutes", "canManage", "canDelete", "canRemake", "uploaded", "captureStopped",
        "waitsForRoom", "mending", "captions", "lacks", "persons", "renditions", "chapters", "preview",
    }  # fmt: skip
    assert (found[0]["state"], found[0]["progress"], found[0]["durationSeconds"]) == ("ready", 1.0, 600.0)
    one = await village.party_member.get(f"/api/recordings/{row.id}")
    assert one.body == found[0]
    assert (await village.secretary.get(f"/api/recordings/{row.id}")).body["canManage"]
    assert (await village.sibling_secretary.get("/api/recordings")).body["items"] == []
    by_meeting = await village.party_member.get("/api/recordings", params={"meetingId": row.meeting_id})
    assert [one["id"] for one in by_meeting.body["items"]] == [row.id]


async def test_the_meeting_names_its_recording_to_who_may_watch(house: House, village: Village) -> None:
    row = await record(house, village)
    meeting = (await village.party_member.get(f"/api/meetings/{row.meeting_id}")).body
    assert meeting["recordingId"] == row.id
    listed = (await village.party_member.get("/api/meetings")).body["items"]
    assert [one["recordingId"] for one in listed] == [row.id]


async def test_watching_is_reported_and_counted(house: House, village: Village) -> None:
    row = await record(house, village)
    await village.party_member.get(f"/api/recordings/{row.id}/media")
    house.clock.advance(timedelta(minutes=5))
    path = f"/api/recordings/{row.id}/viewing"
    reported = await village.party_member.post(path, {"intervals": [[0, 60], [60, 80.5]], "rate": 1})
    assert reported.status == 200
    assert reported.body["seconds"] == pytest.approx(80.5)
    assert reported.body["share"] == pytest.approx(80.5 / 600)
    assert reported.body["intervals"] == [[0, 80.5]]
    assert (await village.party_member.get(f"/api/recordings/{row.id}")).body["coverage"] == reported.body


@pytest.mark.parametrize(
    "report",
    [
        {"intervals": "all"},
        {"intervals": [[1]]},
        {"intervals": [[0, 1, 2]]},
        {"intervals": [[-1, 5]]},
        {"intervals": [[0, 5]], "rate": 0},
        {"intervals": [[0, 5]], "rate": 99},
        {"intervals": [[0, 5]] * 501},
        {"intervals": [], "ended": "yes"},
        {},
    ],
)
async def test_a_report_that_cannot_be_is_refused(house: House, village: Village, report: object) -> None:
    row = await record(house, village)
    refused = await village.party_member.post(f"/api/recordings/{row.id}/viewing", report)
    assert (refused.status, refused.code) == (422, "invalid_request")


async def test_what_goes_with_the_film_is_had_by_whoever_may_watch_it(house: House, village: Village) -> None:
    row = await record(house, village)
    outputs = Outputs(
        {Rendition.FILM: len(FILM), Rendition.POSTER: 3, Rendition.PREVIEW: 3},
        (Chapter(0.0, "十一月主题党日"), Chapter(61.5, "讨论")),
        PreviewStrip(5.0, 10, 120, 160, 90),
    )
    async with house.database.transaction() as session:
        kept = await session.get_one(Recording, row.id)
        kept.renditions, kept.chapters = renditions_out(outputs), chapters_out(outputs.chapters)
    for rendition in (Rendition.POSTER, Rendition.PREVIEW):
        path = Folders(house.recordings).rendition(row.id, rendition)
        await asyncio.to_thread(path.write_bytes, b"jpg")
    shown = (await village.party_member.get(f"/api/recordings/{row.id}")).body
    assert shown["renditions"] == ["film", "poster", "preview"]
    assert shown["chapters"][1] == {"startSeconds": 61.5, "title": "讨论"}
    assert shown["preview"] == {
        "intervalSeconds": 5.0, "columns": 10, "count": 120, "width": 160, "height": 90
    }  # fmt: skip
    for name in ("poster", "preview"):
        async with village.party_member.client.get(f"/api/recordings/{row.id}/{name}") as response:
            assert (response.status, response.content_type) == (200, "image/jpeg")
            assert await response.read() == b"jpg"
        assert (await village.sibling_secretary.get(f"/api/recordings/{row.id}/{name}")).status == 404
    missing = await village.party_member.get(f"/api/recordings/{row.id}/sound")
    assert (missing.status, missing.body["error"]["code"]) == (404, "rendition_not_found")


async def share(house: House, row: Recording, **fields: object) -> None:
    async with house.database.transaction() as session:
        kept = await session.get_one(Recording, row.id)
        for name, value in fields.items():
            setattr(kept, name, value)


async def test_what_is_public_is_watched_without_signing_in_and_nothing_else_is(
    house: House, village: Village
) -> None:
    row = await record(house, village)
    paths = [f"/api/recordings/{row.id}", f"/api/recordings/{row.id}/media"]
    for path in paths:
        assert (await village.nobody.get(path)).code == "not_signed_in"
    await share(house, row, kind=MeetingKind.LECTURE)
    opened = await village.district("PATCH", f"/api/recordings/{row.id}", {"audience": "public"})
    assert (opened.status, opened.body["audience"]) == (200, "public")
    for path in paths:
        assert (await village.nobody.get(path)).status == 200
        assert (await village.resident.get(path)).status == 200
    shown = (await village.nobody.get(paths[0])).body
    assert (shown["coverage"], shown["canManage"]) == (None, False)
    for path in ("viewings", "viewings.csv", "keeping"):
        assert (await village.nobody.get(f"/api/recordings/{row.id}/{path}")).code == "not_signed_in"
    reported = await village.nobody.post(f"/api/recordings/{row.id}/viewing", {"intervals": []})
    assert reported.code == "not_signed_in"
    await village.district("PATCH", f"/api/recordings/{row.id}", {"audience": "organization"})
    house.server.app[EDGE].grants._now = lambda: monotonic() + GRANT_SECONDS
    assert (await village.nobody.get(paths[1])).code == "not_signed_in"


async def brought(house: House, village: Village) -> str:
    """The path of a film that the secretary has brought."""
    row = await record(house, village)
    account = (await village.secretary.get("/api/session")).body["account"]["id"]
    await change(house.database, row, uploader_account_id=account, meeting_id=None)
    return f"/api/recordings/{row.id}"


async def test_so_many_persons_are_named_in_a_film_and_no_more(house: House, village: Village) -> None:
    path = await brought(house, village)
    persons = [{"name": f"来宾{number}"} for number in range(MOST_PERSONS + 1)]
    refused = await village.secretary("PATCH", path, {"persons": persons})
    assert (refused.status, refused.code) == (422, "too_many_persons")
    assert refused.body["error"]["details"]["maximum"] == MOST_PERSONS
    named = await village.secretary("PATCH", path, {"persons": persons[1:], "personsBefore": []})
    assert [one["name"] for one in named.body["persons"]] == [one["name"] for one in persons[1:]]


async def test_officers_alone_name_persons_and_only_in_films_made_elsewhere(
    house: House, village: Village
) -> None:
    guest = {"name": "欧阳教授"}
    measured = f"/api/recordings/{(await record(house, village)).id}"
    assert (await village.secretary("PATCH", measured, {"persons": [guest]})).code == "persons_are_measured"
    path = await brought(house, village)
    for name, code in (
        ("nobody", "not_signed_in"),
        ("sibling_secretary", "recording_not_found"),
        ("party_member", "forbidden"),
    ):
        assert (await village.caller(name)("PATCH", path, {"persons": [guest]})).code == code
    for nobody in ({}, guest | {"memberId": village.member.id}):
        refused = await village.secretary("PATCH", path, {"persons": [nobody]})
        assert (refused.status, refused.code) == (422, "invalid_request")
    unknown = await village.secretary("PATCH", path, {"persons": [{"memberId": new_id()}]})
    assert (unknown.status, unknown.body["error"]["details"]["field"]) == (404, "persons")
    both = [guest, {"memberId": village.member.id}]
    named = await village.secretary("PATCH", path, {"persons": both, "personsBefore": []})
    assert [one["name"] for one in named.body["persons"]] == [guest["name"], village.member.name]
    late = await village.secretary("PATCH", path, {"persons": [], "personsBefore": []})
    assert (late.status, late.code) == (409, "persons_renewed")


async def test_captions_come_as_text_that_no_browser_takes_for_anything_else(
    house: House, village: Village
) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}/captions/zh-CN"
    captions = {"label": "中文", "text": "WEBVTT\n\nSTYLE\n::cue{}\n\n00:01.000 --> 00:02.000\n<i>你好</i>\n"}
    assert (await village.party_member("PUT", path, captions)).code == "forbidden"
    assert (await village.secretary("PUT", path, captions)).status == 200
    async with village.party_member.client.get(path) as response:
        assert response.headers["Content-Type"] == "text/vtt; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert await response.text() == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n你好\n"
    shown = (await village.party_member.get(f"/api/recordings/{row.id}")).body
    assert shown["captions"] == [{"language": "zh-CN", "label": "中文"}]
    refused = await village.secretary("PUT", path, captions | {"text": "WEBVTT\n\n1 --> 2\nx"})
    assert (refused.code, refused.body["error"]["details"]["line"]) == ("captions_bad_time", 3)
    assert (await village.secretary("PUT", path[:-5] + "x_y", captions)).code == "invalid_language"
    assert (await village.sibling_secretary.get(path)).code == "recording_not_found"
    assert (await village.secretary("DELETE", path)).status == 204
    assert (await village.party_member.get(path)).code == "captions_not_found"


async def test_absences_that_can_be_made_up_are_listed_until_they_are(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}"
    (open_one,) = (await village.party_member.get("/api/members/me/study")).body["items"]
    assert open_one["id"] == row.id
    assert (await village.resident.get("/api/members/me/study")).body["items"] == []
    await village.party_member.post(f"{path}/viewing", {"intervals": []})
    for at in range(0, 600, 60):
        house.clock.advance(timedelta(seconds=60))
        reported = await village.party_member.post(f"{path}/viewing", {"intervals": [[at, at + 60]]})
    assert reported.body["studiedAt"]
    assert (await village.party_member.get("/api/members/me/study")).body["items"] == []
    watchers = (await village.secretary.get(f"{path}/viewings")).body["items"]
    assert {one["name"]: (one["state"], one["share"]) for one in watchers} == {
        "王秀英": ("made_up", 1.0),
        "张建国": ("absent", 0.0),
    }
    assert (await village.party_member.get(f"{path}/viewings")).code == "forbidden"
    async with village.secretary.client.get(f"{path}/viewings.csv") as response:
        assert response.content_type == "text/csv"
        assert response.content_disposition is not None
        assert response.content_disposition.filename == f"{row.title} 观看情况.csv"
        lines = (await response.text()).splitlines()
    assert lines[0].startswith("\ufeff姓名,")
    assert any(line.startswith("王秀英,东湖村党支部,补学,10,100,20") for line in lines)


def test_no_cell_of_the_sheet_is_a_formula() -> None:
    row = WatcherView("m", "=HYPERLINK(1)", "+1", None, 59.6, 0.999, None, None)
    assert sheet([row], "en", ZoneInfo("UTC")).splitlines()[1] == "'=HYPERLINK(1),'+1,,1,99,,"


def test_the_sheet_speaks_the_readers_language_and_tells_the_time_where_he_lives() -> None:
    at = datetime(2026, 11, 27, 16, 20, 55, tzinfo=UTC)
    row = WatcherView("m", "王秀英", "东湖村党支部", AttendanceState.ABSENT, 600.0, 1.0, None, at)
    said = {
        language: sheet([row], language, ZoneInfo("Asia/Shanghai")).splitlines() for language in LANGUAGES
    }
    assert said["zh-CN"][1] == "王秀英,东湖村党支部,缺席,10,100,,2026-11-28 00:20"
    assert said["en"][1] == "王秀英,东湖村党支部,Absent,10,100,,2026-11-28 00:20"
    assert said["en"][0].startswith("\ufeffName,Organization,Attendance,Watched (min),")


async def test_holding_and_deleting_over_http(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/recordings/{row.id}"
    keeping = (await village.secretary.get(f"{path}/keeping")).body
    assert keeping == {
        "deletesAt": None, "announced": False, "hold": None, "canHold": True, "canRelease": False, "canDelete": True,
    }  # fmt: skip
    held = await village.secretary.post(f"{path}/hold", {"reason": "调阅"})
    assert held.body["hold"]["reason"] == "调阅"
    assert (await village.secretary.post(f"{path}/delete", {"reason": "误录"})).code == "recording_held"
    assert (await village.secretary.post(f"{path}/release", {"reason": "完"})).code == "forbidden"
    assert (await village.committee.post(f"{path}/release", {"reason": "完"})).body["hold"] is None
    assert (await village.secretary.post(f"{path}/delete", {})).code == "invalid_request"
    assert (await village.secretary.post(f"{path}/delete", {"reason": "误录"})).status == 204
    assert (await village.secretary.get(path)).code == "recording_not_found"
    (entry,) = (await village.committee.get("/api/recording-deletions")).body["items"]
    assert (entry["recordingId"], entry["cause"], entry["reason"]) == (row.id, "person", "误录")
    assert (await village.party_member.get("/api/recording-deletions")).body["items"] == []
    meeting = (await village.party_member.get(f"/api/meetings/{row.meeting_id}")).body
    assert (meeting["recordingId"], meeting["deletedRecordingId"]) == (None, row.id)
    shown = (await village.party_member.get(f"{path}/deletion")).body
    assert (shown["meetingId"], shown["cause"], shown["reason"]) == (row.meeting_id, "person", "误录")
    assert (await village.sibling_secretary.get(f"{path}/deletion")).code == "recording_not_found"
    (lost,) = (await village.party_member.get("/api/members/me/missed-study")).body["items"]
    assert lost == shown
    (notice,) = (await village.party_member.get("/api/members/me/notices")).body["items"]
    assert (notice["kind"], notice["subjectId"]) == ("making_up_lost", row.id)


async def test_a_broken_recording_is_made_anew_over_http(house: House, village: Village) -> None:
    row = await record(house, village, RecordingState.FAILED)
    await share(house, row, failure=Failure.COMPOSITION_FAILED)
    (notice,) = (await village.committee.get("/api/members/me/notices")).body["items"]
    assert (notice["kind"], notice["subjectId"], notice["reason"]) == (
        "recording_failed", row.id, "composition_failed",
    )  # fmt: skip
    path = f"/api/recordings/{row.id}/remake"
    assert (await village.nobody.post(path)).code == "not_signed_in"
    assert (await village.party_member.post(path)).code == "forbidden"
    assert (await village.secretary.post(path)).code == "originals_missing"
    track = Folders(house.recordings).segment(row.id, 1) / "track.mkv"
    await asyncio.to_thread(write, track)
    begun = await village.secretary.post(path)
    assert (begun.status, begun.body["state"], begun.body["progress"]) == (200, "composing", 0.0)
    assert (await village.secretary.post(path)).code == "recording_not_settled"


async def test_a_quota_refuses_new_recordings_in_words(house: House, village: Village) -> None:
    row = await record(house, village)
    path = f"/api/organizations/{village.tree.branch.id}/storage"
    assert (await village.secretary("PUT", path, {"quotaBytes": 1})).code == "forbidden"
    rules = {"quotaBytes": 1, "keepDays": 365, "keepDaysByKind": {"lecture": 0}}
    put = (await village.committee("PUT", path, rules)).body
    assert (put["fullness"], put["countingDays"]["lecture"], put["countingDays"]["theme_day"]) == (
        "exhausted", 0, 365,
    )  # fmt: skip
    assert (await village.secretary.get(path)).body == put | {"canManage": False}
    (filling,) = (await village.district.get("/api/filling-storage")).body["items"]
    assert filling == {
        "organizationId": village.tree.branch.id, "organizationName": "东湖村党支部", "usedBytes": len(FILM),
        "quotaBytes": 1, "fullness": "exhausted", "canManage": True,
    }  # fmt: skip
    assert (await village.party_member.get("/api/filling-storage")).body["items"] == []
    wanted = meeting_of(house, village)
    refused = await village.secretary.post("/api/meetings", wanted | {"record": True})
    assert (refused.status, refused.code) == (409, "recording_quota_exhausted")
    unrecorded = await village.secretary.post("/api/meetings", wanted)
    assert unrecorded.status == 201
    meeting = f"/api/meetings/{unrecorded.body['id']}"
    assert (await village.secretary("PATCH", meeting, {"record": True})).code == "recording_quota_exhausted"
    assert not (await village.secretary.get(meeting)).body["record"]
    assert (await village.committee("PUT", path, {"quotaBytes": 10**9})).status == 200
    assert (await village.secretary("PATCH", meeting, {"record": True})).body["record"]
    assert (await village.committee("PUT", path, rules)).status == 200
    again = await village.secretary("PATCH", meeting, {"record": True, "title": "改了题目"})
    assert again.body["record"], "what was to be recorded already still is"
    assert (await village.secretary.get(f"/api/recordings/{row.id}/media")).status == 200
    for body in ({"quotaBytes": 0}, {"keepDays": -1}, {"keepDaysByKind": {"nothing": 1}}, {"keepDays": 1.5}):
        assert (await village.committee("PUT", path, body)).code == "invalid_request"
