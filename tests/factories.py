"""Invented people and organizations for tests, and a clock that tests own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from database import Database, new_id, utc_now
from database.clock import Clock
from members.accounts import Account, AccountSettings
from members.accounts import repository as accounts
from members.accounts.models import LoginSession
from members.accounts.passwords import Passwords
from members.accounts.service import session_key
from members.organizations import Organization, OrganizationKind
from members.organizations import repository as organizations
from members.people import Flowing, Member, Post, Standing
from members.people import repository as people
from members.policy import Actor, RoleName

PASSWORD = "hongqi-piaopiao"
"""Everybody's password."""

CHEAP = AccountSettings(argon2_time_cost=1, argon2_memory_kib=8, hashing_at_once=2)
"""Real argon2 at a price that tests can pay."""

EVENING = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
"""A Friday, half past seven in the evening in Shanghai."""


class FakeClock:
    """A clock that stands still until a test moves it; callable like `database.Clock`."""

    def __init__(self, now: datetime = EVENING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, duration: timedelta | float) -> datetime:
        """Move on by a timedelta or by seconds; answers the new moment."""
        self.now += duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        return self.now


@dataclass(frozen=True)
class Tree:
    """One department, two committees, three branches, one group."""

    department: Organization
    committee: Organization
    other_committee: Organization
    branch: Organization  # of committee
    sibling: Organization  # of committee
    cousin: Organization  # of other_committee
    group: Organization  # of branch


class Records:
    """Makes organizations, members and accounts in the test's database: each stored by itself, or many `at_once`.

    What is made knows what it belongs to, as if it had been read back.
    """

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self.database = database
        self.clock = clock
        self._numbers = count(1)
        self._session: AsyncSession | None = None
        self._hash: str | None = None

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[None]:
        """What is made within the block is stored at its end, in one transaction."""
        async with self.database.transaction() as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        if self._session is not None:
            yield self._session
            return
        async with self.database.transaction() as session:
            yield session

    async def tree(self) -> Tree:
        """The tree that most tests need."""
        if self._session is None:
            async with self.at_once():
                return await self.tree()
        department = await self.organization(OrganizationKind.DEPARTMENT, name="区委组织部")
        committee = await self.organization(OrganizationKind.COMMITTEE, department, "城关镇党委")
        other = await self.organization(OrganizationKind.COMMITTEE, department, "河西街道党工委")
        branch = await self.organization(OrganizationKind.BRANCH, committee, "东湖村党支部")
        return Tree(
            department=department,
            committee=committee,
            other_committee=other,
            branch=branch,
            sibling=await self.organization(OrganizationKind.BRANCH, committee, "南山村党支部"),
            cousin=await self.organization(OrganizationKind.BRANCH, other, "河西社区党支部"),
            group=await self.organization(OrganizationKind.GROUP, branch, "第一党小组"),
        )

    async def organization(
        self,
        kind: OrganizationKind = OrganizationKind.BRANCH,
        parent: Organization | None = None,
        name: str | None = None,
        timezone: str = "Asia/Shanghai",
    ) -> Organization:
        """An organization below `parent`, or a root."""
        async with self._transaction() as session:
            return organizations.add(
                session,
                parent=parent,
                kind=kind,
                name=name or f"第{next(self._numbers)}党支部",
                timezone=timezone,
                created_at=self.clock(),
            )

    async def member(
        self,
        organization: Organization,
        name: str | None = None,
        *,
        standing: Standing = Standing.FULL,
        post: Post | None = None,
        group: Organization | None = None,
        guest_of: Organization | None = None,
        flowing: Flowing | None = None,
    ) -> Member:
        """A member of `organization`, both organizations loaded."""
        async with self._transaction() as session:
            member = people.add(
                session,
                organization_id=organization.id,
                name=name or f"党员{next(self._numbers)}",
                standing=standing,
                post=post,
                group_id=group.id if group else None,
                guest_organization_id=guest_of.id if guest_of else None,
                flowing=flowing,
                created_at=self.clock(),
            )
            set_committed_value(member, "organization", organization)
            set_committed_value(member, "guest_organization", guest_of)
        return member

    async def account(
        self,
        *roles: tuple[RoleName, Organization],
        member: Member | None = None,
        username: str | None = None,
        name: str | None = None,
    ) -> Account:
        """A log-in with PASSWORD, its roles and member loaded; of `member` it has the role of a member at home too."""
        given = [*roles, (RoleName.MEMBER, member.organization)] if member is not None else roles
        if self._hash is None:
            self._hash = await Passwords(CHEAP).hash(PASSWORD)
        async with self._transaction() as session:
            account = accounts.add(
                session,
                username=username or f"user{next(self._numbers)}",
                password_hash=self._hash,
                name=name or (member.name if member else f"居民{next(self._numbers)}"),
                member_id=member.id if member else None,
                created_at=self.clock(),
            )
            held = []
            for role, organization in given:
                held.append(accounts.grant(session, account.id, role, organization.id))
                set_committed_value(held[-1], "organization", organization)
            set_committed_value(account, "roles", sorted(held, key=attrgetter("id")))
            set_committed_value(account, "member", member)
        return account

    async def actor(self, *roles: tuple[RoleName, Organization], member: Member | None = None) -> Actor:
        """A log-in as the policy sees it."""
        return accounts.actor_of(await self.account(*roles, member=member))

    async def browser(self, account: Account) -> str:
        """A browser in which somebody is signed in: the token in its cookie."""
        token, now = new_id(), self.clock()
        async with self._transaction() as session:
            await session.flush()  # the account comes first
            session.add(
                LoginSession(
                    id=new_id(), account_id=account.id, token_hash=session_key(token), created_at=now, seen_at=now,
                    expires_at=now + CHEAP.session_idle,
                )
            )  # fmt: skip
        return token
