"""What others are told about a member."""

from dataclasses import dataclass
from typing import Self

from members.people.models import Member, Post, Standing


@dataclass(frozen=True, slots=True)
class Flowing:
    """Where a flowing member (流动党员) lives, and by which clock."""

    place: str
    timezone: str


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as one who may see the register sees it."""

    id: str
    name: str
    organization_id: str
    organization_name: str
    guest_organization_id: str | None
    group_id: str | None
    standing: Standing
    post: Post | None
    flowing: Flowing | None

    @classmethod
    def of(cls, row: Member) -> Self:
        """The view of a row whose `organization` is loaded."""
        flowing = None
        if row.flowing_place and row.flowing_timezone:
            flowing = Flowing(row.flowing_place, row.flowing_timezone)
        return cls(
            id=row.id,
            name=row.name,
            organization_id=row.organization_id,
            organization_name=row.organization.name,
            guest_organization_id=row.guest_organization_id,
            group_id=row.group_id,
            standing=row.standing,
            post=row.post,
            flowing=flowing,
        )
