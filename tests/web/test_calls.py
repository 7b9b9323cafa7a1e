"""What holds for every call of the table: who may make it, from where, with which method and how much."""

import re
import zlib
from typing import Any

import pytest
from aiohttp import web

from tests.web.conftest import House, MakeHouse, Village
from web.api.call import Access, AnyCall
from web.api.routes import CALLS
from web.services import WebSettings

UNSAFE = [call for call in CALLS if call.method != "GET" and not call.any_site]
FOR_MEMBERS = [call for call in CALLS if call.access is Access.SIGNED_IN]
WITH_IDS = [call for call in FOR_MEMBERS if "{" in call.path]
NOWHERE = "0" * 32


def named(call: AnyCall) -> str:
    return f"{call.method} {call.path}"


def path_of(call: AnyCall, identifier: str = NOWHERE) -> str:
    return re.sub(r"{\w+}", identifier, call.path)


def body_of(call: AnyCall) -> Any:
    """A body that the call's model takes, or {} where it takes none."""
    return {
        "SignIn": {"username": "nobody", "password": "not it at all"},
        "AccountUpdate": {"locale": "en"},
        "UploadCreate": {
            "organizationId": NOWHERE,
            "title": "党课",
            "kind": "lecture",
            "audience": "organization",
            "heldAt": "2026-11-01T11:00:00Z",
            "sizeBytes": 5000,
        },
        "PasswordChange": {"currentPassword": "not it at all", "newPassword": "a quite different one"},
        "MeetingCreate": {
            "organizationId": NOWHERE,
            "kind": "lecture",
            "title": "党课",
            "startsAt": "2026-12-01T11:00:00Z",
            "endsAt": "2026-12-01T12:00:00Z",
        },
        "MeetingUpdate": {"title": "党课"},
        "GuestInvite": {"displayName": "王大爷"},
        "InviteCreate": {"invitations": [{"memberId": NOWHERE}]},
        "CorrectionCreate": {"state": "present", "reason": "签到设备故障"},
        "LeaveRequestCreate": {"reason": "出差"},
        "LeaveDecision": {"granted": True},
        "ViewingReport": {"intervals": [[0, 10]], "rate": 1},
        "PromptAnswer": {"prompt": NOWHERE},
        "RecordingUpdate": {"downloadable": True},
        "CaptionsPut": {"label": "中文", "text": "WEBVTT\n\n00:01.000 --> 00:02.000\n同志们好"},
        "ReasonGiven": {"reason": "误录"},
        "StorageRulesPut": {"keepDays": 365},
        "StreamKeyCreate": {"name": "会场摄像机"},
        "StationPairing": {"key": "ABCD-EFGH-JKLM-NPQR"},
        "ConsultationCreate": {"serviceId": NOWHERE, "displayName": "王大爷"},
        "RatingCreate": {"stars": 5},
        "NoticesSeen": {"until": "2026-11-23T08:00:00Z"},
        "Nothing": {},
    }[call.input.__name__]


async def test_who_is_not_signed_in_is_told_so(house: House) -> None:
    for call in FOR_MEMBERS:
        body = body_of(call) if call.method != "GET" else None
        answered = await house.caller()(call.method, path_of(call), body)
        assert (answered.status, answered.code) == (401, "not_signed_in"), named(call)
        assert answered.headers["Cache-Control"] == "no-store", named(call)


async def test_who_is_not_signed_in_is_told_nothing_about_the_input(house: House) -> None:
    for call in FOR_MEMBERS:
        body = {"wrong": True} if call.takes_body else None
        answered = await house.caller()(call.method, f"{path_of(call)}?limit=x", body)
        assert (answered.status, answered.code) == (401, "not_signed_in"), named(call)


async def test_what_does_not_exist_is_not_found(village: Village) -> None:
    for call in WITH_IDS:
        body = body_of(call) if call.method != "GET" else None
        answered = await village.district(call.method, path_of(call), body)
        assert answered.status == 404, (named(call), answered.body)
        assert answered.code.endswith(("not_found", "unknown_organization", "unknown_member")), named(call)


@pytest.mark.parametrize("identifier", ["x", "x" * 64, "-", "A_b-9"])
async def test_ids_may_be_any_opaque_text(village: Village, identifier: str) -> None:
    for call in WITH_IDS:
        body = body_of(call) if call.method != "GET" else None
        answered = await village.district(call.method, path_of(call, identifier), body)
        assert answered.status == 404, (named(call), answered.body)


@pytest.mark.parametrize("identifier", ["x" * 65, "..", "%00", "a%2fb", "a b", "%C3%BC", "%F0%9F"])
async def test_what_cannot_be_an_id_is_not_found(village: Village, identifier: str) -> None:
    answered = await village.district.get(f"/api/meetings/{identifier}")
    assert (answered.status, answered.code) == (404, "not_found")


async def test_other_pages_cannot_make_unsafe_calls(village: Village) -> None:
    for call in UNSAFE:
        answered = await village.district(
            call.method, path_of(call), body_of(call), headers={"Origin": "https://evil.example"}
        )
        assert (answered.status, answered.code) == (403, "origin_refused"), named(call)


async def test_our_own_page_can(house: House, village: Village) -> None:
    origin = str(house.server.make_url("/")).rstrip("/")
    answered = await village.party_member(
        "PATCH", "/api/account", {"locale": "en"}, headers={"Origin": origin}
    )
    assert answered.status == 200


async def test_a_page_behind_a_named_proxy_can(make_house: MakeHouse, house: House) -> None:
    settings = WebSettings(trusted_proxies=("127.0.0.1",), public_origins=("https://other.example",))
    behind = await make_house(house.database, settings)
    forwarded = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "meet.example.org",
        "X-Forwarded-For": "1.2.3.4",
    }
    for origin, status in (
        ("https://meet.example.org", 204),
        ("https://other.example", 204),
        ("http://meet.example.org", 403),
    ):
        answered = await behind.caller()("DELETE", "/api/session", headers={**forwarded, "Origin": origin})
        assert answered.status == status, origin


@pytest.mark.parametrize(
    "path", ["/api/session", "/api/meetings", f"/api/meetings/{NOWHERE}/start", "/healthz"]
)
async def test_a_wrong_method_names_the_right_ones(house: House, path: str) -> None:
    answered = await house.caller()("PUT", path, {})
    assert (answered.status, answered.code) == (405, "method_not_allowed")
    assert answered.headers["Allow"]


async def test_an_unknown_address_is_json_too(house: House) -> None:
    for path in ("/api/unknown", "/api/", "/api", "/api/meetings/", "/api/meetings/a/b/c"):
        for method in ("GET", "POST", "DELETE"):
            answered = await house.caller()(method, path)
            assert (answered.status, answered.code) == (404, "not_found"), (method, path)


async def test_a_body_must_call_itself_json(house: House) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answered = await house.caller()(
            "POST", "/api/session", data=b'{"username": "a"}', headers={"Content-Type": content_type}
        )
        assert (answered.status, answered.code) == (422, "json_expected")


async def test_a_body_too_large_is_refused_whether_its_length_is_told_or_not(house: House) -> None:
    large = b'{"username": "' + b"x" * 70_000 + b'"}'
    told = await house.caller()(
        "POST", "/api/session", data=large, headers={"Content-Type": "application/json"}
    )
    assert (told.status, told.code) == (413, "body_too_large")

    async def chunks() -> Any:
        for start in range(0, len(large), 8192):
            yield large[start : start + 8192]

    untold = await house.caller()(
        "POST", "/api/session", data=chunks(), headers={"Content-Type": "application/json"}
    )
    assert (untold.status, untold.code) == (413, "body_too_large")


async def test_a_compressed_body_is_measured_unpacked(house: House) -> None:
    bomb = zlib.compress(b'{"username": "' + b"x" * 5_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    answered = await house.caller()("POST", "/api/session", data=bomb, headers=headers)
    assert (answered.status, answered.code) == (413, "body_too_large")
    answered = await house.caller()("POST", "/api/session", data=b"not compressed", headers=headers)
    assert (answered.status, answered.code) == (400, "invalid_request")


async def test_a_mistake_of_ours_tells_a_number_and_nothing_else(house: House) -> None:
    async def broken(_request: web.Request) -> web.StreamResponse:
        raise RuntimeError("secret detail")

    house.server.app._router._frozen = False
    house.server.app.router.add_get("/api/broken", broken)
    answered = await house.caller().get("/api/broken")
    assert (answered.status, answered.code) == (500, "internal_error")
    details = answered.body["error"]["details"]
    assert details == {"requestId": answered.headers["X-Request-Id"]}
    assert details["requestId"] in answered.body["error"]["message"]
    assert "secret" not in str(answered.body)


async def test_every_answer_guards_the_browser(house: House) -> None:
    for path in ("/", "/api/session", "/api/unknown", "/healthz", "/api/openapi.json"):
        headers = (await house.caller().get(path)).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=(self)" in headers["Permissions-Policy"]
        assert "aiohttp" not in headers["Server"]
        assert headers["X-Request-Id"]


async def test_head_is_answered_like_get(village: Village) -> None:
    answered = await village.district("HEAD", "/api/organizations")
    assert answered.status == 200
