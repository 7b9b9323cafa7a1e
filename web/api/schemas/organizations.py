"""The organization tree and its members, as far as one may see them."""

from typing import Annotated

from pydantic import StringConstraints

from members.organizations.models import OrganizationKind
from members.people.models import Standing
from web.api.schemas.accounts import FlowingOut
from web.api.schemas.base import Id, Output, PageQuery, Text


class OrganizationsQuery(PageQuery):
    """`GET /api/organizations?parentId=`: parents come before children."""

    parent_id: Id | None = None


class OrganizationOut(Output):
    """One organization of the tree."""

    id: Id
    parent_id: Id | None
    kind: OrganizationKind
    name: str
    timezone: str


class MembersQuery(PageQuery):
    """`GET /api/members?organizationId=&query=`: of that organization (else one's own) and of those below it.

    `query`: whose name has this; without an organization of everybody one may see.
    """

    organization_id: Id | None = None
    query: Annotated[Text, StringConstraints(max_length=80)] | None = None


class MemberOut(Output):
    """One member."""

    id: Id
    name: str
    organization_id: Id
    organization_name: str
    standing: Standing
    flowing: FlowingOut | None
