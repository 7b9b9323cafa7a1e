"""Signing in, staying signed in, signing out; passwords; languages."""

import pytest

from members.policy import RoleName
from tests.factories import PASSWORD
from tests.web.conftest import House, MakeHouse, Village
from web.services import WebSettings


async def test_signing_in_answers_as_the_session_does_and_lasts(house: House) -> None:
    tree = await house.records.tree()
    member = await house.records.member(tree.branch, "王秀英")
    account = await house.records.account((RoleName.SECRETARY, tree.branch), member=member)
    caller = house.caller()
    signed_in = await caller.post("/api/session", {"username": account.username, "password": PASSWORD})
    assert signed_in.status == 200
    assert signed_in.body == {
        "account": {"id": account.id, "username": account.username, "name": "王秀英", "locale": "zh-CN"},
        "member": {
            "id": member.id,
            "name": "王秀英",
            "organizationId": tree.branch.id,
            "organizationName": tree.branch.name,
            "standing": "full",
            "flowing": None,
        },
        "roles": signed_in.body["roles"],
        "level": 3,
    }
    branch = {"organizationId": tree.branch.id, "organizationName": tree.branch.name}
    for role in ("member", "secretary"):
        assert {"role": role, **branch} in signed_in.body["roles"]
    assert (await caller.get("/api/session")).body == signed_in.body


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    account = await house.records.account()
    answered = await house.caller().post("/api/session", {"username": account.username, "password": PASSWORD})
    cookie = answered.headers["Set-Cookie"]
    assert cookie.startswith("huitang_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # plain http here; see below
    assert answered.headers["Cache-Control"] == "no-store"


async def test_behind_tls_the_cookie_is_secure(make_house: MakeHouse, house: House) -> None:
    behind = await make_house(house.database, WebSettings(trusted_proxies=("127.0.0.1",)))
    account = await house.records.account()
    answered = await behind.caller().post(
        "/api/session",
        {"username": account.username, "password": PASSWORD},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"},
    )
    assert "Secure" in answered.headers["Set-Cookie"]


async def test_a_wrong_password_and_an_unknown_user_look_alike(house: House) -> None:
    account = await house.records.account()
    for username in (account.username, "nobody.at.all", "x"):
        answered = await house.caller().post(
            "/api/session", {"username": username, "password": "wrong-wrong"}
        )
        assert (answered.status, answered.code) == (401, "wrong_credentials")
        assert "Set-Cookie" not in answered.headers


async def test_attempts_are_limited_and_the_wait_is_told(house: House) -> None:
    account = await house.records.account()
    for _ in range(10):
        await house.caller().post("/api/session", {"username": account.username, "password": "wrong-wrong"})
    answered = await house.caller().post("/api/session", {"username": account.username, "password": PASSWORD})
    assert (answered.status, answered.code) == (429, "too_many_attempts")
    assert 0 < int(answered.headers["Retry-After"]) <= 60
    assert answered.body["error"]["details"]["retryAfter"] == int(answered.headers["Retry-After"])


async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    account = await house.records.account()
    caller = await house.caller().sign_in(account)
    stolen = house.caller()
    stolen.client.session.cookie_jar.update_cookies(
        {cookie.key: cookie.value for cookie in caller.client.session.cookie_jar}, caller.client.make_url("/")
    )
    assert (await stolen.get("/api/session")).status == 200
    assert (await caller("DELETE", "/api/session")).status == 204
    assert (await caller.get("/api/session")).code == "not_signed_in"
    assert (await stolen.get("/api/session")).code == "not_signed_in"
    assert (await caller("DELETE", "/api/session")).status == 204


async def test_signing_in_again_ends_the_session_before(house: House) -> None:
    account = await house.records.account()
    caller = await house.caller().sign_in(account)
    [first] = [cookie.value for cookie in caller.client.session.cookie_jar]
    await caller.sign_in(account)
    assert await house.services.accounts.authenticate(first) is None


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, "ü", "a b", '"quoted"'])
async def test_any_cookie_is_only_nobody(house: House, cookie: str) -> None:
    answered = await house.caller().get("/api/session", headers={"Cookie": f"huitang_session={cookie}"})
    assert (answered.status, answered.code) == (401, "not_signed_in")


async def test_a_new_password_signs_the_other_browsers_out(house: House) -> None:
    account = await house.records.account()
    here, there = await house.caller().sign_in(account), await house.caller().sign_in(account)
    changed = await here.post(
        "/api/account/password", {"currentPassword": PASSWORD, "newPassword": "a quite different one"}
    )
    assert changed.status == 200
    assert (await here.get("/api/session")).status == 200
    assert (await there.get("/api/session")).status == 401


async def test_a_refused_password_names_its_field(house: House) -> None:
    caller = await house.caller().sign_in(await house.records.account())
    answered = await caller.post(
        "/api/account/password", {"currentPassword": "not it at all", "newPassword": "a quite different one"}
    )
    assert (answered.status, answered.code) == (422, "wrong_password")
    assert "currentPassword" in answered.body["error"]["details"]


async def test_messages_come_in_the_accounts_language(village: Village) -> None:
    caller = village.party_member
    english = {"Accept-Language": "en"}
    assert (await caller.get("/api/meetings/none", headers=english)).headers["Content-Language"] == "zh-CN"
    updated = await caller("PATCH", "/api/account", {"locale": "en"})
    assert updated.body["account"]["locale"] == "en"
    answered = await caller.get("/api/meetings/none", headers={"Accept-Language": "zh-CN"})
    assert answered.headers["Content-Language"] == "en"
    assert "not found" in answered.body["error"]["message"]


async def test_before_signing_in_the_browsers_language_counts(house: House) -> None:
    answered = await house.caller().get("/api/session", headers={"Accept-Language": "en-GB"})
    assert answered.body["error"]["message"] == "Please sign in first."
    answered = await house.caller().get("/api/session", headers={"Accept-Language": ""})
    assert answered.body["error"]["message"] == "请先登录。"


async def test_an_unknown_language_is_refused(village: Village) -> None:
    answered = await village.party_member("PATCH", "/api/account", {"locale": "tlh"})
    assert (answered.status, set(answered.body["error"]["details"])) == (422, {"locale"})
