"""What others are told about an organization."""

from dataclasses import dataclass
from typing import Self

from members.organizations.models import Organization, OrganizationKind


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """An organization as one who may see it sees it."""

    id: str
    parent_id: str | None
    kind: OrganizationKind
    name: str
    timezone: str
    path: str

    @classmethod
    def of(cls, row: Organization) -> Self:
        """The view of a row."""
        return cls(row.id, row.parent_id, row.kind, row.name, row.timezone, row.path)
