"""Who acts: people signed in with their roles, station devices, residents without a log-in."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Level(IntEnum):
    """The five levels; a smaller number reaches further."""

    DISTRICT = 1
    COMMITTEE = 2
    BRANCH = 3
    MEMBER = 4
    RESIDENT = 5


class RoleName(StrEnum):
    """What one can be, always at an organization."""

    DISTRICT_OFFICER = "district_officer"
    COMMITTEE_OFFICER = "committee_officer"
    SECRETARY = "secretary"
    BRANCH_OFFICER = "branch_officer"
    MEMBER = "member"
    RESIDENT = "resident"
    EXPERT = "expert"  # takes consultations; says nothing about the level


LEVELS: Final = {
    RoleName.DISTRICT_OFFICER: Level.DISTRICT,
    RoleName.COMMITTEE_OFFICER: Level.COMMITTEE,
    RoleName.SECRETARY: Level.BRANCH,
    RoleName.BRANCH_OFFICER: Level.BRANCH,
    RoleName.MEMBER: Level.MEMBER,
    RoleName.RESIDENT: Level.RESIDENT,
}

OFFICERS: Final = frozenset(
    {RoleName.DISTRICT_OFFICER, RoleName.COMMITTEE_OFFICER, RoleName.SECRETARY, RoleName.BRANCH_OFFICER}
)
SUPERIORS: Final = frozenset({RoleName.DISTRICT_OFFICER, RoleName.COMMITTEE_OFFICER})
BRANCH_OFFICERS: Final = frozenset({RoleName.SECRETARY, RoleName.BRANCH_OFFICER})


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role at an organization; `organization_path` is "/id/id/"."""

    role: RoleName
    organization_id: str
    organization_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody signed in: an account, its roles and, for a member, the branch at home and the one visited."""

    account_id: str
    name: str
    roles: tuple[HeldRole, ...] = ()
    member_id: str | None = None
    home_organization_id: str | None = None
    home_path: str | None = None
    guest_organization_id: str | None = None
    guest_path: str | None = None
    locale: str | None = None  # the language the person chose; decides nothing

    @property
    def level(self) -> Level:
        """The furthest-reaching level of the roles; a resident's when there is none."""
        return min((LEVELS[held.role] for held in self.roles if held.role in LEVELS), default=Level.RESIDENT)

    def has(self, role: RoleName) -> bool:
        """Whether the role is held anywhere."""
        return any(held.role is role for held in self.roles)


@dataclass(frozen=True, slots=True)
class StationActor:
    """A paired station device: a screen in a service centre, with whoever stands before it."""

    station_id: str
    organization_id: str
    organization_path: str


@dataclass(frozen=True, slots=True)
class GuestActor:
    """A resident without a log-in; `consultation_id` is the one ticket held, None before taking one."""

    consultation_id: str | None
    name: str


Principal = Actor | StationActor | GuestActor
