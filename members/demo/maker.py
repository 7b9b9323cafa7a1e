"""Makes the demo organization where there is none."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from database import Clock, Database, utc_now
from members.accounts import Account
from members.accounts import repository as accounts
from members.accounts.passwords import Passwords
from members.accounts.settings import AccountSettings
from members.demo.logins import DemoLogin, login_of
from members.demo.people import ACCOUNTS, MEMBERS, ORGANIZATIONS, ROOT, TIMEZONE
from members.organizations import Organization
from members.organizations import repository as organizations
from members.people import Member
from members.people import repository as people
from members.policy import RoleName

_PASSWORDS: Final = {account.username: account.password for account in ACCOUNTS}
# Guessing what is published is no work to make dear: hashed at the real price all of them take seconds. Who signs in
# has the real one from then on.
_PUBLISHED: Final = AccountSettings(argon2_time_cost=1, argon2_memory_kib=8)


async def make_demo(database: Database, clock: Clock = utc_now) -> list[DemoLogin]:
    """Make the demo organization in empty records; answers its log-ins, nearest to the department first.

    Records that hold it already stay as they are, and log-ins that were closed, renamed or given another password are
    left out of the answer. Records that hold other organizations stay as they are too, and the answer is empty.
    """
    if await _is_empty(database):
        passwords = Passwords(_PUBLISHED)
        hashes = await asyncio.gather(*(passwords.hash(account.password) for account in ACCOUNTS))
        # Another node may be faster; then the codes are taken, and its demo is as good.
        with suppress(IntegrityError):
            async with database.transaction() as session:
                if await _organization_count(session) == 0:
                    await _make(session, dict(zip(_PASSWORDS, hashes, strict=True)), clock())
    return await _logins(database)


async def _is_empty(database: Database) -> bool:
    async with database.reading() as session:
        return await _organization_count(session) == 0


async def _organization_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Organization)) or 0


async def _make(session: AsyncSession, hashes: dict[str, str], now: datetime) -> None:
    tree = await _make_organizations(session, now)
    registered = await _make_members(session, tree, now)
    for person in ACCOUNTS:
        member = registered.get(person.name)
        account = accounts.add(
            session,
            username=person.username,
            password_hash=hashes[person.username],
            name=person.name,
            member_id=member.id if member else None,
            created_at=now,
        )
        await session.flush()
        for role, code in person.roles:
            accounts.grant(session, account.id, role, tree[code].id)
        if member is not None:
            accounts.grant(session, account.id, RoleName.MEMBER, member.organization_id)


async def _make_organizations(session: AsyncSession, now: datetime) -> dict[str, Organization]:
    tree: dict[str, Organization] = {}
    for node in ORGANIZATIONS:
        tree[node.code] = organizations.add(
            session,
            parent=tree[node.parent] if node.parent else None,
            kind=node.kind,
            name=node.name,
            timezone=TIMEZONE,
            created_at=now,
            code=node.code,
        )
        await session.flush()  # a parent before its children
    return tree


async def _make_members(
    session: AsyncSession, tree: dict[str, Organization], now: datetime
) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for number, person in enumerate(MEMBERS, start=1):
        members[person.name] = people.add(
            session,
            organization_id=tree[person.branch].id,
            name=person.name,
            standing=person.standing,
            post=person.post,
            group_id=tree[person.group].id if person.group else None,
            flowing=person.flowing,
            code=f"{ROOT}-{number:03d}",
            created_at=now,
        )
    await session.flush()
    return members


async def _logins(database: Database) -> list[DemoLogin]:
    async with database.reading() as session:
        if await session.scalar(select(Organization.id).where(Organization.code == ROOT)) is None:
            return []
        rows = await session.scalars(accounts.with_roles().where(Account.username.in_(_PASSWORDS)))
        usable = {row.username: row for row in rows.unique() if _is_as_made(row)}
    return [login_of(usable[name], password) for name, password in _PASSWORDS.items() if name in usable]


def _is_as_made(account: Account) -> bool:
    return (
        account.disabled_at is None
        and bool(account.roles)
        and account.password_changed_at == account.created_at
    )
