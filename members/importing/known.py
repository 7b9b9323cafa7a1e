"""What the records hold before an import."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from members.accounts import Account
from members.importing.sheets import Sheets
from members.organizations import Organization
from members.people import Member


@dataclass(slots=True)
class Known:
    """Rows of the tables by the names that the sheets use."""

    organizations: dict[str, Organization] = field(default_factory=dict)  # by code
    members: dict[str, Member] = field(default_factory=dict)  # by code
    accounts: dict[str, Account] = field(default_factory=dict)  # by user name, roles loaded

    def account_of(self, member: Member) -> Account | None:
        """The log-in of a member."""
        return next((row for row in self.accounts.values() if row.member_id == member.id), None)


async def load(session: AsyncSession, sheets: Sheets) -> Known:
    """The whole tree; members and accounts only where a sheet needs them."""
    known = Known()
    for organization in await session.scalars(select(Organization).where(Organization.code.is_not(None))):
        known.organizations[organization.code or ""] = organization
    if sheets.members or sheets.accounts:
        for member in await session.scalars(select(Member).where(Member.code.is_not(None))):
            known.members[member.code or ""] = member
    if sheets.members or sheets.accounts or sheets.roles:
        for account in await session.scalars(select(Account).options(selectinload(Account.roles))):
            known.accounts[account.username] = account
    return known
