"""Every query about accounts and their sessions."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from database import new_id
from errors import Kind, Problem
from members.accounts.models import Account, AccountRole, LoginSession
from members.people.models import Member
from members.policy import Actor, HeldRole, RoleName

MINIMUM_USERNAME: Final = 2
MAXIMUM_USERNAME: Final = 60


def normalize_username(text: str) -> str:
    """The one spelling of a user name: full-width as half-width, without case, without spaces around it.

    Raises Problem invalid_username for anything but 2 to 60 letters, digits, dots, dashes, underscores and @.
    """
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if not MINIMUM_USERNAME <= len(name) <= MAXIMUM_USERNAME or not all(
        c.isalnum() or c in "._-@" for c in name
    ):
        raise Problem(Kind.INVALID, "invalid_username", {"field": "username"})
    return name


@cache  # building it costs more than a small query, and every call of everybody asks for it
def _everything() -> Sequence[ExecutableOption]:
    """All that an Actor is made of."""
    return (
        joinedload(Account.roles).joinedload(
            AccountRole.organization
        ),  # few; a query of their own costs more
        joinedload(Account.member).joinedload(Member.organization),
        joinedload(Account.member).joinedload(Member.guest_organization),
    )


def with_roles() -> Select[Account]:
    """Accounts with everything that an Actor is made of; a row for each role, so ask the result for `unique`."""
    return select(Account).options(*_everything())


async def get(session: AsyncSession, account_id: str) -> Account | None:
    """An account with its roles and member."""
    return (await session.scalars(with_roles().where(Account.id == account_id))).unique().one_or_none()


async def by_username(session: AsyncSession, username: str) -> Account | None:
    """The account of a normalized user name, with its roles and member."""
    found = await session.scalars(with_roles().where(Account.username == username))
    return found.unique().one_or_none()


async def exist(session: AsyncSession) -> bool:
    """Whether there is any account."""
    return await session.scalar(select(Account.id).limit(1)) is not None


async def by_sessions(
    session: AsyncSession, token_hashes: Iterable[str], now: datetime
) -> list[tuple[Account, LoginSession]]:
    """The accounts and the sessions behind tokens that have not expired; the same account for each of its own."""
    query = (
        with_roles()
        .add_columns(LoginSession)
        .join(LoginSession, LoginSession.account_id == Account.id)
        .where(LoginSession.token_hash.in_(list(token_hashes)), LoginSession.expires_at > now)
    )
    return [(account, login) for account, login in (await session.execute(query)).unique()]


async def names(session: AsyncSession, account_ids: Iterable[str]) -> dict[str, str]:
    """Names by account id, in one query."""
    wanted = set(account_ids)
    if not wanted:
        return {}
    rows = await session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted)))
    return {row.id: row.name for row in rows}


async def by_member(session: AsyncSession, member_ids: Iterable[str]) -> dict[str, str]:
    """Account ids by member id, for the members that have a log-in."""
    wanted = set(member_ids)
    if not wanted:
        return {}
    rows = await session.execute(select(Account.member_id, Account.id).where(Account.member_id.in_(wanted)))
    return {member_id: account_id for member_id, account_id in rows if member_id is not None}


async def slide(session: AsyncSession, until: Mapping[str, datetime], now: datetime) -> None:
    """Note that these sessions were used, and until when each lives now, in one statement.

    One that somebody has ended meanwhile stays ended.
    """
    rows = [
        {"id": session_id, "seen_at": now, "expires_at": expires_at}
        for session_id, expires_at in sorted(
            until.items()
        )  # two nodes that lock in turn never wait in a ring
    ]
    still_there = update(LoginSession).where(LoginSession.expires_at > now)
    await session.execute(still_there, rows, execution_options={"synchronize_session": None})


async def notices_seen_until(session: AsyncSession, account_id: str) -> datetime | None:
    """Up to which moment's notices the account has looked."""
    return await session.scalar(select(Account.notices_seen_until).where(Account.id == account_id))


async def note_seen(session: AsyncSession, account_id: str, until: datetime) -> None:
    """Notices up to this moment were looked at; never takes back what was."""
    earlier = or_(Account.notices_seen_until.is_(None), Account.notices_seen_until < until)
    await session.execute(
        update(Account).where(Account.id == account_id, earlier).values(notices_seen_until=until)
    )


async def end_session(session: AsyncSession, token_hash: str) -> None:
    """Forget one session."""
    await session.execute(delete(LoginSession).where(LoginSession.token_hash == token_hash))


async def end_sessions(session: AsyncSession, account_id: str) -> None:
    """Forget every session of an account."""
    await session.execute(delete(LoginSession).where(LoginSession.account_id == account_id))


async def delete_expired(session: AsyncSession, now: datetime) -> int:
    """Forget the sessions of the past; answers how many."""
    ended = await session.scalars(
        delete(LoginSession).where(LoginSession.expires_at <= now).returning(LoginSession.id)
    )
    return len(ended.all())


def add(
    session: AsyncSession,
    *,
    username: str,
    password_hash: str,
    name: str,
    created_at: datetime,
    member_id: str | None = None,
    locale: str = "zh-CN",
) -> Account:
    """A new account; `username` is normalized already."""
    account = Account(
        id=new_id(),
        username=username,
        password_hash=password_hash,
        name=name,
        locale=locale,
        member_id=member_id,
        created_at=created_at,
        password_changed_at=created_at,
        disabled_at=None,
    )
    session.add(account)
    return account


def grant(session: AsyncSession, account_id: str, role: RoleName, organization_id: str) -> AccountRole:
    """A new role of an account."""
    held = AccountRole(id=new_id(), account_id=account_id, role=role, organization_id=organization_id)
    session.add(held)
    return held


def actor_of(account: Account) -> Actor:
    """The account as the policy sees it; loaded by `with_roles`."""
    member = account.member
    guest = member.guest_organization if member else None
    return Actor(
        account_id=account.id,
        name=account.name,
        roles=tuple(
            HeldRole(held.role, held.organization_id, held.organization.path) for held in account.roles
        ),
        member_id=member.id if member else None,
        home_organization_id=member.organization_id if member else None,
        home_path=member.organization.path if member else None,
        guest_organization_id=guest.id if guest else None,
        guest_path=guest.path if guest else None,
        locale=account.locale,
    )
