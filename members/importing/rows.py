"""The rows of the four sheets, typed, each knowing where it stands."""

from dataclasses import dataclass

from members.organizations import OrganizationKind
from members.people import Flowing, Post, Standing
from members.policy import RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The file and line of a row."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRow:
    """One line of organizations.csv."""

    place: Place
    code: str
    parent_code: str | None
    kind: OrganizationKind
    name: str
    timezone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """One line of members.csv."""

    place: Place
    code: str
    organization_code: str
    group_code: str | None
    guest_organization_code: str | None
    name: str
    standing: Standing
    post: Post | None
    flowing_place: str | None
    flowing_timezone: str | None

    @property
    def flowing(self) -> Flowing | None:
        """Where the member lives, when elsewhere."""
        if self.flowing_place is None or self.flowing_timezone is None:
            return None
        return Flowing(self.flowing_place, self.flowing_timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One line of accounts.csv; `username` is normalized."""

    place: Place
    username: str
    name: str
    member_code: str | None
    password: str | None
    locale: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """One line of roles.csv; `username` is normalized."""

    place: Place
    username: str
    role: RoleName
    organization_code: str
