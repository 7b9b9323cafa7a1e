"""The organization tree and its members, as far as one may see them."""

from typing import Literal

from web.api.schemas.accounts import FlowingOut
from web.api.schemas.base import Id, Output, PageQuery


class OrganizationsQuery(PageQuery):
    """`GET /api/organizations?parentId=`."""

    parent_id: Id | None = None


class OrganizationOut(Output):
    """One organization of the tree."""

    id: Id
    parent_id: Id | None
    kind: Literal["department", "committee", "general_branch", "branch", "group"]
    name: str
    timezone: str


class MembersQuery(PageQuery):
    """`GET /api/members?organizationId=`: the members of that organization and of those below it."""

    organization_id: Id | None = None


class MemberOut(Output):
    """One member."""

    id: Id
    name: str
    organization_id: Id
    organization_name: str
    standing: Literal["full", "probationary"]
    flowing: FlowingOut | None
