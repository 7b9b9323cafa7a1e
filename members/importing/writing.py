"""Puts checked rows into the records, inside the import's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from members.accounts import Account
from members.accounts import repository as accounts
from members.importing.checks import in_tree_order
from members.importing.known import Known
from members.importing.report import Count, ImportReport
from members.importing.rows import AccountRow, MemberRow, OrganizationRow
from members.importing.sheets import Sheets
from members.organizations import Organization
from members.organizations import repository as organizations
from members.organizations.service import DEFAULT_TIMEZONE
from members.people import Member
from members.people import repository as people
from members.policy import RoleName


class Writing:
    """One import being written; `report` counts."""

    def __init__(
        self,
        session: AsyncSession,
        known: Known,
        hashes: Mapping[str, str],
        now: datetime,
        report: ImportReport,
    ) -> None:
        self._session = session
        self._known = known
        self._hashes = hashes
        self._now = now
        self._report = report

    async def write(self, sheets: Sheets) -> None:
        """Everything, what is referred to before what refers to it."""
        for organization in in_tree_order(sheets.organizations):
            self._organization(organization)
        await self._session.flush()
        for member in sheets.members:
            self._member(member)
        await self._session.flush()
        held = {
            (role.account_id, role.role, role.organization_id)
            for account in self._known.accounts.values()
            for role in account.roles
        }
        granted: list[tuple[str, RoleName, str]] = []
        for row in sheets.accounts:
            account, home = self._account(row)
            if home is not None:
                granted.append((account.id, RoleName.MEMBER, home))
        await self._session.flush()
        implied = set(granted)
        for role in sheets.roles:
            place = self._known.organizations[role.organization_code]
            granted.append((self._known.accounts[role.username].id, role.role, place.id))
        for key in granted:
            self._grant(key, held, counted=key not in implied)
        await self._session.flush()

    def _organization(self, row: OrganizationRow) -> None:
        parent = self._known.organizations[row.parent_code] if row.parent_code is not None else None
        known = self._known.organizations.get(row.code)
        if known is not None:
            wanted = {"name": row.name, "timezone": row.timezone or known.timezone}
            _update(known, wanted, self._report.organizations)
            return
        self._report.organizations.added += 1
        self._known.organizations[row.code] = organizations.add(
            self._session,
            parent=parent,
            kind=row.kind,
            name=row.name,
            timezone=row.timezone or (parent.timezone if parent is not None else DEFAULT_TIMEZONE),
            created_at=self._now,
            code=row.code,
        )

    def _member(self, row: MemberRow) -> None:
        flowing = row.flowing
        wanted: dict[str, Any] = {
            "organization_id": self._id(row.organization_code),
            "group_id": self._id(row.group_code),
            "guest_organization_id": self._id(row.guest_organization_code),
            "name": row.name,
            "standing": row.standing,
            "post": row.post,
        }
        known = self._known.members.get(row.code)
        if known is None:
            self._report.members.added += 1
            self._known.members[row.code] = people.add(
                self._session, **wanted, flowing=flowing, code=row.code, created_at=self._now
            )
            return
        wanted["flowing_place"] = flowing.place if flowing else None
        wanted["flowing_timezone"] = flowing.timezone if flowing else None
        self._move_membership(known, wanted["organization_id"])
        _update(known, wanted, self._report.members)

    def _move_membership(self, member: Member, organization_id: str) -> None:
        """Who is transferred to another branch is a member there and no longer here."""
        account = self._known.account_of(member) if member.organization_id != organization_id else None
        for role in account.roles if account is not None else ():
            if role.role is RoleName.MEMBER and role.organization_id == member.organization_id:
                role.organization_id = organization_id

    def _id(self, code: str | None) -> str | None:
        return self._known.organizations[code].id if code is not None else None

    def _account(self, row: AccountRow) -> tuple[Account, str | None]:
        """The account, and the branch at which it is a member."""
        member = self._known.members[row.member_code] if row.member_code is not None else None
        home = member.organization_id if member is not None else None
        known = self._known.accounts.get(row.username)
        if known is not None:
            wanted = {
                "name": row.name,
                "locale": row.locale or known.locale,
                "member_id": member.id if member is not None else known.member_id,
            }
            _update(known, wanted, self._report.accounts)
            return known, home
        self._report.accounts.added += 1
        account = accounts.add(
            self._session,
            username=row.username,
            password_hash=self._hashes[row.username],
            name=row.name,
            member_id=member.id if member is not None else None,
            locale=row.locale or "zh-CN",
            created_at=self._now,
        )
        self._known.accounts[row.username] = account
        return account, home

    def _grant(
        self, key: tuple[str, RoleName, str], held: set[tuple[str, RoleName, str]], *, counted: bool
    ) -> None:
        count = self._report.roles if counted else Count()
        if key in held:
            count.unchanged += 1
            return
        held.add(key)
        count.added += 1
        accounts.grant(self._session, *key)


def _update(row: Organization | Member | Account, wanted: Mapping[str, Any], count: Count) -> None:
    different = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    if different:
        count.changed += 1
    else:
        count.unchanged += 1
