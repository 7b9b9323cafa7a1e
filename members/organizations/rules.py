"""What may stand below what in the tree, and which offices there are where; pure."""

from typing import Final

from members.organizations.models import OrganizationKind
from members.policy import RoleName

PARENTS: Final[dict[OrganizationKind, frozenset[OrganizationKind]]] = {
    OrganizationKind.DEPARTMENT: frozenset(),
    OrganizationKind.COMMITTEE: frozenset({OrganizationKind.DEPARTMENT, OrganizationKind.COMMITTEE}),
    OrganizationKind.GENERAL_BRANCH: frozenset({OrganizationKind.DEPARTMENT, OrganizationKind.COMMITTEE}),
    OrganizationKind.BRANCH: frozenset(
        {OrganizationKind.DEPARTMENT, OrganizationKind.COMMITTEE, OrganizationKind.GENERAL_BRANCH}
    ),
    OrganizationKind.GROUP: frozenset({OrganizationKind.BRANCH}),
}
"""The kinds that each kind may stand below; a department is the root."""

OFFICES: Final[dict[RoleName, frozenset[OrganizationKind]]] = {
    RoleName.DISTRICT_OFFICER: frozenset({OrganizationKind.DEPARTMENT}),
    RoleName.COMMITTEE_OFFICER: frozenset({OrganizationKind.COMMITTEE, OrganizationKind.GENERAL_BRANCH}),
    RoleName.SECRETARY: frozenset({OrganizationKind.BRANCH}),
    RoleName.BRANCH_OFFICER: frozenset({OrganizationKind.BRANCH}),
    RoleName.MEMBER: frozenset({OrganizationKind.BRANCH}),
    RoleName.RESIDENT: frozenset(OrganizationKind) - {OrganizationKind.GROUP},
    RoleName.EXPERT: frozenset(OrganizationKind) - {OrganizationKind.GROUP},
}
"""The kinds of organization at which each role is held."""


def may_stand_below(kind: OrganizationKind, parent: OrganizationKind | None) -> bool:
    """Whether an organization may have this parent; None is no parent."""
    return parent in PARENTS[kind] if parent is not None else kind is OrganizationKind.DEPARTMENT


def is_held_at(role: RoleName, kind: OrganizationKind) -> bool:
    """Whether a role belongs to organizations of this kind."""
    return kind in OFFICES[role]
