import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from database import Database
from members.accounts import Account, Accounts
from members.accounts.passwords import check_password
from members.accounts.repository import normalize_username
from members.demo import make_demo
from members.demo.people import ACCOUNTS, MEMBERS, ORGANIZATIONS
from members.organizations import Organization, OrganizationKind
from members.organizations.rules import is_held_at, may_stand_below
from members.people import Member, Post
from members.policy import Level, RoleName
from tests.factories import FakeClock, Records

KINDS = {organization.code: organization.kind for organization in ORGANIZATIONS}


async def counts(database: Database) -> dict[str, int]:
    async with database.reading() as session:
        return {
            model.__tablename__: await session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Organization, Member, Account)
        }


async def test_every_log_in_of_the_demo_works_and_says_who_it_is(
    database: Database, accounts: Accounts, clock: FakeClock
) -> None:
    logins = await make_demo(database, clock)
    for login in logins:
        actor, _ = await accounts.sign_in(login.username, login.password, "::1")
        assert (actor.level, actor.name, actor.member_id) == (login.level, login.name, login.member_id)
        assert login.organization_id in {held.organization_id for held in actor.roles}
    assert {login.level for login in logins} == set(Level)
    experts = [login for login in logins if "expert" in login.roles]
    assert len(experts) == 4
    assert sum(1 for expert in experts if expert.member_id) == 1


async def test_the_demo_is_made_once_and_its_log_ins_stay_the_same(
    database: Database, clock: FakeClock
) -> None:
    first = await make_demo(database, clock)
    before = await counts(database)
    assert before["members"] >= 30
    clock.advance(timedelta(days=1))
    assert await make_demo(database, clock) == first
    assert await counts(database) == before


async def test_two_nodes_that_start_at_once_make_one_demo(database: Database, clock: FakeClock) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    try:
        first, second = await asyncio.gather(make_demo(database, clock), make_demo(other, clock))
    finally:
        await other.dispose()
    assert first == second
    assert (await counts(database))["members"] == len(MEMBERS)


async def test_a_log_in_with_another_password_or_closed_is_no_longer_told(
    database: Database, accounts: Accounts, clock: FakeClock
) -> None:
    logins = await make_demo(database, clock)
    clock.advance(60)
    actor, _ = await accounts.sign_in(logins[0].username, logins[0].password, "::1")
    await accounts.change_password(actor, logins[0].password, "my-own-password")
    await accounts.disable(await accounts.id_of(logins[1].username))
    assert await make_demo(database, clock) == logins[2:]


async def test_records_with_other_organizations_stay_as_they_are(
    database: Database, records: Records, clock: FakeClock
) -> None:
    await records.organization()
    assert await make_demo(database, clock) == []
    assert await counts(database) == {"organizations": 1, "members": 0, "accounts": 0}


async def test_a_log_in_is_printed_in_the_shape_that_scripts_read(
    sqlite_database: Database, clock: FakeClock
) -> None:
    logins = await make_demo(sqlite_database, clock)
    keys = [
        "level",
        "roles",
        "username",
        "password",
        "name",
        "memberId",
        "organizationId",
        "organizationName",
    ]
    assert [list(login.as_json()) for login in logins] == [keys] * len(logins)
    [secretary] = [login.as_json() for login in logins if login.username == "liuxi"]
    assert (secretary["level"], secretary["roles"]) == (3, ["member", "secretary"])
    assert (secretary["organizationName"], secretary["name"]) == ("柳溪村党支部", "郑守田")


def test_the_demo_is_as_large_as_promised() -> None:
    kinds = list(KINDS.values())
    assert [kinds.count(kind) for kind in (OrganizationKind.DEPARTMENT, OrganizationKind.COMMITTEE)] == [1, 2]
    assert kinds.count(OrganizationKind.BRANCH) == 4
    assert len(MEMBERS) >= 30
    assert len({member.name for member in MEMBERS}) == len(MEMBERS)
    zones = [member.flowing.timezone for member in MEMBERS if member.flowing]
    assert sorted(zones) == ["Asia/Shanghai", "Europe/London"]
    for branch in (code for code, kind in KINDS.items() if kind is OrganizationKind.BRANCH):
        posts = [member.post for member in MEMBERS if member.branch == branch and member.post]
        assert posts.count(Post.SECRETARY) == 1
        assert len(posts) == 3


def test_the_demo_follows_the_rules_of_the_tree() -> None:
    parents = {organization.code: organization.parent for organization in ORGANIZATIONS}
    for organization in ORGANIZATIONS:
        assert may_stand_below(organization.kind, KINDS[organization.parent] if organization.parent else None)
    for member in MEMBERS:
        assert KINDS[member.branch] is OrganizationKind.BRANCH
        assert member.group is None or parents[member.group] == member.branch


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.username)
def test_a_demo_account_follows_the_rules_of_accounts(account: object) -> None:
    [person] = [one for one in ACCOUNTS if one is account]
    check_password(person.password, person.username)
    assert normalize_username(person.username) == person.username
    assert all(is_held_at(role, KINDS[code]) for role, code in person.roles)
    assert person.roles or person.name in {member.name for member in MEMBERS}
    if any(role in {RoleName.SECRETARY, RoleName.BRANCH_OFFICER} for role, _ in person.roles):
        assert person.name in {member.name for member in MEMBERS}
