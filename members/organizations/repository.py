"""Every query about organizations. The caller has the session and has asked the policy."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from database import new_id
from members.organizations.models import Organization, OrganizationKind
from members.policy import Scope


def in_subtree(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """Rows whose path is `path` or below it, as a range of the index ("0" follows "/")."""
    return and_(column >= path, column < path[:-1] + "0")


def in_scope(column: InstrumentedAttribute[str], scope: Scope) -> ColumnElement[bool]:
    """Rows whose path is inside a scope of the policy."""
    conditions = [in_subtree(column, path) for path in scope.subtrees]
    if scope.nodes:
        conditions.append(column.in_(scope.nodes))
    return or_(*conditions) if conditions else false()


async def get(session: AsyncSession, organization_id: str) -> Organization | None:
    """One organization."""
    return await session.get(Organization, organization_id)


async def get_many(session: AsyncSession, ids: Iterable[str]) -> dict[str, Organization]:
    """Organizations by id, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = await session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {row.id: row for row in rows}


async def in_tree_order(session: AsyncSession, scope: Scope) -> Sequence[Organization]:
    """The organizations of a scope, parents before children."""
    query = select(Organization).where(in_scope(Organization.path, scope)).order_by(Organization.path)
    return (await session.scalars(query)).all()


async def called(session: AsyncSession, text: str) -> Sequence[Organization]:
    """The organizations with this id or code, else those with this name."""
    exact = select(Organization).where(or_(Organization.id == text, Organization.code == text))
    found = (await session.scalars(exact)).all()
    return found or (await session.scalars(select(Organization).where(Organization.name == text))).all()


def add(
    session: AsyncSession,
    *,
    parent: Organization | None,
    kind: OrganizationKind,
    name: str,
    timezone: str,
    created_at: datetime,
    code: str | None = None,
) -> Organization:
    """A new organization below `parent`, or a root."""
    own_id = new_id()
    organization = Organization(
        id=own_id,
        parent_id=parent.id if parent else None,
        kind=kind,
        name=name,
        code=code,
        timezone=timezone,
        path=f"{parent.path if parent else '/'}{own_id}/",
        created_at=created_at,
    )
    session.add(organization)
    return organization
