"""What one is told about one's own log-in."""

from dataclasses import dataclass

from members.people.views import MemberView
from members.policy import Level, RoleName


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role, and where."""

    role: RoleName
    organization_id: str
    organization_name: str


@dataclass(frozen=True, slots=True)
class AccountProfile:
    """Everything the session answer needs."""

    account_id: str
    username: str
    name: str
    locale: str
    level: Level
    roles: tuple[RoleView, ...]
    member: MemberView | None
