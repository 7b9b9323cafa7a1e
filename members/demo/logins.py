"""A log-in of the demo organization, as the command line prints it."""

from dataclasses import dataclass
from typing import Any

from members.accounts.models import Account
from members.accounts.repository import actor_of
from members.policy import LEVELS, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLogin:
    """Somebody one can sign in as."""

    level: int
    roles: tuple[str, ...]
    username: str
    password: str
    name: str
    member_id: str | None
    organization_id: str
    organization_name: str

    def as_json(self) -> dict[str, Any]:
        """The shape of `server.py demo --json`."""
        return {
            "level": self.level,
            "roles": list(self.roles),
            "username": self.username,
            "password": self.password,
            "name": self.name,
            "memberId": self.member_id,
            "organizationId": self.organization_id,
            "organizationName": self.organization_name,
        }


def login_of(account: Account, password: str) -> DemoLogin:
    """The log-in of an account loaded with its roles and member.

    The organization is the one where the furthest-reaching role is held.
    """
    held = min(account.roles, key=lambda held: LEVELS.get(held.role, Level.RESIDENT))
    return DemoLogin(
        level=int(actor_of(account).level),
        roles=tuple(sorted(role.role.value for role in account.roles)),
        username=account.username,
        password=password,
        name=account.name,
        member_id=account.member_id,
        organization_id=held.organization_id,
        organization_name=held.organization.name,
    )
